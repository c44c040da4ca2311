#include <bgt/supervise/ready_watch.hpp>

#include <bgt/os/background.hpp>

#include "ready_watcher.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <set>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

Result<std::vector<core::Condition>> read_conditions(const ReadyWatch::What& what)
{
    std::vector<core::Condition> conditions;
    for (const std::string& text : what.conditions) {
        Result<core::Condition> condition = core::parse_condition(text, what.cwd);
        if (!condition) return condition.error();
        if (!condition->can_make_ready()) return Error::usage("the condition " + text + " can't make a task ready");
        conditions.push_back(std::move(*condition));
    }
    if (std::ranges::all_of(conditions, &core::Condition::is_guard)) return Error::usage("log-fail alone can't make a task ready");
    return conditions;
}

/// Whether it has not ended; false also of one that was reaped already, whose pid is no longer its own.
bool is_running(int pidfd)
{
    siginfo_t info{};
    return waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void signal_to(int pidfd, int signal)
{
    syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

/// The same as waitpid, for the very process of the pidfd.
void reap(int pidfd)
{
    siginfo_t info{};
    while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) < 0 && errno == EINTR) {}
}

} // namespace

Result<ReadyWatch> ReadyWatch::start(const store::TaskDir& task, const What& what)
{
    Result<std::vector<core::Condition>> conditions = read_conditions(what);
    if (!conditions) return conditions.error();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Error::system("making a pipe", errno);
    Fd reader(ends[0]), writer(ends[1]);
    const Result<pid_t> child = os::fork_helper({task.fd(), writer.get()}, true, [&, parent = getpid()] {
        return run_ready_watcher(task, what, std::move(*conditions), writer.get(), parent);
    });
    if (!child) return child.error();
    const pid_t pid = *child;
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) { // not reaped yet, so the pid is its own
        const int error = errno;
        kill(pid, SIGKILL);
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
        return Error::system("watching a process", error);
    }
    return ReadyWatch(pid, std::move(pidfd), std::move(reader));
}

ReadyWatch::ReadyWatch(ReadyWatch&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)), answer_(std::move(other.answer_))
{
}

ReadyWatch::Answer ReadyWatch::answer()
{
    char bytes[PIPE_BUF];
    ssize_t got = 0;
    do got = read(answer_.get(), bytes, sizeof bytes);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return {Answer::Kind::failed, "the process that watches for readiness died"};
    std::string text(bytes + 1, static_cast<std::size_t>(got - 1));
    const Answer::Kind kinds[] = {Answer::Kind::ready, Answer::Kind::never, Answer::Kind::failed};
    for (const Answer::Kind kind : kinds)
        if (bytes[0] == letter_of(kind)) return {kind, std::move(text)};
    return {Answer::Kind::failed, "the process that watches for readiness gave no sensible answer"};
}

void ReadyWatch::stop()
{
    if (pid_ == 0) return;
    if (is_running(pidfd_.get())) {
        signal_to(pidfd_.get(), SIGSTOP); // it starts nothing more while its descendants are ended
        end_descendants_of(pid_);
        signal_to(pidfd_.get(), SIGKILL);
        constexpr int max_ms = 1000;
        pollfd ended{pidfd_.get(), POLLIN, 0};
        while (poll(&ended, 1, max_ms) < 0 && errno == EINTR) {}
    }
    reap(pidfd_.get());
    pidfd_.reset();
    answer_.reset();
    pid_ = 0;
}

} // namespace bgt::supervise
