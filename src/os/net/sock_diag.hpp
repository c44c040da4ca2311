#pragma once
/// The TCP sockets of this network namespace, by netlink (man 7 sock_diag), and whose they are.
#include <bgt/base/fd.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <functional>
#include <linux/inet_diag.h>
#include <optional>
#include <span>

namespace bgt::os {

/// States of include/net/tcp_states.h; the user headers have them only together with those of
/// netinet/tcp.h.
enum class TcpState : unsigned { established = 1, time_wait = 6, listen = 10, new_request = 12 };

constexpr std::uint32_t bit_of(TcpState state)
{
    return 1u << static_cast<unsigned>(state);
}

/// A netlink socket for dump_sockets; none where a sandbox refuses. No answer for `timeout` counts
/// as a refusal.
Fd open_sock_diag(Duration timeout);

/// One question (`body`: inet_diag_req_v2 or unix_diag_req) about all sockets. `take` gets the body
/// of each message with its attributes; false from it ends the dump, and leaves the netlink socket
/// unfit for another. False: the kernel refuses, or the dump was ended.
bool dump_sockets(int netlink, std::span<const char> body,
                  const std::function<bool(std::span<const char>)>& take);

/// The attributes behind a message (man 7 rtnetlink).
void each_attribute(std::span<const char>,
                    const std::function<void(unsigned type, std::span<const char>)>&);

/// Gets each socket, and the attributes that follow its message.
using OnSocket = std::function<void(const inet_diag_msg&, std::span<const char> attributes)>;

/// Goes through the sockets, v4 and v6, in one of these states (bits). `extensions`: bits of the
/// attributes asked for (INET_DIAG_INFO is bit INET_DIAG_INFO - 1). False: the kernel or a sandbox
/// refuses; some may have been given out.
bool each_tcp_socket(std::uint32_t states, std::uint8_t extensions, const OnSocket&);

/// The inode of a socket that is entry `fd` of an open /proc/PID/fd; nullopt: no socket, or not to
/// be read.
std::optional<std::uint64_t> socket_inode(int folder, std::int32_t fd);

} // namespace bgt::os
