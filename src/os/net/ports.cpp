#include <bgt/os/ports.hpp>

#include "sock_diag.hpp"

#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

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

std::string read_all(const Fd& fd)
{
    std::string text;
    std::array<char, 16 * 1024> buffer;
    for (auto got = read_some(fd.get(), buffer); !got.empty(); got = read_some(fd.get(), buffer))
        text += got;
    return text;
}

std::vector<Listener> by_proc()
{
    std::vector<Listener> found;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
        if (!fd) continue;
        const auto more = parse_proc_net(read_all(fd));
        found.insert(found.end(), more.begin(), more.end());
    }
    return found;
}

/// Inodes of listening sockets, and their ports.
using PortTable = std::unordered_map<std::uint64_t, std::uint16_t>;

PortTable table_of(const std::vector<Listener>& listeners)
{
    PortTable table;
    for (const Listener& listener : listeners) table.emplace(listener.inode, listener.port);
    return table;
}

/// The listening sockets of processes in other network namespaces (man 7 network_namespaces), read
/// once a namespace.
class OtherNamespaces {
public:
    explicit OtherNamespaces(const ProcDir& proc)
        : proc_(proc), own_(namespace_of(own_pid(), "net"))
    {}

    /// nullptr: the process is in the namespace of this one, or can't be looked at.
    const PortTable* of(std::int32_t pid)
    {
        const std::uint64_t its = namespace_of(pid, "net");
        if (its == own_ || its == 0 || own_ == 0) return nullptr;
        const auto [at, is_new] = tables_.try_emplace(its);
        if (!is_new) return &at->second;
        for (const char* name : {"net/tcp", "net/tcp6"})
            if (const Fd fd = proc_.open(pid, name, O_RDONLY))
                at->second.merge(table_of(parse_proc_net(read_all(fd))));
        return &at->second;
    }

private:
    const ProcDir& proc_;
    std::uint64_t own_;
    std::unordered_map<std::uint64_t, PortTable> tables_;
};

/// Calls `take` with the inode of each socket of the process that `table` knows, and its port.
template <class Take>
void each_port(const ProcDir& proc, std::int32_t pid, const PortTable& table, Take take)
{
    if (table.empty()) return;
    const Fd folder = proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
    if (!folder) return;
    for (const std::int32_t fd : numeric_entries(folder.get())) {
        const auto inode = socket_inode(folder.get(), fd);
        const auto found = inode ? table.find(*inode) : table.end();
        if (found != table.end()) take(found->first, found->second);
    }
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
    if (pids.empty()) return ports;
    const PortTable own = table_of(known);
    const ProcDir proc;
    OtherNamespaces others(proc);
    for (const std::int32_t pid : pids) {
        const PortTable* const other = others.of(pid);
        each_port(proc, pid, other != nullptr ? *other : own,
                  [&](std::uint64_t, std::uint16_t port) { ports.push_back(port); });
    }
    std::ranges::sort(ports);
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    return ports;
}

std::vector<std::uint16_t> listening_ports(std::span<const ProcStat> members)
{
    std::vector<std::int32_t> pids;
    for (const ProcStat& member : members) pids.push_back(member.key.pid);
    return ports_of(pids, listeners());
}

PortHolders holders_of(std::uint16_t port)
{
    PortHolders holders;
    std::vector<Listener> on_it = listeners();
    std::erase_if(on_it, [&](const Listener& one) { return one.port != port; });
    if (on_it.empty()) return holders;
    const PortTable table = table_of(on_it);
    std::set<std::uint64_t> seen;
    const ProcDir proc;
    for (const std::int32_t pid : proc.pids()) {
        bool holds = false;
        each_port(proc, pid, table, [&](std::uint64_t inode, std::uint16_t) {
            seen.insert(inode);
            holds = true;
        });
        if (holds) holders.pids.push_back(pid);
    }
    holders.all_seen = seen.size() == table.size();
    return holders;
}

} // namespace bgt::os
