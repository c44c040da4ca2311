#pragma once
/// Waits until conditions of tasks are met (`bgt wait`, `bgt run --wait-ready`).
#include <bgt/core/waiting.hpp>
#include <bgt/ops/attempt.hpp>
#include <bgt/ops/snapshot.hpp>
#include <functional>
#include <vector>

namespace bgt::ops {

struct WaitRequest {
    std::vector<store::TaskId> tasks;        ///< at least one
    std::vector<core::Condition> conditions; ///< one at least that is no guard
    core::WaitRules rules = {};
    std::optional<Duration> timeout = {};     ///< zero: the answer as things are now
    Attempt attempt = {Attempt::Which::last}; ///< whose output counts, and that of those after it
    /// Told once of each task whose supervisor is found stopped: nothing of it changes then.
    std::function<void(const std::string&)> note = {};
};

struct WaitAnswer {
    enum class End : std::uint8_t {
        met,
        impossible, ///< it can no longer be met: verdict.cause
        timed_out,  ///< the timeout passed; the tasks go on
        cancelled,
    };
    End end = End::met;
    /// What decided; of timed_out the first condition of the first task that is still open.
    core::WaitVerdict verdict;
    std::string last_answer;            ///< what the probe of that condition said last, if anything
    std::vector<std::string> not_ready; ///< where it is `ready`: what of it is missing
    std::size_t open_tasks = 0;         ///< tasks with open conditions
    std::vector<Snapshot> tasks;        ///< as they were last seen, in the order of the request
};

/// How a wait goes on, for somebody who looks.
struct WaitProgress {
    std::size_t tasks = 0, over = 0;
    Duration waited{};
    Snapshot first; ///< the first task with open conditions, with the end of its log
    Duration age{}; ///< of the first task since its start; where that is not known, `waited`
    std::optional<Duration> left; ///< until its progress is complete, estimated
};

/// Wakes at once when something changes that the system can tell, and polls only for what it can't:
/// ports, and probes, which are asked by processes of their own. Ends early when the conditions can
/// no longer be met. `progress` is called twice a second, where it is given. Once `cancel` is
/// readable (or at its end of file; -1: never), the wait ends soon. Error: no such task, a damaged
/// one, too many files.
Result<WaitAnswer> wait(store::Root&, const WaitRequest&,
                        const std::function<void(const WaitProgress&)>& progress = {},
                        int cancel = -1);

} // namespace bgt::ops
