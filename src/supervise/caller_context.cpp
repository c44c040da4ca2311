#include <bgt/supervise/caller_context.hpp>

#include <bgt/os/caller_limits.hpp>
#include <bgt/os/privileges.hpp>

#include <cstdlib>
#include <cstring>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

void run_on(const std::vector<int>& processors)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int processor : processors)
        if (processor >= 0 && processor < CPU_SETSIZE)
            CPU_SET(static_cast<std::size_t>(processor), &set);
    sched_setaffinity(0, sizeof set, &set);
}

} // namespace

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

bool become_like(const store::QueueContext& caller, const Privileges& own)
{
    for (const store::CallerLimit& limit : caller.limits) {
        const rlimit value{limit.soft, limit.hard};
        setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value);
    }
    os::lift_new_limits();
    // What the supervisor itself starts for the task (--ready-cmd, --on-hang exec:) gets the
    // caller's environment, too.
    clearenv();
    for (const std::string& entry : caller.env) putenv(strdup(entry.c_str()));
    if (caller.nice != getpriority(PRIO_PROCESS, 0)) setpriority(PRIO_PROCESS, 0, caller.nice);
    if (!caller.processors.empty()) run_on(caller.processors);
    return own == caller.privileges || os::drop_to(caller.privileges);
}

} // namespace bgt::supervise
