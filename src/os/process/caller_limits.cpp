#include <bgt/os/caller_limits.hpp>

#include <array>
#include <optional>
#include <sys/resource.h>

namespace bgt::os {
namespace {

struct Limit {
    __rlimit_resource_t resource;
    std::optional<rlimit> before; ///< it was lifted
};
std::array<Limit, 2> limits{{{RLIMIT_FSIZE, {}}, {RLIMIT_CPU, {}}}};

} // namespace

void lift_limits()
{
    for (Limit& limit : limits) {
        rlimit now{};
        if (limit.before || getrlimit(limit.resource, &now) != 0 || now.rlim_cur == RLIM_INFINITY)
            continue;
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY}, hard{now.rlim_max, now.rlim_max};
        if (setrlimit(limit.resource, &none) == 0 || setrlimit(limit.resource, &hard) == 0)
            limit.before = now;
    }
}

void lift_new_limits()
{
    for (Limit& limit : limits) limit.before.reset();
    lift_limits();
}

void restore_limits() noexcept
{
    for (const Limit& limit : limits)
        if (limit.before) setrlimit(limit.resource, &*limit.before);
}

} // namespace bgt::os
