#pragma once
#include <bgt/base/privileges.hpp>
#include <optional>
#include <string>
#include <sys/types.h>

namespace bgt::os {

/// Of a process; nullopt: it is gone, or /proc can't be read. 0: of this one, which is always
/// known.
std::optional<Privileges> privileges_of(pid_t process);

/// What of `wanted` a process with `here` can't give to one that it starts, in words; nullopt: it
/// can give all.
std::optional<std::string> lack_of_privileges(const Privileges& here, const Privileges& wanted);
/// Whether `wanted` has all that `here` has.
bool covers(const Privileges& wanted, const Privileges& here);

Namespaces own_namespaces();
/// The word for one in which these processes are apart ("mount"); nullptr: there is none that is
/// known of both.
const char* differing_namespace(const Namespaces&, const Namespaces&);
/// Whether the filters of system calls differ, as far as is known of both.
bool is_filtered_otherwise(const Privileges&, const Privileges&);

/// This process gives up what goes beyond `wanted`, for good: no_new_privs and capabilities always;
/// supplementary groups and the bounding set where it may change them (CAP_SETGID, CAP_SETPCAP).
/// Primary group and securebits become those of `wanted`.
/// False: the kernel refused something of it.
bool drop_to(const Privileges& wanted);

} // namespace bgt::os
