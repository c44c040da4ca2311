#include <bgt/ops/submit.hpp>

#include <bgt/os/privileges.hpp>

#include <array>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::ops {

store::QueueContext own_context()
{
    store::QueueContext context;
    context.umask = ::umask(077);
    ::umask(context.umask);
    for (const int resource : {RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE,
                               RLIMIT_MEMLOCK, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK}) {
        rlimit limit{};
        if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0)
            context.limits.push_back({resource, limit.rlim_cur, limit.rlim_max});
    }
    if (auto may = os::privileges_of(0)) context.privileges = *std::move(may);
    context.namespaces = os::own_namespaces();
    context.nice = ::getpriority(PRIO_PROCESS, 0);
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0 ||
        CPU_COUNT(&set) >= ::sysconf(_SC_NPROCESSORS_ONLN))
        return context;
    for (int processor = 0; processor < CPU_SETSIZE; ++processor)
        if (CPU_ISSET(static_cast<std::size_t>(processor), &set))
            context.processors.push_back(processor);
    return context;
}

} // namespace bgt::ops
