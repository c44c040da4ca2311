#include <bgt/os/tcp_peer.hpp>

#include "sock_diag.hpp"

#include <array>
#include <cstring>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace bgt::os {

namespace {

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

using Get = int (*)(int, sockaddr*, socklen_t*);

bool get_address(int socket, Get get, Address& address)
{
    socklen_t size = sizeof address;
    return get(socket, &address.any, &size) == 0 &&
           (address.any.sa_family == AF_INET || address.any.sa_family == AF_INET6);
}

void put_address(const Address& address, __be16& port, __be32 (&bytes)[4])
{
    if (address.any.sa_family == AF_INET) {
        port = address.v4.sin_port;
        std::memcpy(bytes, &address.v4.sin_addr, sizeof address.v4.sin_addr);
    } else {
        port = address.v6.sin6_port;
        std::memcpy(bytes, &address.v6.sin6_addr, sizeof address.v6.sin6_addr);
    }
}

struct Question {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
};
struct Answer {
    nlmsghdr header{};
    inet_diag_msg body{};
};

} // namespace

std::optional<uid_t> tcp_peer_user(int socket)
{
    Address own{}, peer{};
    if (!get_address(socket, ::getsockname, own) || !get_address(socket, ::getpeername, peer))
        return std::nullopt;
    const Fd netlink = open_sock_diag(std::chrono::seconds(1));
    if (!netlink) return std::nullopt;
    Question question;
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST; // one socket: that of the other end
    question.body.sdiag_family = static_cast<std::uint8_t>(peer.any.sa_family);
    question.body.sdiag_protocol = IPPROTO_TCP;
    question.body.idiag_states = bit_of(TcpState::established);
    inet_diag_sockid& id = question.body.id;
    put_address(peer, id.idiag_sport, id.idiag_src);
    put_address(own, id.idiag_dport, id.idiag_dst);
    id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (::send(netlink.get(), &question, sizeof question, MSG_NOSIGNAL) !=
        static_cast<ssize_t>(sizeof question))
        return std::nullopt;
    std::array<char, 1024> bytes;
    const ssize_t got = ::recv(netlink.get(), bytes.data(), bytes.size(), 0);
    Answer answer;
    if (got < static_cast<ssize_t>(sizeof answer)) return std::nullopt;
    std::memcpy(&answer, bytes.data(), sizeof answer);
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
    return answer.body.idiag_uid;
}

} // namespace bgt::os
