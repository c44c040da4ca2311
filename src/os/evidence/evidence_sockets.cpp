// The sockets of the tree, by sock_diag (man 7 sock_diag).
#include "evidence.hpp"
#include "net/sock_diag.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>

namespace bgt::os::detail {

namespace {

using core::SocketEvidence;
using Bytes = std::span<const char>;

/// States of TCP (include/net/tcp_states.h, not among the user headers), also of UDP and local
/// sockets.
constexpr std::array<const char*, 13> states{
    "",       "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",  "TIME-WAIT",
    "CLOSED", "CLOSE-WAIT",  "LAST-ACK", "LISTEN",       "CLOSING",    "SYN-RECEIVED"};
constexpr std::size_t established = 1;
constexpr auto timeout = std::chrono::milliseconds(200);

template <class T>
bool load(Bytes data, T& out)
{
    if (data.size() < sizeof out) return false;
    std::memcpy(&out, data.data(), sizeof out);
    return true;
}

std::string address_text(int family, const std::uint32_t (&address)[4], std::uint16_t port)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_ntop(family, address, text.data(), text.size()) == nullptr) return {};
    return family == AF_INET6 ? fmt::format("[{}]:{}", text.data(), ntohs(port))
                              : fmt::format("{}:{}", text.data(), ntohs(port));
}

using Places = std::unordered_map<std::uint64_t, std::size_t>; ///< inode -> place among the sockets

void take_inet(Bytes data, int protocol, const Places& places, std::vector<SocketEvidence>& sockets)
{
    inet_diag_msg message;
    if (!load(data, message)) return;
    const auto place = places.find(message.idiag_inode);
    if (message.idiag_inode == 0 || place == places.end()) return;
    SocketEvidence& socket = sockets[place->second];
    socket.kind = protocol == IPPROTO_TCP ? "tcp" : "udp";
    socket.local = address_text(message.idiag_family, message.id.idiag_src, message.id.idiag_sport);
    if (message.id.idiag_dport != 0)
        socket.peer =
            address_text(message.idiag_family, message.id.idiag_dst, message.id.idiag_dport);
    if (message.idiag_state < states.size()) socket.state = states[message.idiag_state];
    socket.receive_queue = message.idiag_rqueue;
    socket.send_queue = message.idiag_wqueue;
    if (protocol != IPPROTO_TCP || message.idiag_state != established) return;
    each_attribute(data.subspan(sizeof message + (NLMSG_ALIGN(sizeof message) - sizeof message)),
                   [&](unsigned type, Bytes value) {
                       tcp_info info{};
                       if (type != INET_DIAG_INFO) return;
                       std::memcpy(&info, value.data(), std::min(value.size(), sizeof info));
                       socket.received_ago = std::chrono::milliseconds(info.tcpi_last_data_recv);
                       socket.received = info.tcpi_bytes_received;
                   });
}

struct UnixSocket {
    std::string name;
    std::uint32_t peer = 0;
    unsigned state = 0;
    std::uint32_t queued = 0;
};

void take_unix(Bytes data, std::unordered_map<std::uint32_t, UnixSocket>& found)
{
    unix_diag_msg message;
    if (!load(data, message)) return;
    UnixSocket socket;
    socket.state = message.udiag_state;
    each_attribute(data.subspan(sizeof message), [&](unsigned type, Bytes value) {
        unix_diag_rqlen queue{};
        if (type == UNIX_DIAG_NAME && !value.empty()) {
            socket.name.assign(value.data(), value.size());
            if (socket.name.front() == '\0')
                socket.name.front() = '@'; // an abstract name, as ss(8) writes it
            while (!socket.name.empty() && socket.name.back() == '\0') socket.name.pop_back();
        } else if (type == UNIX_DIAG_PEER) {
            load(value, socket.peer);
        } else if (type == UNIX_DIAG_RQLEN && load(value, queue)) {
            socket.queued = queue.udiag_rqueue;
        }
    });
    found.emplace(message.udiag_ino, std::move(socket));
}

