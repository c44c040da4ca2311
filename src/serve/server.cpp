#include <bgt/serve/server.hpp>

#include "connection.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/random.hpp>
#include <bgt/os/tcp_peer.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/render/json_text.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::serve {

namespace {

namespace json = boost::json;

constexpr std::size_t max_connections = 64;
constexpr std::size_t token_bytes = 32;

/// Others than the user whose tasks they are: they may reach the path of a socket, and every port.
/// Of a port it is not always known; there the token decides alone.
bool is_other_user(int socket, bool is_unix)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (is_unix) {
        if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return true;
    } else {
        const auto user = os::tcp_peer_user(socket);
        if (!user) return false;
        peer.uid = *user;
    }
    return peer.uid != ::geteuid() && peer.uid != 0;
}

Result<std::string> make_secret()
{
    std::array<unsigned char, token_bytes> bytes{};
    if (!os::fill_random(bytes.data(), bytes.size()))
        return Error::system("making a token (getrandom)", errno);
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

class Loop {
public:
    Loop(const Server& server, os::Watch watch) : server_(server), watch_(std::move(watch)) {}

    Result<int> run(const HeldSignals& signals)
    {
        watch_.add_fd(signals.fd());
        for (const Listener& one : server_.listeners) watch_.add_fd(one.socket.get());
        for (;;) {
            BGT_TRY_ASSIGN(const os::Watch::Wake wake, watch_.wait(std::nullopt));
            for (int signal = signals.take(); signal != 0; signal = signals.take())
                if (signal != SIGCHLD) return signal;
            reap();
            for (const Listener& one : server_.listeners)
                if (std::ranges::find(wake.fds, one.socket.get()) != wake.fds.end()) accept(one);
        }
    }

    /// The connections end. What waits in queues and was to end with this server is taken out; the
    /// rest sees its end.
    void say_goodbye()
    {
        for (const pid_t helper : helpers_) os::kill_child(helper);
        api::cancel_own_waiting(server_.root, server_.caller);
    }

private:
    void reap()
    {
        for (const os::Reaped& one : os::reap_all().reaped) std::erase(helpers_, one.pid);
    }

    void accept(const Listener& listener)
    {
        for (;;) {
            Fd socket(retry_on_eintr([&] {
                return ::accept4(listener.socket.get(), nullptr, nullptr,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);
            }));
            if (!socket) return;
            reap();
            if (is_other_user(socket.get(), !listener.socket_path.empty()))
                turn_away(socket.get(), problem(403, "this is the server of another user"));
            else if (helpers_.size() >= max_connections)
                turn_away(socket.get(), problem(503, "64 connections are open already"));
            else start(listener, std::move(socket));
        }
    }

    static void turn_away(int socket, const Response& response)
    {
        const std::string bytes = to_bytes(response, false);
        (void)::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)::shutdown(socket, SHUT_WR);
    }

    void start(const Listener& listener, Fd socket)
    {
        const int raw = socket.get();
        std::vector<int> kept{raw};
        if (server_.invitation.once) kept.push_back(server_.invitation.once.get());
        const auto forked = os::fork_helper(kept, false, [&] {
            try {
                converse(server_, listener, std::move(socket));
            } catch (const std::exception&) {
                return 1; // no memory: the connection ends
            }
            return 0;
        });
        if (forked) helpers_.push_back(*forked);
        else turn_away(raw, problem(503, forked.error().message));
    }

    const Server& server_;
    os::Watch watch_;
    std::vector<pid_t> helpers_;
};

} // namespace

Result<Tokens> make_tokens(Scopes scopes)
{
    Tokens out;
    for (std::string& token : out) {
        BGT_TRY_ASSIGN(token, make_secret());
        if (scopes == Scopes::read_only) break;
    }
    return out;
}

Result<Invitation> make_invitation()
{
    Invitation out;
    BGT_TRY_ASSIGN(out.code, make_secret());
    BGT_TRY_ASSIGN(Pipe once, make_pipe("a pipe", O_NONBLOCK));
    if (!write_packet(once.writer.get(), "1")) return Error::system("a pipe", errno);
    out.once = std::move(once.reader);
    return out;
}

std::string description(const Server& server)
{
    json::array addresses;
    for (const Listener& one : server.listeners) addresses.emplace_back(one.address);
    json::object tokens;
    for (std::size_t i = 0; i < server.tokens.size(); ++i)
        if (!server.tokens[i].empty())
            tokens[scope_word(static_cast<api::Access>(i))] = server.tokens[i];
    return render::json_text(json::object{{"schema", 1},
                                          {"pid", ::getpid()},
                                          {"listen", std::move(addresses)},
                                          {"tokens", std::move(tokens)}}) +
           "\n";
}

HeldSignals held_signals()
{
    return HeldSignals{SIGINT, SIGTERM, SIGHUP, SIGCHLD};
}

Result<int> serve(const Server& server, const HeldSignals& signals)
{
    if (signals.fd() < 0) return Error::failed("can't watch for signals");
    std::signal(SIGPIPE, SIG_IGN);
    BGT_TRY_ASSIGN(os::Watch watch, os::Watch::create());
    Loop loop(server, std::move(watch));
    const auto done = loop.run(signals);
    loop.say_goodbye();
    for (const Listener& one : server.listeners)
        if (!one.socket_path.empty()) (void)::unlink(one.socket_path.c_str());
    return done;
}

} // namespace bgt::serve
