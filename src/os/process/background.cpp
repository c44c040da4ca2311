#include <bgt/os/background.hpp>

#include "no_process.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/held_signals.hpp>
#include <bgt/os/descriptors.hpp>
#include <bgt/os/title.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::os {
namespace {

int subreaper_errno = 0; ///< in a process of fork_supervisor(): why it is none

void use_dev_null()
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        // Better no descriptor than the caller's: nobody may wait for them.
        for (int fd = 0; fd <= 2; ++fd) close(fd);
        return;
    }
    for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
    if (null > 2) close(null);
}

sigset_t supervised_signals()
{
    return signal_set({SIGCHLD, SIGTERM, SIGINT, SIGHUP});
}

void take_over_signals()
{
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    for (const int signal : {SIGPIPE, SIGXFSZ}) sigaction(signal, &action, nullptr);
    // An ignored SIGCHLD, inherited from a careless caller, would reap the children behind our
    // back.
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, nullptr);
    const sigset_t set = supervised_signals();
    sigprocmask(SIG_SETMASK, &set, nullptr);
}

Duration cpu_of(const rusage& used)
{
    const auto time = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    return time(used.ru_utime) + time(used.ru_stime);
}

} // namespace

Result<pid_t> fork_supervisor(const std::vector<int>& keep, const std::string& title,
                              const std::function<int()>& body)
{
    const pid_t pid = fork();
    if (pid < 0)
        return no_process_error("no process could be made for the supervisor (fork)", errno);
    if (pid > 0) return pid;
    setsid();
    take_over_signals();
    use_dev_null();
    close_all_but(keep);
    if (chdir("/") != 0) _exit(125);
    subreaper_errno = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : errno;
    set_title(title);
    umask(077); // of a caller that takes over, too: the owner can use what is made here, and nobody
                // else
    _exit(body());
}

Result<void> check_subreaper()
{
    if (subreaper_errno == 0) return {};
    return Error::system("this process could not become the reaper of the task's daemons (prctl "
                         "PR_SET_CHILD_SUBREAPER)",
                         subreaper_errno);
}

Result<pid_t> fork_helper(const std::vector<int>& keep, bool outlives,
                          const std::function<int()>& body)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return no_process_error("no process could be made for a helper (fork)", errno);
    if (pid > 0) return pid;
    if (!outlives) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(125); // it died before it could be told
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    setpgid(0, 0);
    for (int signal = 1; signal < NSIG; ++signal)
        ::signal(signal, signal == SIGPIPE ? SIG_IGN : SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    use_dev_null();
    close_all_but(keep);
    prctl(PR_SET_NAME, helper_name);
    _exit(body());
}

void adopt_orphans()
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

bool is_parent(pid_t pid)
{
    return getppid() == pid;
}

bool signal_at_end_of(pid_t parent, int signal)
{
    prctl(PR_SET_PDEATHSIG, signal);
    return is_parent(parent);
}

void block_signals()
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
}

void give_back_memory()
{
    malloc_trim(0);
    constexpr std::uintptr_t page = 4096;
    constexpr std::uintptr_t deepest = 256 * 1024;
    // Two pages are left for this call itself; what is not mapped in the range is passed over (man
    // 2 madvise, ENOMEM).
    const auto here =
        reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) / page * page - 2 * page;
    madvise(reinterpret_cast<void*>(here - deepest), deepest, MADV_DONTNEED);
}

Fd signal_descriptor()
{
    return bgt::signal_descriptor(supervised_signals());
}

bool take_signals(int descriptor)
{
    bool told_to_end = false;
    while (const int signal = take_signal(descriptor)) told_to_end |= signal == SIGTERM;
    return told_to_end;
}

ReapResult reap_all()
{
    ReapResult result;
    while (true) {
        siginfo_t info{};
        rusage used{}; // which the library's waitid() does not give
        const long waited = retry_on_eintr([&] {
            return syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | __WALL, &used);
        });
        if (waited != 0) {
            result.no_children = errno == ECHILD;
            return result;
        }
        if (info.si_pid == 0) return result;
        result.reaped.push_back(
            {info.si_pid, info.si_code == CLD_EXITED, info.si_status, cpu_of(used)});
    }
}

Duration reaped_cpu()
{
    rusage used{};
    return getrusage(RUSAGE_CHILDREN, &used) == 0 ? cpu_of(used) : Duration{};
}

std::uint64_t reaped_max_memory()
{
    rusage used{};
    if (getrusage(RUSAGE_CHILDREN, &used) != 0 || used.ru_maxrss < 0) return 0;
    return static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
}

} // namespace bgt::os
