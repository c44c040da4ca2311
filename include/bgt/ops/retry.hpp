#pragma once
/// Starts tasks once more, as new tasks.
#include <bgt/ops/select.hpp>
#include <bgt/store/retention.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

struct RetryRequest {
    Selection selection;
    std::vector<std::string>
        env; ///< K=V of the new tasks' environment, unless that of the old one was kept
    store::Retention retention; ///< for pruning in passing
    bool failed = false;     ///< all that ran and failed and were not run again; where something is
                             ///< selected, those of it
    bool dependents = false; ///< also what was skipped because of them, and because of that
};

struct Retried {
    store::TaskId made; ///< the new task
};

/// The same command, folder and options; an owner that has ended is left out. What came from a
/// queue waits there again. Error of a task: it lives and the new one would take its name, or one
/// of start() and submit(). Hazard: forks (ops/start.hpp).
Result<Each<Retried>> retry(store::Root&, const RetryRequest&, const Progress<Retried>& = {});

} // namespace bgt::ops
