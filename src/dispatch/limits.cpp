#include "limits.hpp"

#include <bgt/os/caller_limits.hpp>
#include <bgt/os/privileges.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

struct Named {
    __rlimit_resource resource;
    const char* words;
};
constexpr std::array named{
    Named{RLIMIT_AS, "address space"},  Named{RLIMIT_CORE, "core files"},
    Named{RLIMIT_CPU, "CPU time"},      Named{RLIMIT_DATA, "data"},
    Named{RLIMIT_FSIZE, "file size"},   Named{RLIMIT_MEMLOCK, "locked memory"},
    Named{RLIMIT_NOFILE, "open files"}, Named{RLIMIT_NPROC, "processes"},
    Named{RLIMIT_STACK, "stack"}};

constexpr rlim_t any_nice = 40; ///< as RLIMIT_NICE counts: 20 less the nice value

/// Nobody can set a higher limit of open files (man 5 proc).
rlim_t max_open_files()
{
    constexpr rlim_t usual = 1u << 20;
    const Fd file(::open("/proc/sys/fs/nr_open", O_RDONLY | O_CLOEXEC));
    std::array<char, 32> text{};
    if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return usual;
    const rlim_t most = std::strtoull(text.data(), nullptr, 10);
    return most > 0 ? most : usual;
}

std::string amount(rlim_t limit)
{
    return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

/// The lowest nice value that the process may set.
int lowest_nice(pid_t process)
{
    const int now = ::getpriority(PRIO_PROCESS, static_cast<id_t>(process));
    rlimit limit{};
    if (::prlimit(process, RLIMIT_NICE, nullptr, &limit) != 0) return now;
    return std::min(now, 20 - static_cast<int>(std::min<rlim_t>(limit.rlim_cur, any_nice)));
}

} // namespace

void raise_limits()
{
    os::lift_limits();
    for (const Named& limit : named) {
        rlimit now{};
        if (::getrlimit(limit.resource, &now) != 0) continue;
        const bool is_files = limit.resource == RLIMIT_NOFILE;
        const rlim_t most =
            std::max(now.rlim_max, is_files ? max_open_files() : rlim_t{RLIM_INFINITY});
        // A descriptor for each running task: the soft limit of whoever started this must not
        // count.
        const rlimit raised{is_files ? most : now.rlim_cur, most};
        const rlimit own{is_files ? now.rlim_max : now.rlim_cur, now.rlim_max};
        if (::setrlimit(limit.resource, &raised) != 0) ::setrlimit(limit.resource, &own);
    }
    const rlimit nice{any_nice, any_nice};
    ::setrlimit(RLIMIT_NICE, &nice);
}

namespace {

std::optional<std::string> lack_of_limits(pid_t process, const store::QueueContext& submitted)
{
    for (const store::CallerLimit& limit : submitted.limits) {
        const auto known = std::ranges::find(named, static_cast<__rlimit_resource>(limit.resource),
                                             &Named::resource);
        rlimit here{};
        if (known == named.end() || ::prlimit(process, known->resource, nullptr, &here) != 0)
            continue;
        if (limit.hard <= here.rlim_max) continue;
        if (known->resource == RLIMIT_NOFILE && here.rlim_max >= max_open_files()) continue;
        return fmt::format("a hard limit for {} of {} (here {})", known->words, amount(limit.hard),
                           amount(here.rlim_max));
    }
    const int lowest = lowest_nice(process);
    if (submitted.nice >= lowest) return std::nullopt;
    return fmt::format("a nice value of {} (here {})", submitted.nice, lowest);
}

} // namespace

const Privileges& own_privileges()
{
    static const Privileges own = *os::privileges_of(0);
    return own;
}

const Namespaces& own_place()
{
    static const Namespaces own = os::own_namespaces();
    return own;
}

std::optional<std::string> lack_of_place(const Namespaces& here,
                                         const store::QueueContext& submitted)
{
    const char* const kind = os::differing_namespace(here, submitted.namespaces);
    if (kind == nullptr) return std::nullopt;
    return fmt::format("another {} namespace than the dispatcher's", kind);
}

std::optional<std::string> lack_of(pid_t process, std::uint32_t secure_bits,
                                   const store::QueueContext& submitted)
{
    if (auto lack = lack_of_limits(process, submitted)) return lack;
    std::optional<Privileges> here = os::privileges_of(process);
    if (here && process > 0) here->secure_bits = secure_bits;
    return here ? os::lack_of_privileges(*here, submitted.privileges) : std::nullopt;
}

std::optional<std::string> lack_of_privileges(const store::QueueContext& submitted)
{
    return os::lack_of_privileges(own_privileges(), submitted.privileges);
}

bool gives_way_to(const store::QueueContext& submitted)
{
    if (lack_of_limits(0, submitted)) return true;
    return lack_of_privileges(submitted) && os::covers(submitted.privileges, own_privileges());
}

} // namespace bgt::dispatch
