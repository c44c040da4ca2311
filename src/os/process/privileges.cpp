#include <bgt/os/privileges.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr std::size_t max_status_size = 1u << 20; ///< 65536 groups take less

/// Behind "NAME:" at the front of a line.
std::optional<std::string_view> field(std::string_view text, const std::string& name)
{
    const std::string key = "\n" + name + ":";
    const std::size_t at = text.find(key);
    if (at == text.npos) return std::nullopt;
    const std::string_view rest = text.substr(at + key.size());
    return rest.substr(0, rest.find('\n'));
}

template <class Number>
std::optional<Number> number(std::string_view text, int base)
{
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == text.npos) return std::nullopt;
    Number value{};
    const auto [end, error] =
        std::from_chars(text.data() + begin, text.data() + text.size(), value, base);
    return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::uint64_t whole(std::uint32_t low, std::uint32_t high)
{
    return std::uint64_t{high} << 32 | low;
}

bool can(const Privileges& who, int capability)
{
    return (who.effective >> capability & 1) != 0;
}

bool has_capabilities(const Privileges& who, const Privileges& wanted)
{
    return (wanted.permitted & ~who.permitted) == 0 && (wanted.bounding & ~who.bounding) == 0 &&
           (wanted.inheritable & ~who.inheritable) == 0 && (wanted.ambient & ~who.ambient) == 0;
}

bool set_capabilities(const Privileges& wanted)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    if (::syscall(SYS_capget, &header, sets) != 0) return false;
    for (int half = 0; half < 2; ++half) {
        const auto part = [half](std::uint64_t set) {
            return static_cast<std::uint32_t>(set >> (32 * half));
        };
        sets[half].permitted &= part(wanted.permitted);
        sets[half].effective &= part(wanted.effective & wanted.permitted);
        sets[half].inheritable &= part(wanted.inheritable);
    }
    return ::syscall(SYS_capset, &header, sets) == 0;
}

std::optional<Seccomp> own_seccomp()
{
    const int mode = ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    if (mode < 0) return errno == EINVAL ? std::optional(Seccomp{}) : std::nullopt;
    if (mode == 0) return Seccomp{};
    const std::string text = ProcDir().read(own_pid(), "status", max_status_size);
    const auto filters = field(text, "Seccomp_filters");
    return Seccomp{mode, filters ? number<int>(*filters, 10).value_or(0) : 0};
}

Privileges own_privileges()
{
    Privileges own;
    own.group = ::getegid();
    if (const int bits = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0); bits >= 0)
        own.secure_bits = static_cast<std::uint32_t>(bits);
    own.seccomp = own_seccomp();
    const int count = ::getgroups(0, nullptr);
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
    const int got = ::getgroups(static_cast<int>(groups.size()), groups.data());
    own.groups.assign(groups.begin(), groups.begin() + std::clamp<int>(got, 0, std::max(count, 0)));
    std::ranges::sort(own.groups);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    if (::syscall(SYS_capget, &header, sets) == 0) {
        own.permitted = whole(sets[0].permitted, sets[1].permitted);
        own.effective = whole(sets[0].effective, sets[1].effective);
        own.inheritable = whole(sets[0].inheritable, sets[1].inheritable);
    }
    for (unsigned long capability = 0; capability < 64; ++capability) {
        const int in_bounding = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (in_bounding < 0) break; // the kernel knows no more of them
        const std::uint64_t bit = std::uint64_t{1} << capability;
        if (in_bounding == 1) own.bounding |= bit;
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
            own.ambient |= bit;
    }
    own.no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    return own;
}

} // namespace

std::optional<Privileges> privileges_of(pid_t process)
{
    if (process <= 0) return own_privileges();
    const std::string text = ProcDir().read(process, "status", max_status_size);
    Privileges found;
    auto groups = field(text, "Groups");
    if (!groups) return std::nullopt;
    while (const auto group = number<std::uint32_t>(*groups, 10)) {
        found.groups.push_back(*group);
        groups->remove_prefix(groups->find_first_not_of(" \t"));
        groups->remove_prefix(std::min(groups->find_first_of(" \t"), groups->size()));
    }
    std::ranges::sort(found.groups);
    if (const auto line = field(text, "Gid")) { // real, effective, saved, of the file system
        const std::size_t second = line->find('\t', line->find_first_not_of(" \t"));
        if (second != line->npos) found.group = number<std::uint32_t>(line->substr(second), 10);
    }
    if (const auto line = field(text, "Seccomp")) {
        const auto filters = field(text, "Seccomp_filters");
        found.seccomp = Seccomp{number<int>(*line, 10).value_or(0),
                                filters ? number<int>(*filters, 10).value_or(0) : 0};
    }
    const std::pair<const char*, std::uint64_t*> sets[] = {{"CapInh", &found.inheritable},
                                                           {"CapPrm", &found.permitted},
                                                           {"CapEff", &found.effective},
                                                           {"CapBnd", &found.bounding},
                                                           {"CapAmb", &found.ambient}};
    for (const auto& [name, set] : sets)
        if (const auto line = field(text, name))
            *set = number<std::uint64_t>(*line, 16).value_or(0);
    if (const auto line = field(text, "NoNewPrivs"))
        found.no_new_privileges = number<int>(*line, 10).value_or(0) != 0;
    return found;
}

