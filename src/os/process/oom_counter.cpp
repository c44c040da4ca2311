#include <bgt/os/oom_counter.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/fd.hpp>

#include <array>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::os {
namespace {

std::optional<std::string> contents(const std::string& path)
{
    const Fd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return std::nullopt;
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t count;
    while ((count =
                retry_on_eintr([&] { return read(file.get(), buffer.data(), buffer.size()); })) > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
}

/// The number after "oom_kill " at the beginning of a line: so it is in memory.events (version 2),
/// memory.oom_control (version 1) and /proc/vmstat.
std::optional<std::uint64_t> kills_in(const std::string& path)
{
    const auto text = contents(path);
    if (!text) return std::nullopt;
    constexpr std::string_view key = "oom_kill ";
    for (std::string_view rest = *text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (!line.starts_with(key)) continue;
        std::uint64_t number = 0;
        std::from_chars(line.data() + key.size(), line.data() + line.size(), number);
        return number;
    }
    return std::nullopt;
}

bool names_memory(std::string_view controllers)
{
    while (!controllers.empty()) {
        const std::string_view one = controllers.substr(0, controllers.find(','));
        if (one == "memory") return true;
        controllers.remove_prefix(std::min(controllers.size(), one.size() + 1));
    }
    return false;
}

/// A line of man 7 cgroups, "4:memory:/user/1000": the file that counts; empty: it has none.
std::string file_of(std::string_view line, const std::string& mounts, bool at_mount)
{
    const auto first = line.find(':');
    const auto second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) return {};
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    // In a container what is mounted is its own cgroup, while the path may be that of the host.
    const std::string path(at_mount ? std::string_view{} : line.substr(second + 1));
    if (controllers.empty()) return mounts + path + "/memory.events";
    return names_memory(controllers) ? mounts + "/memory" + path + "/memory.oom_control"
                                     : std::string();
}

} // namespace

std::optional<OomCounter> OomCounter::begin()
{
    const auto cgroups = contents("/proc/self/cgroup");
    return begin_in(cgroups.value_or(""), "/sys/fs/cgroup", "/proc/vmstat");
}

std::optional<OomCounter> OomCounter::begin_in(std::string_view cgroups, const std::string& mounts,
                                               const std::string& vmstat)
{
    for (const bool at_mount : {false, true})
        for (std::string_view rest = cgroups; !rest.empty();) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            const std::string file = file_of(line, mounts, at_mount);
            if (file.empty()) continue;
            if (const auto before = kills_in(file)) return OomCounter(file, *before, false);
        }
    const auto before = kills_in(vmstat);
    if (!before) return std::nullopt;
    return OomCounter(vmstat, *before, true);
}

std::optional<std::uint64_t> OomCounter::killed() const
{
    const auto now = kills_in(path_);
    if (!now) return std::nullopt;
    return *now - std::min(*now, before_);
}

} // namespace bgt::os
