#pragma once
/// Why a process, or a whole task, does not end although it was asked to.
#include <bgt/store/status.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::ops {

struct Blocked {
    std::int32_t pid = 0;
    std::string name; ///< of the process, as printable text
    std::string why;  ///< "not permitted (owner root)", "traced by gdb (pid 7)", "waits in the kernel (state D)"; empty: it
                      ///< has only not ended yet
};

/// What /proc says of that process now.
Blocked why_not_ended(std::int32_t pid);
/// Everybody below this supervisor, zombies too, which also hold up the end. Cost: a look at all processes.
std::vector<Blocked> still_there(const store::ProcessKey& supervisor);

} // namespace bgt::ops