Namespaces own_namespaces()
{
    const auto of = [self = own_pid()](const char* kind) { return namespace_of(self, kind); };
    return {boot_id(), of("mnt"), of("pid"), of("net"), of("user")};
}

const char* differing_namespace(const Namespaces& one, const Namespaces& other)
{
    if (one.boot != other.boot) return nullptr; // the numbers of another boot mean nothing
    const auto apart = [](std::uint64_t here, std::uint64_t there) {
        return here != 0 && there != 0 && here != there;
    };
    if (apart(one.mount, other.mount)) return "mount";
    if (apart(one.pid, other.pid)) return "pid";
    if (apart(one.network, other.network)) return "network";
    return apart(one.user, other.user) ? "user" : nullptr;
}

bool is_filtered_otherwise(const Privileges& one, const Privileges& other)
{
    return one.seccomp && other.seccomp && differ(*one.seccomp, *other.seccomp);
}

namespace {

bool has_other_group(const Privileges& one, const Privileges& other)
{
    return one.group && other.group && *one.group != *other.group;
}

bool has_other_bits(const Privileges& one, const Privileges& other)
{
    return one.secure_bits && other.secure_bits && *one.secure_bits != *other.secure_bits;
}

} // namespace

std::optional<std::string> lack_of_privileges(const Privileges& here, const Privileges& wanted)
{
    if (is_filtered_otherwise(here, wanted))
        return "filters of system calls (seccomp) that are not those in force here";
    if (has_other_group(here, wanted) && !can(here, CAP_SETGID))
        return fmt::format("the primary group {} (here {})", *wanted.group, *here.group);
    if (has_other_bits(here, wanted) && !can(here, CAP_SETPCAP))
        return fmt::format("securebits {:#x} (here {:#x})", *wanted.secure_bits, *here.secure_bits);
    if (here.no_new_privileges && !wanted.no_new_privileges)
        return "the right to gain privileges by an execve (here no_new_privs is set)";
    if (!has_capabilities(here, wanted)) return "capabilities that are missing here";
    if (!std::ranges::includes(here.groups, wanted.groups) && !can(here, CAP_SETGID))
        return "a supplementary group that is missing here";
    return std::nullopt;
}

bool covers(const Privileges& wanted, const Privileges& here)
{
    // Nor can it give these back, unless it is privileged.
    if (is_filtered_otherwise(here, wanted) ||
        (has_other_group(here, wanted) && !can(wanted, CAP_SETGID)) ||
        (has_other_bits(here, wanted) && !can(wanted, CAP_SETPCAP)))
        return false;
    return (here.no_new_privileges || !wanted.no_new_privileges) &&
           has_capabilities(wanted, here) && std::ranges::includes(wanted.groups, here.groups);
}

bool drop_to(const Privileges& wanted)
{
    const std::optional<Privileges> here = privileges_of(0);
    if (!here) return false;
    if (here->groups != wanted.groups && can(*here, CAP_SETGID) &&
        ::setgroups(wanted.groups.size(), wanted.groups.data()) != 0)
        return false;
    if (has_other_group(*here, wanted) &&
        ::setresgid(*wanted.group, *wanted.group, *wanted.group) != 0)
        return false;
    if (has_other_bits(*here, wanted) && // before the capabilities: it takes one of them
        ::prctl(PR_SET_SECUREBITS, static_cast<unsigned long>(*wanted.secure_bits), 0, 0, 0) != 0)
        return false;
    const std::uint64_t unbound =
        can(*here, CAP_SETPCAP) ? here->bounding & ~wanted.bounding : std::uint64_t{0};
    for (int capability = 0; capability < 64; ++capability) {
        const std::uint64_t bit = std::uint64_t{1} << capability;
        const auto number = static_cast<unsigned long>(capability);
        if ((here->ambient & ~wanted.ambient & bit) != 0 &&
            ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0) != 0)
            return false;
        if ((unbound & bit) != 0 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return false;
    }
    if (!set_capabilities(wanted)) return false;
    if (wanted.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    return true;
}

} // namespace bgt::os
