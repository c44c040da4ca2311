#include <bgt/os/sample.hpp>

#include "net/sock_diag.hpp"

#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/tcp.h>
#include <unordered_set>

namespace bgt::os {

namespace {

std::uint64_t number_at(std::span<const char> data, std::size_t offset)
{
    std::uint64_t value = 0; // an older kernel's tcp_info is shorter
    if (data.size() >= offset + sizeof value)
        std::memcpy(&value, data.data() + offset, sizeof value);
    return value;
}

/// tcpi_bytes_acked + tcpi_bytes_received of the attribute INET_DIAG_INFO; 0 where there is none.
std::uint64_t bytes_of(std::span<const char> attributes)
{
    std::uint64_t bytes = 0;
    each_attribute(attributes, [&](unsigned type, std::span<const char> info) {
        if (type == INET_DIAG_INFO)
            bytes = number_at(info, offsetof(tcp_info, tcpi_bytes_acked)) +
                    number_at(info, offsetof(tcp_info, tcpi_bytes_received));
    });
    return bytes;
}

std::unordered_set<std::uint64_t> inodes_of(std::span<const ProcStat> members)
{
    std::unordered_set<std::uint64_t> inodes;
    const ProcDir proc;
    for (const ProcStat& member : members) {
        const Fd folder = proc.open(member.key.pid, "fd", O_RDONLY | O_DIRECTORY);
        if (!folder) continue;
        for (const std::int32_t fd : numeric_entries(folder.get()))
            if (const auto inode = socket_inode(folder.get(), fd)) inodes.insert(*inode);
    }
    return inodes;
}

} // namespace

void add_sockets(core::Sample& sample, std::span<const ProcStat> members)
{
    sample.sockets.clear();
    sample.sockets_known = true;
    auto inodes = inodes_of(members);
    if (inodes.empty()) return; // most trees: no dump of all the machine's sockets for them
    const std::uint32_t without_traffic =
        bit_of(TcpState::listen) | bit_of(TcpState::time_wait) | bit_of(TcpState::new_request);
    const auto take = [&](const inet_diag_msg& message, std::span<const char> attributes) {
        if (inodes.erase(message.idiag_inode) != 0)
            sample.sockets.push_back({message.idiag_inode, bytes_of(attributes)});
    };
    sample.sockets_known =
        each_tcp_socket(0xffff & ~without_traffic, 1u << (INET_DIAG_INFO - 1), take);
    if (!sample.sockets_known) sample.sockets.clear();
}

} // namespace bgt::os
