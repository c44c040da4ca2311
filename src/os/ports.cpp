#include <bgt/os/ports.hpp>

#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace bgt::os {

namespace {

constexpr unsigned tcp_listen = 10; ///< TCP_LISTEN of include/net/tcp_states.h, not in the user headers

struct Request {
    nlmsghdr header;
    inet_diag_req_v2 body;
};

bool ask(int socket, int family)
{
    Request request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = static_cast<std::uint8_t>(family);
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = 1u << tcp_listen;
    return ::send(socket, &request, sizeof request, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof request);
}

enum class Part { more, done, failed };

/// Takes the messages of one datagram.
Part take(std::span<const char> data, std::vector<Listener>& out)
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
            out.push_back({ntohs(message.id.idiag_sport), message.idiag_inode});
        }
        data = data.subspan(std::min<std::size_t>(data.size(), NLMSG_ALIGN(header.nlmsg_len)));
    }
    return Part::more;
}

/// All listeners of one family; nullopt where the kernel or a sandbox refuses.
std::optional<std::vector<Listener>> dump(int socket, int family)
{
    if (!ask(socket, family)) return std::nullopt;
    std::vector<Listener> found;
    std::vector<char> buffer(32 * 1024);
    for (;;) {
        const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        switch (take(std::span(buffer).first(static_cast<std::size_t>(got)), found)) {
        case Part::more: break;
        case Part::done: return found;
        case Part::failed: return std::nullopt;
        }
    }
}

std::optional<std::vector<Listener>> by_netlink()
{
    const Fd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) return std::nullopt;
    const timeval patience{1, 0}; // the kernel answers at once; a sandbox may swallow the question
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    auto v4 = dump(socket.get(), AF_INET);
    if (!v4) return std::nullopt;
    if (const auto v6 = dump(socket.get(), AF_INET6)) // refused where IPv6 is off
        v4->insert(v4->end(), v6->begin(), v6->end());
    return v4;
}

std::vector<Listener> by_proc()
{
    std::vector<Listener> found;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
        if (!fd) continue;
        std::string text;
        std::array<char, 16 * 1024> buffer;
        for (auto got = read_some(fd.get(), buffer); !got.empty(); got = read_some(fd.get(), buffer)) text += got;
        const auto more = parse_proc_net(text);
        found.insert(found.end(), more.begin(), more.end());
    }
    return found;
}

/// The number in "socket:[12345]".
std::optional<std::uint64_t> socket_inode(int folder, std::int32_t fd)
{
    std::array<char, 64> target;
    const ssize_t length = ::readlinkat(folder, std::to_string(fd).c_str(), target.data(), target.size());
    if (length <= 0) return std::nullopt;
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    constexpr std::string_view prefix = "socket:[";
    if (!text.starts_with(prefix)) return std::nullopt;
    std::uint64_t inode = 0;
    const auto parsed = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
    if (parsed.ec != std::errc{}) return std::nullopt;
    return inode;
}

/// The words of one line of /proc/net/tcp.
std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words;
    for (std::size_t at = line.find_first_not_of(' '); at != line.npos; at = line.find_first_not_of(' ', at)) {
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
        const auto words = words_of(line); // sl local remote st queues timer retransmits uid timeout inode
        if (words.size() < 10) continue;
        unsigned state = 0;
        Listener listener;
        const std::string_view local = words[1];
        const auto colon = local.rfind(':');
        if (colon == local.npos || !read_number(words[3], 16, state) || state != tcp_listen) continue;
        if (read_number(local.substr(colon + 1), 16, listener.port) && read_number(words[9], 10, listener.inode))
            found.push_back(listener);
    }
    return found;
}

std::vector<Listener> listeners()
{
    auto found = by_netlink();
    return found ? std::move(*found) : by_proc();
}

std::vector<std::uint16_t> ports_of(std::span<const std::int32_t> pids, const std::vector<Listener>& known)
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
    ports.erase(std::ranges::unique(ports).begin(), ports.end());
    return ports;
}

} // namespace bgt::os
