#pragma once
/// Starting the command of a task: the first time, and again.
#include "supervisor.hpp"

namespace bgt::supervise {

/// The command's environment: `env` with what bgt adds. A task inside a task carries both cookies,
/// so that the outer one's tree is found whole.
std::vector<std::string> environment_of(const SupervisorResources&, std::vector<std::string> env);

/// Starts it with the resources's environment, FIFOs and limits. The new process itself records
/// that it runs, right before the command is executed; the record of the resources then says so
/// too. Error: as of os::spawn, and nothing was executed.
Result<void> spawn_main(SupervisorResources&, std::uint32_t attempt);

} // namespace bgt::supervise
