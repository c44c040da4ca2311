#pragma once
#include <bgt/base/result.hpp>
#include <string>

namespace bgt::os {

/// "WHAT: strerror(err)" of a fork that failed. Where a limit was the cause (EAGAIN), also which
/// limits there are, and how many zombies a PID 1 that reaps nobody has left. Cost: then a look at
/// all processes.
Error no_process_error(std::string what, int err);

} // namespace bgt::os
