#pragma once
#include <cstdint>
#include <vector>

namespace bgt {

/// What a process may do beyond its user: man 7 credentials, man 7 capabilities. Each set of
/// capabilities is a bit mask, as in /proc/PID/status.
struct Privileges {
    std::vector<std::uint32_t> groups; ///< supplementary, ascending
    std::uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
    bool no_new_privileges = false;
    bool operator==(const Privileges&) const = default;
};

} // namespace bgt