/// Until the time is over.
template <class Body>
void dump(Gathering& gathering, int netlink, const Body& body,
          const std::function<void(Bytes)>& take)
{
    if (gathering.is_late()) return;
    static_cast<void>(
        dump_sockets(netlink, {reinterpret_cast<const char*>(&body), sizeof body}, [&](Bytes data) {
            take(data);
            return !gathering.is_late();
        }));
}

void ask_inet(Gathering& gathering, int netlink, const Places& places)
{
    for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP})
        for (const int family : {AF_INET, AF_INET6}) {
            inet_diag_req_v2 body{};
            body.sdiag_family = static_cast<std::uint8_t>(family);
            body.sdiag_protocol = static_cast<std::uint8_t>(protocol);
            body.idiag_ext = 1u << (INET_DIAG_INFO - 1);
            body.idiag_states = ~0u;
            dump(gathering, netlink, body,
                 [&](Bytes data) { take_inet(data, protocol, places, gathering.found.sockets); });
        }
}

void ask_unix(Gathering& gathering, int netlink, const Places& places)
{
    unix_diag_req body{};
    body.sdiag_family = AF_UNIX;
    body.udiag_states = ~0u;
    body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;
    std::unordered_map<std::uint32_t, UnixSocket> known;
    dump(gathering, netlink, body, [&](Bytes data) { take_unix(data, known); });
    for (const auto& [inode, at] : places) {
        SocketEvidence& socket = gathering.found.sockets[at];
        const auto mine = known.find(static_cast<std::uint32_t>(inode));
        if (!socket.kind.empty() || mine == known.end()) continue;
        socket.kind = "unix";
        socket.local = shown_text(mine->second.name);
        socket.state = mine->second.state < states.size() ? states[mine->second.state] : "";
        socket.receive_queue = mine->second.state == 10 ? 0 : mine->second.queued;
        if (mine->second.peer == 0) continue;
        // For gather_ends, which puts the holder's name here.
        socket.peer_comm = fmt::format("socket:[{}]", mine->second.peer);
        if (const auto peer = known.find(mine->second.peer); peer != known.end())
            socket.peer = shown_text(peer->second.name);
    }
}

/// The sockets of the shown processes: first those for which a thread waits.
Places collect(Gathering& gathering)
{
    auto& sockets = gathering.found.sockets;
    Places places;
    const auto add = [&](std::int32_t pid, std::int32_t fd, std::uint64_t inode) {
        if (inode == 0 || places.contains(inode)) return;
        places.emplace(inode, sockets.size());
        sockets.push_back({pid, fd, inode, {}, {}, {}, {}, 0, 0, {}, 0, {}});
    };
    for (const auto& process : gathering.found.processes)
        for (const auto& thread : process.threads)
            for (const auto& handle : thread.handles)
                if (handle.kind == core::HandleKind::socket)
                    add(process.pid, handle.fd, handle.inode);
    for (const auto& process : gathering.found.processes) {
        if (gathering.is_late()) break;
        for (const std::int32_t fd : descriptors_of(gathering.proc, process.pid))
            if (places.size() < 4096)
                add(process.pid, fd,
                    number_in_link(link_of(gathering.proc, process.pid, fd), "socket"));
    }
    return places;
}

} // namespace

void gather_sockets(Gathering& gathering)
{
    const Places places = collect(gathering);
    if (places.empty()) return;
    const Fd netlink = open_sock_diag(timeout);
    if (netlink) ask_inet(gathering, netlink.get(), places);
    if (netlink) ask_unix(gathering, netlink.get(), places);
    auto& sockets = gathering.found.sockets;
    std::erase_if(sockets, [](const SocketEvidence& socket) { return socket.kind.empty(); });
    if (sockets.size() <= core::max_sockets_shown) return;
    std::stable_partition(sockets.begin() + core::max_sockets_shown / 2, sockets.end(),
                          [](const SocketEvidence& socket) { return socket.state == "LISTEN"; });
    sockets.resize(core::max_sockets_shown);
}

} // namespace bgt::os::detail
