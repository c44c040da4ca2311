#include <bgt/supervise/stranger.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/ports.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_command = 60;

/// They listen for others: a container that the task runs is not below the task.
constexpr std::array<std::string_view, 10> forwarders{
    "docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta",
    "passt",        "conmon",       "vpnkit",      "gvproxy",     "systemd"};

bool is_in_other_pid_namespace(std::int32_t pid)
{
    const std::uint64_t its = os::namespace_of(pid, "pid");
    return its == 0 || its != os::namespace_of(os::own_pid(), "pid");
}

/// Whether it may well do it for the task.
bool may_be_for_the_task(std::int32_t pid)
{
    const auto stat = os::read_stat(pid);
    if (!stat) return true; // it has ended since
    const std::string_view name = stat->comm;
    return std::ranges::any_of(forwarders,
                               [&](std::string_view one) { return name.starts_with(one); }) ||
           is_in_other_pid_namespace(pid);
}

std::string command_of(std::int32_t pid)
{
    return fit(printable(os::command_line(pid)), max_command);
}

} // namespace

std::string stranger_words(const core::Condition& condition,
                           const std::vector<os::ProcStat>& members)
{
    if (condition.kind() != core::Condition::Kind::http || condition.gone ||
        !core::is_loopback(condition.url))
        return {};
    const std::uint16_t port = condition.url.port;
    const auto is_own = [&] {
        const std::vector<std::uint16_t> own = os::listening_ports(members);
        return std::ranges::find(own, port) != own.end();
    };
    if (is_own()) return {};
    const os::PortHolders holders = os::holders_of(port);
    if (holders.pids.empty() || !holders.all_seen ||
        std::ranges::any_of(holders.pids, may_be_for_the_task) || is_own())
        return {};
    const std::int32_t pid = holders.pids.front();
    return fmt::format("answered by pid {}, not of this task ({})", pid, command_of(pid));
}

std::string listener_words(std::uint16_t port)
{
    const os::PortHolders holders = os::holders_of(port);
    if (holders.pids.empty()) return {};
    const std::int32_t pid = holders.pids.front();
    return fmt::format("pid {} ({})", pid, command_of(pid));
}

} // namespace bgt::supervise
