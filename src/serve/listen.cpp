#include <bgt/serve/server.hpp>

#include "route.hpp"
#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/unix_address.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace bgt::serve {

namespace {

constexpr int backlog = 64;
constexpr std::string_view v4_prefix = "127.0.0.1:";
constexpr std::string_view v6_prefix = "[::1]:";
constexpr std::string_view unix_prefix = "unix:";

Error in_use(const std::string& address, int err)
{
    return Error::system("can't listen at " + printable(address), err);
}

Result<Fd> open_socket(int family)
{
    Fd out(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!out) return Error::system("can't make a socket", errno);
    return out;
}

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

Result<Listener> listen_tcp(const std::string& text, bool v6, std::uint16_t port)
{
    Address address{};
    socklen_t size = v6 ? sizeof address.v6 : sizeof address.v4;
    if (v6) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        address.v6.sin6_addr = in6addr_loopback;
    } else {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    Listener out;
    BGT_TRY_ASSIGN(out.socket, open_socket(address.any.sa_family));
    const int on = 1; // a port of which connections linger can be used again
    (void)::setsockopt(out.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(out.socket.get(), &address.any, size) != 0 ||
        ::listen(out.socket.get(), backlog) != 0 ||
        ::getsockname(out.socket.get(), &address.any, &size) != 0)
        return in_use(text, errno);
    const unsigned got = ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port);
    out.gate.host = fmt::format("{}{}", v6 ? v6_prefix : v4_prefix, got);
    out.address = out.gate.origin();
    return out;
}

/// A socket that a killed server has left makes room.
void clear_stale(const std::string& path)
{
    struct stat seen {};
    if (::lstat(path.c_str(), &seen) == 0 && S_ISSOCK(seen.st_mode) && !os::unix_connects(path))
        (void)::unlink(path.c_str());
}

Result<Listener> listen_unix(const std::string& text, const std::string& path)
{
    if (!path.starts_with('/'))
        return Error::usage("--listen " + fit(printable(text), 60) + ": give an absolute path");
    BGT_TRY_ASSIGN(const os::UnixAddress address, os::unix_address(path));
    Listener out;
    BGT_TRY_ASSIGN(out.socket, open_socket(AF_UNIX));
    clear_stale(path);
    {
        const PrivateUmask umask;
        if (::bind(out.socket.get(), address.get(), address.length) != 0)
            return in_use(text, errno);
    }
    if (::listen(out.socket.get(), backlog) != 0) return in_use(text, errno);
    out.gate.host = "localhost";
    out.address = text;
    out.socket_path = path;
    return out;
}

} // namespace

Result<Listener> listen_at(const std::string& text)
{
    if (text.starts_with(unix_prefix)) return listen_unix(text, text.substr(unix_prefix.size()));
    for (const std::string_view prefix : {v4_prefix, v6_prefix}) {
        if (!text.starts_with(prefix)) continue;
        if (const auto port = number_of(std::string_view(text).substr(prefix.size()), 65535))
            return listen_tcp(text, prefix == v6_prefix, static_cast<std::uint16_t>(*port));
    }
    return Error::usage("--listen " + fit(printable(text), 60) +
                        ": expected 127.0.0.1:PORT, [::1]:PORT or unix:PATH; other machines reach "
                        "it through ssh -L");
}

} // namespace bgt::serve
