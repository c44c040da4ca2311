#pragma once
/// All that is known of some tasks: their state, their processes, and what has happened to them.
#include <bgt/ops/hooks.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/results.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

/// A living process of a tree.
struct Process {
    std::int32_t pid = 0;
    std::int32_t ppid = 0;
    char state = '?'; ///< as in /proc/PID/stat: R S D Z T
    std::optional<Duration> age;
    std::string command;
};

struct InspectRequest {
    Selection selection;
    SnapshotFields fields;
    bool processes = false;     ///< with their command lines and ages (needs fields.usage)
    std::size_t max_events = 0; ///< so many of the newest
    bool readiness = false;     ///< why those are not ready that are to be (needs fields.spec
                                ///< and fields.usage)
};

struct Inspected {
    Snapshot task;
    std::vector<Process> processes;
    std::vector<store::TaskEvent> events;    ///< the newest, oldest first
    std::vector<store::TaskEvent> attempts;  ///< all that are "attempt-ended"
    std::vector<HookRun> hooks = {};         ///< all that were started
    std::vector<std::string> not_ready = {}; ///< why_not_ready(), where that was asked for
    store::TaskResults results = {};
};

struct InspectAnswer {
    std::vector<Error> missing; ///< one per word of the selection that names no task
    std::vector<Inspected> tasks;
};

/// A task that vanishes meanwhile is left out. Error: that of select_each().
Result<InspectAnswer> recover_and_inspect(store::Root&, const InspectRequest&,
                                          const OnMissing& = {});

} // namespace bgt::ops
