#pragma once
/// Why a process, or a whole task, does not end although it was asked to.
#include <bgt/base/process_key.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::os {

struct Blocked {
    std::int32_t pid = 0;
    std::string name; ///< of the process, as printable text
    std::string why;  ///< "not permitted (owner root)", "traced by gdb (pid 7)", "waits in the
                      ///< kernel (state D)"; empty: it has only not ended yet
};
/// "pid 7 (sleep): not permitted (owner root)"
std::string to_string(const Blocked&);

/// What /proc says of that process now.
Blocked why_not_ended(std::int32_t pid);
/// "2 processes are not ended by SIGKILL: pid 7 (cat): waits in the kernel (state D); pid 8".
std::string survivor_words(const std::vector<std::int32_t>& pids);
/// Everybody below this supervisor, zombies too, which also hold up the end. Cost: a look at all
/// processes.
std::vector<Blocked> still_there(const ProcessKey& supervisor);

} // namespace bgt::os
