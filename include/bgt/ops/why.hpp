#pragma once
/// What a task does just now and why it makes no progress, or how it ended and why.
#include <bgt/core/diagnosis.hpp>
#include <bgt/ops/hooks.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <cstdint>
#include <string>

namespace bgt::ops {

struct WhyRequest {
    Selection selection;
    bool last = false; ///< the newest report that was written: none is made now
};

/// What is known of the end of a task; of one that waits for its next attempt, of the end of the
/// last one.
struct EndAccount {
    Snapshot task;      ///< with its spec, where that can be read
    std::string detail; ///< what the events add: the error of a start, why a task is lost
    std::optional<WallTime> attempt_ended; ///< of one that waits for its next attempt
    std::optional<std::int64_t>
        oom_kills; ///< processes that the kernel ended for lack of memory; nullopt: not known
    bool oom_of_machine = false;        ///< counted on the whole machine, not in the task's cgroup
    bool given_up = false;              ///< it was restarted too often
    std::vector<std::string> not_ready; ///< why_not_ready()
    std::vector<std::string> output;    ///< its last lines, printable
};

/// Who listens on a port of which the task said that it is in use.
struct PortHolder {
    std::uint16_t port = 0;
    std::int32_t pid = 0;              ///< 0: nobody does now, or it can't be seen
    std::string command;               ///< of that process, printable
    std::optional<store::TaskId> task; ///< to which it belongs
};

struct WhyAnswer {
    std::optional<EndAccount> end = {}; ///< of a task that has ended, or waits for its next attempt
    std::optional<PortHolder> port = {};
    std::optional<core::Report> report =
        {}; ///< of a running task; of an ended one the newest that was written, where there is one
    std::vector<HookRun> hooks = {}; ///< the user's commands for its hang and its end
    std::string refused = {}; ///< not empty: why no report could be made now of a running task
};

/// Of a running task a report is made now, which takes up to two seconds; of one whose supervisor
/// does not answer it is the newest that was written. Of an ended one it tells how it ended. Error
/// of a task: there is nothing to tell, or (`last`) no report.
Result<Each<WhyAnswer>> why(store::Root&, const WhyRequest&, const Progress<WhyAnswer>& = {},
                            Cancel = {});

} // namespace bgt::ops
