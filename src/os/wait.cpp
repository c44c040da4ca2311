#include <bgt/os/wait.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>

namespace bgt::os {

Readable await_readable(const std::array<int, 3>& fds, Instant deadline)
{
    std::array<pollfd, 3> polled{};
    for (std::size_t i = 0; i < fds.size(); ++i) polled[i] = {fds[i], POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
    Readable ready;
    if (poll(polled.data(), polled.size(), static_cast<int>(std::clamp<long long>(left, 0, 3'600'000))) <= 0) return ready;
    for (std::size_t i = 0; i < polled.size(); ++i) ready[i] = polled[i].revents != 0;
    return ready;
}

std::optional<ChildEnd> try_reap(pid_t child)
{
    int status = 0;
    if (retry_on_eintr([&] { return waitpid(child, &status, WNOHANG); }) != child) return std::nullopt;
    return ChildEnd{WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt};
}

void kill_child(pid_t child)
{
    kill(child, SIGKILL);
}

void reap(pid_t child)
{
    retry_on_eintr([&] { return waitpid(child, nullptr, 0); });
}

} // namespace bgt::os
