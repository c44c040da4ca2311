#pragma once
#include <bgt/os/proc.hpp>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bgt::os {

/// A listening TCP socket (or a bound, unconnected UDP one is NOT counted) of this network
/// namespace.
struct Listener {
    std::uint16_t port = 0;
    std::uint64_t inode = 0;
};

/// All listening TCP sockets, v4 and v6, by sock_diag (man 7 sock_diag); from /proc/net/tcp and
/// tcp6 where netlink is not to be had.
std::vector<Listener> listeners();

/// The listening rows of the text of /proc/net/tcp or tcp6 (man 5 proc); rows of another form are
/// left out.
std::vector<Listener> parse_proc_net(std::string_view text);

/// The ports on which one of these processes listens, ascending, each once. `known` is a
/// listeners() taken before, so that many trees share one dump; those of a process in another
/// network namespace are read in that one. Processes whose descriptors may not be read count as
/// none.
std::vector<std::uint16_t> ports_of(std::span<const std::int32_t> pids,
                                    const std::vector<Listener>& known);

/// The same of these processes, with a listeners() taken now.
std::vector<std::uint16_t> listening_ports(std::span<const ProcStat> members);

struct PortHolders {
    std::vector<std::int32_t> pids; ///< ascending
    bool all_seen = true; ///< false: there is a listener of a process that may not be looked at
};

/// The processes that listen on this TCP port of this network namespace. Cost: the descriptors of
/// every process are read.
PortHolders holders_of(std::uint16_t port);

} // namespace bgt::os
