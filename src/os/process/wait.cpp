#include <bgt/os/wait.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);

} // namespace

Readable await_readable(const std::array<int, 3>& fds, Instant deadline)
{
    std::array<pollfd, 3> polled{};
    for (std::size_t i = 0; i < fds.size(); ++i) polled[i] = {fds[i], POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
    Readable ready;
    if (poll(polled.data(), polled.size(),
             static_cast<int>(std::clamp<long long>(left, 0, 3'600'000))) <= 0)
        return ready;
    for (std::size_t i = 0; i < polled.size(); ++i) ready[i] = polled[i].revents != 0;
    return ready;
}

std::optional<ChildEnd> try_reap(pid_t child)
{
    int status = 0;
    if (retry_on_eintr([&] { return waitpid(child, &status, WNOHANG); }) != child)
        return std::nullopt;
    return ChildEnd{WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt};
}

bool has_ended(pid_t child)
{
    return retry_on_eintr([&] { return waitpid(child, nullptr, WNOHANG); }) != 0;
}

bool is_child(pid_t pid)
{
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void kill_child(pid_t child)
{
    kill(child, SIGKILL);
}

void reap(pid_t child)
{
    retry_on_eintr([&] { return waitpid(child, nullptr, 0); });
}

bool stop_child(pid_t child)
{
    kill(child, SIGSTOP);
    int status = 0;
    retry_on_eintr([&] { return waitpid(child, &status, WUNTRACED); });
    return WIFSTOPPED(status);
}

void pause_for(Duration time)
{
    await_readable({-1, -1, -1}, now() + time);
}

Fd pidfd_of(pid_t pid)
{
    return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

Result<Child> Child::watch(pid_t pid)
{
    Fd pidfd = pidfd_of(pid);
    const auto stat =
        pidfd ? std::nullopt : read_stat(pid); // not reaped yet, so the pid is its own
    if (pidfd || stat) return Child({pid, stat ? stat->key.start_ticks : 0}, std::move(pidfd));
    const int error = errno;
    kill_child(pid);
    os::reap(pid);
    return Error::system("watching a process", error);
}

bool Child::is_running() const
{
    if (!pidfd_) return is_alive(key_);
    siginfo_t info{};
    const auto id = static_cast<id_t>(pidfd_.get());
    return waitid(P_PIDFD, id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void Child::signal(int signal) const
{
    if (pidfd_ && syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) == 0) return;
    if (is_running()) kill(key_.pid, signal); // a sandbox refused: it is our child, and not reaped
}

bool Child::await_end(Duration timeout) const
{
    const Instant deadline = now() + timeout;
    if (pidfd_) {
        pollfd ended{pidfd_.get(), POLLIN, 0};
        const auto ms =
            static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
        return retry_on_eintr([&] { return poll(&ended, 1, ms); }) > 0;
    }
    while (is_alive(key_) && now() < deadline) pause_for(poll_interval);
    return !is_alive(key_);
}

void Child::reap() const
{
    siginfo_t info{};
    if (pidfd_) {
        retry_on_eintr([&] {
            return waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
        });
        return;
    }
    // A pid whose child was reaped already may be that of another one.
    const auto stat = read_stat(key_.pid);
    if (stat && stat->key == key_)
        retry_on_eintr(
            [&] { return waitid(P_PID, static_cast<id_t>(key_.pid), &info, WEXITED | WNOHANG); });
}

void reap_until(pid_t child, Instant deadline)
{
    if (child <= 0) return;
    while (retry_on_eintr([&] { return waitpid(child, nullptr, WNOHANG); }) == 0 &&
           now() < deadline)
        poll(nullptr, 0, 1);
}

} // namespace bgt::os
