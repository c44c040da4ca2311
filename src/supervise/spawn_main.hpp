#pragma once
/// Starting the command of a task: the first time, and again.
#include <bgt/supervise/supervisor.hpp>

namespace bgt::supervise {

/// The command's environment: `env` with what bgt adds. A task inside a task carries both cookies, so that the outer one's
/// tree is found whole.
std::vector<std::string> environment_of(const SupervisorResources&, std::vector<std::string> env);

/// Starts it with the resources's environment, FIFOs and limits. Error: as of os::spawn.
Result<store::ProcessKey> spawn_main(const SupervisorResources&, std::uint32_t attempt);

} // namespace bgt::supervise
