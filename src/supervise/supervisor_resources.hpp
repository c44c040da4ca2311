#pragma once
#include "supervisor.hpp"

namespace bgt::supervise {

/// Opens all that a supervisor of this task needs. The task's folder holds its lock, spec.json and
/// status are written.
Result<SupervisorResources> open_resources(store::Root, store::TaskDir, store::TaskSpec,
                                           store::Retention);

/// `--watch`: takes what is there as the state that changes are told against. Before the command
/// starts, so that no change after that is missed.
Result<void> watch_files(SupervisorResources&);

/// A message of a new supervisor to the process that forked it, over a pipe: it is at work, or why
/// not.
struct StartReport {
    bool started = false;
    Error error;
};
void send_report(int fd, const StartReport&);
/// Waits for the report; nullopt: the supervisor died without one.
std::optional<StartReport> receive_report(int fd);

} // namespace bgt::supervise
