#pragma once
#include <bgt/base/process_key.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace bgt {

/// Which system calls are filtered (man 2 seccomp). A filter can't be read, nor given to another
/// process: it is known that there is one, and how many there are.
struct Seccomp {
    int mode = 0;    ///< 0: nothing is
    int filters = 0; ///< 0 with mode 2: the kernel does not tell
    bool operator==(const Seccomp&) const = default;
};

/// As far as that can be told.
inline bool differ(const Seccomp& one, const Seccomp& other)
{
    return one.mode != other.mode ||
           (one.filters > 0 && other.filters > 0 && one.filters != other.filters);
}

/// What a process may do beyond its user: man 7 credentials, man 7 capabilities. Each set of
/// capabilities is a bit mask, as in /proc/PID/status.
struct Privileges {
    std::vector<std::uint32_t> groups;             ///< supplementary, ascending
    std::optional<std::uint32_t> group = {};       ///< the primary one; not set: not known
    std::optional<std::uint32_t> secure_bits = {}; ///< SECBIT_...; not set: not known
    std::optional<Seccomp> seccomp = {};           ///< not set: not known
    std::uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
    bool no_new_privileges = false;
    bool operator==(const Privileges&) const = default;
};

/// Where the words of a process mean what it means by them: its mounts, pids, network and users.
/// By the inode of each namespace (man 7 namespaces), which counts until the machine is restarted;
/// 0: not known.
struct Namespaces {
    BootId boot{};
    std::uint64_t mount = 0, pid = 0, network = 0, user = 0;
    bool operator==(const Namespaces&) const = default;
};

} // namespace bgt
