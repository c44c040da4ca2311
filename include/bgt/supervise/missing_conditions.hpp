#pragma once
#include <bgt/os/proc.hpp>
#include <bgt/store/task_dir.hpp>
#include <string>
#include <vector>

namespace bgt::supervise {

/// Which of the conditions of readiness of a task do not hold, each with what is there instead:
/// "port:5173: it listens on 3000". `out_from`, `err_from`: where the output of the attempt begins.
/// What can't be looked at (a command, a message of its own) is named only where nothing else is
/// missing. Hazard: takes up to `bound`, and as long as the disk.
std::vector<std::string> missing_conditions(const store::TaskDir&, const store::TaskSpec&,
                                            const std::vector<os::ProcStat>& members,
                                            std::uint64_t out_from, std::uint64_t err_from,
                                            Duration bound);

} // namespace bgt::supervise
