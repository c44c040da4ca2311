#include "sock_diag.hpp"

#include <bgt/base/fd.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

namespace bgt::os {

namespace {

struct Request {
    nlmsghdr header;
    inet_diag_req_v2 body;
};

bool ask(int socket, int family, std::uint32_t states, std::uint8_t extensions)
{
    Request request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = static_cast<std::uint8_t>(family);
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_ext = extensions;
    request.body.idiag_states = states;
    return ::send(socket, &request, sizeof request, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof request);
}

enum class Part { more, done, failed };

/// Takes the messages of one datagram.
Part take(std::span<const char> data, const OnSocket& on_socket)
{
    while (data.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header;
        std::memcpy(&header, data.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > data.size()) return Part::failed;
        if (header.nlmsg_type == NLMSG_DONE) return Part::done;
        if (header.nlmsg_type == NLMSG_ERROR) return Part::failed;
        inet_diag_msg message;
        if (header.nlmsg_len >= sizeof header + sizeof message) {
            std::memcpy(&message, data.data() + sizeof header, sizeof message);
            on_socket(message, data.first(header.nlmsg_len).subspan(sizeof header + sizeof message));
        }
        data = data.subspan(std::min<std::size_t>(data.size(), NLMSG_ALIGN(header.nlmsg_len)));
    }
    return Part::more;
}

/// All sockets of one family; false where the kernel or a sandbox refuses.
bool dump(int socket, int family, std::uint32_t states, std::uint8_t extensions, const OnSocket& on_socket)
{
    if (!ask(socket, family, states, extensions)) return false;
    std::vector<char> buffer(32 * 1024);
    for (;;) {
        const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        switch (take(std::span(buffer).first(static_cast<std::size_t>(got)), on_socket)) {
        case Part::more: break;
        case Part::done: return true;
        case Part::failed: return false;
        }
    }
}

} // namespace

bool each_tcp_socket(std::uint32_t states, std::uint8_t extensions, const OnSocket& on_socket)
{
    const Fd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) return false;
    const timeval patience{1, 0}; // the kernel answers at once; a sandbox may swallow the question
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!dump(socket.get(), AF_INET, states, extensions, on_socket)) return false;
    dump(socket.get(), AF_INET6, states, extensions, on_socket); // refused where IPv6 is off
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
    const auto parsed = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
    if (parsed.ec != std::errc{}) return std::nullopt;
    return inode;
}

} // namespace bgt::os
