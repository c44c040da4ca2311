#pragma once
/// Ends the attempt of a task and starts its command again, in the same task.
#include <bgt/ops/select.hpp>
#include <bgt/store/status.hpp>

namespace bgt::ops {

struct RestartRequest {
    Selection selection;
    bool now = false; ///< SIGKILL at once, without a stop signal before
};

struct Restarted {
    store::Status status; ///< of the new attempt, which runs
};

/// One after the other; returns when all of them run again. Error of a task: it ended instead, a process of it can't be ended, or its
/// supervisor does not know its environment.
Result<Each<Restarted>> restart(store::Root&, const RestartRequest&, const Progress<Restarted>& = {}, Cancel = {});

} // namespace bgt::ops
