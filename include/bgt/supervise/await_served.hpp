#pragma once
/// Waiting for a supervisor that may do nothing.
#include <bgt/store/root.hpp>
#include <functional>

namespace bgt::supervise {

/// await_status() without a deadline, for what the supervisor was asked to do. Error: it is stopped
/// (is_stopped) for some seconds, and that is said with its pid.
Result<store::Status> await_served(store::Root&, store::TaskId,
                                   const std::function<bool(const store::Status&)>& done,
                                   int cancel_fd = -1);

} // namespace bgt::supervise
