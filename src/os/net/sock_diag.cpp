#include "sock_diag.hpp"

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace bgt::os {

namespace {

using Bytes = std::span<const char>;
using Take = std::function<bool(Bytes)>;

enum class Part { more, done, failed };

/// Takes the messages of one datagram.
Part take_datagram(Bytes data, const Take& take)
{
    while (data.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header;
        std::memcpy(&header, data.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > data.size()) return Part::failed;
        if (header.nlmsg_type == NLMSG_DONE) return Part::done;
        if (header.nlmsg_type == NLMSG_ERROR) return Part::failed;
        if (!take(data.first(header.nlmsg_len).subspan(sizeof header))) return Part::failed;
        data = data.subspan(std::min<std::size_t>(data.size(), NLMSG_ALIGN(header.nlmsg_len)));
    }
    return Part::more;
}

bool ask(int netlink, Bytes body)
{
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
    header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    iovec parts[] = {{&header, sizeof header}, {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    return ::sendmsg(netlink, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(header.nlmsg_len);
}

bool dump_tcp(int netlink, int family, std::uint32_t states, std::uint8_t extensions,
              const OnSocket& on_socket)
{
    inet_diag_req_v2 body{};
    body.sdiag_family = static_cast<std::uint8_t>(family);
    body.sdiag_protocol = IPPROTO_TCP;
    body.idiag_ext = extensions;
    body.idiag_states = states;
    return dump_sockets(netlink, {reinterpret_cast<const char*>(&body), sizeof body},
                        [&](Bytes data) {
                            inet_diag_msg message;
                            if (data.size() < sizeof message) return true;
                            std::memcpy(&message, data.data(), sizeof message);
                            on_socket(message, data.subspan(sizeof message));
                            return true;
                        });
}

} // namespace

Fd open_sock_diag(Duration timeout)
{
    Fd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
    const timeval most{
        us / 1'000'000,
        us % 1'000'000}; // the kernel answers at once; a sandbox may swallow the question
    if (netlink) ::setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    return netlink;
}

bool dump_sockets(int netlink, Bytes body, const Take& take)
{
    if (!ask(netlink, body)) return false;
    std::vector<char> buffer(32 * 1024);
    for (;;) {
        const ssize_t got =
            retry_on_eintr([&] { return ::recv(netlink, buffer.data(), buffer.size(), 0); });
        if (got <= 0) return false;
        const Part part =
            take_datagram(std::span(buffer).first(static_cast<std::size_t>(got)), take);
        if (part != Part::more) return part == Part::done;
    }
}

void each_attribute(Bytes data, const std::function<void(unsigned, Bytes)>& take)
{
    while (data.size() >= sizeof(rtattr)) {
        rtattr attribute;
        std::memcpy(&attribute, data.data(), sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > data.size()) return;
        take(attribute.rta_type, data.first(attribute.rta_len).subspan(sizeof attribute));
        data = data.subspan(std::min<std::size_t>(data.size(), RTA_ALIGN(attribute.rta_len)));
    }
}

bool each_tcp_socket(std::uint32_t states, std::uint8_t extensions, const OnSocket& on_socket)
{
    const Fd netlink = open_sock_diag(std::chrono::seconds(1));
    if (!netlink || !dump_tcp(netlink.get(), AF_INET, states, extensions, on_socket)) return false;
    dump_tcp(netlink.get(), AF_INET6, states, extensions, on_socket); // refused where IPv6 is off
    return true;
}

std::optional<std::uint64_t> socket_inode(int folder, std::int32_t fd)
{
    std::array<char, 16> name{};
    std::to_chars(name.data(), name.data() + name.size() - 1, fd);
    std::array<char, 64> target;
    const ssize_t length = ::readlinkat(folder, name.data(), target.data(), target.size());
    if (length <= 0) return std::nullopt;
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    constexpr std::string_view prefix = "socket:[";
    if (!text.starts_with(prefix)) return std::nullopt;
    std::uint64_t inode = 0;
    const auto parsed =
        std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
    if (parsed.ec != std::errc{}) return std::nullopt;
    return inode;
}

} // namespace bgt::os
