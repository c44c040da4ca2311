#pragma once
/// Ends the attempt of a task and starts its command again: in the same task where that runs, else
/// as a new task.
#include <bgt/ops/select.hpp>
#include <bgt/store/retention.hpp>
#include <bgt/store/status.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct RestartRequest {
    Selection selection;
    bool now = false; ///< SIGKILL at once, without a stop signal before
    std::vector<std::string> env =
        {}; ///< K=V: of a new task, where the environment of the old one is not kept
    store::Retention retention = {}; ///< of a new task, for pruning in passing
};

struct Restarted {
    store::TaskId id;     ///< the task that runs
    store::Status status; ///< of it
    std::optional<store::TaskId> instead =
        {}; ///< the task that was named, where another one was started like it: it had ended, or
            ///< was adopted and its environment is not known
    store::Status before = {}; ///< the last record of that one
};

/// One after the other; returns when all of them run again. Error of a task: it ended instead, a
/// process of it can't be ended, or one of start(). Hazard: forks (ops/start.hpp).
Result<Each<Restarted>> restart(store::Root&, const RestartRequest&,
                                const Progress<Restarted>& = {}, Cancel = {});

} // namespace bgt::ops
