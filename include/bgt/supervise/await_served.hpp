#pragma once
/// What verbs say and do about tasks whose supervisor does nothing, or that have none yet.
#include <bgt/base/process_key.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <string>

namespace bgt::supervise {

/// A supervisor that is found stopped (is_stopped) in five looks in a row is not awaited. The looks
/// are a second apart.
class StoppedLooks {
public:
    /// Error: it was the fifth; says so with its pid.
    Result<void> look(store::TaskId, const ProcessKey& supervisor);

private:
    int in_a_row_ = 0;
};

/// await_status() without a deadline, for what the supervisor was asked to do. Error: it is stopped
/// (is_stopped) for some seconds, and that is said with its pid.
Result<store::Status> await_served(store::Root&, store::TaskId,
                                   const std::function<bool(const store::Status&)>& done,
                                   int cancel_fd = -1);

/// What a verb for tasks with processes or output says of one that waits in a queue.
std::string waiting_text(store::TaskId);

} // namespace bgt::supervise
