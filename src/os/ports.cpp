#include <bgt/os/ports.hpp>

#include "sock_diag.hpp"

#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <string>

namespace bgt::os {

namespace {

std::optional<std::vector<Listener>> by_netlink()
{
    std::vector<Listener> found;
    const bool complete =
        each_tcp_socket(bit_of(TcpState::listen), 0, [&](const inet_diag_msg& message, auto) {
            found.push_back({ntohs(message.id.idiag_sport), message.idiag_inode});
        });
    return complete ? std::optional(std::move(found)) : std::nullopt;
}

std::vector<Listener> by_proc()
{
    std::vector<Listener> found;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
        if (!fd) continue;
        std::string text;
        std::array<char, 16 * 1024> buffer;
        for (auto got = read_some(fd.get(), buffer); !got.empty();
             got = read_some(fd.get(), buffer))
            text += got;
        const auto more = parse_proc_net(text);
        found.insert(found.end(), more.begin(), more.end());
    }
    return found;
}

/// The words of one line of /proc/net/tcp.
std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words;
    for (std::size_t at = line.find_first_not_of(' '); at != line.npos;
         at = line.find_first_not_of(' ', at)) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

template <class Number>
bool read_number(std::string_view text, int base, Number& out)
{
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

} // namespace

std::vector<Listener> parse_proc_net(std::string_view text)
{
    std::vector<Listener> found;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto words =
            words_of(line); // sl local remote st queues timer retransmits uid timeout inode
        if (words.size() < 10) continue;
        unsigned state = 0;
        Listener listener;
        const std::string_view local = words[1];
        const auto colon = local.rfind(':');
        if (colon == local.npos || !read_number(words[3], 16, state) ||
            state != static_cast<unsigned>(TcpState::listen))
            continue;
        if (read_number(local.substr(colon + 1), 16, listener.port) &&
            read_number(words[9], 10, listener.inode))
            found.push_back(listener);
    }
    return found;
}

std::vector<Listener> listeners()
{
    auto found = by_netlink();
    return found ? std::move(*found) : by_proc();
}

std::vector<std::uint16_t> ports_of(std::span<const std::int32_t> pids,
                                    const std::vector<Listener>& known)
{
    std::vector<std::uint16_t> ports;
    if (known.empty() || pids.empty()) return ports;
    std::unordered_map<std::uint64_t, std::uint16_t> port_of;
    for (const Listener& listener : known) port_of.emplace(listener.inode, listener.port);
    const ProcDir proc;
    for (const std::int32_t pid : pids) {
        const Fd folder = proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
        if (!folder) continue;
        for (const std::int32_t fd : numeric_entries(folder.get())) {
            const auto inode = socket_inode(folder.get(), fd);
            const auto found = inode ? port_of.find(*inode) : port_of.end();
            if (found != port_of.end()) ports.push_back(found->second);
        }
    }
    std::ranges::sort(ports);
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    return ports;
}

std::vector<std::int32_t> pids_listening_on(std::uint16_t port)
{
    std::vector<Listener> on_it = listeners();
    std::erase_if(on_it, [&](const Listener& one) { return one.port != port; });
    std::vector<std::int32_t> pids;
    if (on_it.empty()) return pids;
    for (const ProcStat& process : all_processes())
        if (!ports_of(std::span(&process.key.pid, 1), on_it).empty())
            pids.push_back(process.key.pid);
    return pids;
}

} // namespace bgt::os
