#pragma once
/// What verbs say and do about tasks whose supervisor does nothing, or that have none yet.
#include <bgt/store/root.hpp>
#include <functional>
#include <string>

namespace bgt::supervise {

/// Who is found stopped (is_stopped) so often in a row, a second apart, is not awaited.
inline constexpr int max_stopped_looks = 5;

/// await_status() without a deadline, for what the supervisor was asked to do. Error: it is stopped
/// (is_stopped) for some seconds, and that is said with its pid.
Result<store::Status> await_served(store::Root&, store::TaskId,
                                   const std::function<bool(const store::Status&)>& done,
                                   int cancel_fd = -1);

/// What a verb for tasks with processes or output says of one that waits in a queue.
std::string waiting_text(store::TaskId);

} // namespace bgt::supervise
