#include "no_process.hpp"

#include <bgt/os/proc.hpp>

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

namespace bgt::os {

Error no_process_error(std::string what, int err)
{
    Error error = Error::system(std::move(what), err);
    if (err != EAGAIN) return error;
    error.message += "; look at ulimit -u and, in a container, at its pids.max";
    const auto processes = all_processes();
    const auto zombies = std::ranges::count_if(
        processes, [](const ProcStat& stat) { return stat.ppid == 1 && stat.state == 'Z'; });
    if (zombies > 0)
        error.message += fmt::format(", of which {} are zombies that PID 1 does not reap: give the "
                                     "container an init (docker run --init)",
                                     zombies);
    return error;
}

} // namespace bgt::os
