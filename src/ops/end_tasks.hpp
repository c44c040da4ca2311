#pragma once
/// Ends several tasks at once, and those that come into being meanwhile.
#include <bgt/core/task.hpp>
#include <bgt/ops/answer.hpp>
#include <bgt/ops/end_answer.hpp>
#include <bgt/ops/queues.hpp>
#include <functional>
#include <optional>
#include <vector>

namespace bgt::ops {

struct EndRequest {
    core::Reason reason = core::Reason::killed;
    std::optional<Duration> grace;   ///< the time between the last stop signal and SIGKILL
    std::optional<Instant> force_at; ///< what is left then gets SIGKILL at once; nullopt: never
    Cancel hasten = {};              ///< the same once its descriptor is readable
};

/// What is to be ended now.
struct ToEnd {
    std::size_t cancelled = 0;         ///< that waited, and were taken out of their queues
    std::vector<store::TaskId> living; ///< those that were named before may be among them
    bool incomplete = false;           ///< a task is about to be started: look again
};

/// cancel_waiting(), but without taking the journal's lock where nothing is to be cancelled: the
/// dispatcher may be busy with what was cancelled before.
Result<std::size_t> cancel_those_waiting(store::Root&, const WhichWaiting&);

/// Asks `find` again until nothing new is found. Errors of a task are in the answer; that of `find`
/// is the function's.
Result<EndAnswer> end_tasks(store::Root&, const EndRequest&,
                            const std::function<Result<ToEnd>()>& find);

} // namespace bgt::ops
