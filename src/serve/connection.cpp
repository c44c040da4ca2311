#include "connection.hpp"

#include "handlers.hpp"
#include "page.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/tcp_peer.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::serve {

namespace {

constexpr std::chrono::seconds header_time(10);
constexpr std::chrono::seconds body_time(30);
constexpr std::chrono::seconds idle_time(30);  ///< between two requests of a connection
constexpr std::chrono::seconds write_time(30); ///< without one byte being taken
constexpr std::chrono::milliseconds close_time(500);
constexpr std::size_t block = 16 * 1024;
constexpr std::size_t max_unread = 2 * max_body; ///< thrown away after a refusal

/// False: the time is over, or the descriptor is bad.
bool await(int fd, short events, Instant deadline)
{
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - os::now()).count();
        if (left <= 0) return false;
        pollfd one{fd, events, 0};
        const int n = ::poll(&one, 1, static_cast<int>(left));
        if (n > 0) return (one.revents & POLLNVAL) == 0;
        if (n < 0 && errno != EINTR) return false;
    }
}

class Conversation {
public:
    Conversation(const Server& server, const Listener& listener, Wire wire)
        : server_(server), listener_(listener), wire_(std::move(wire))
    {}

    void run()
    {
        Duration first = header_time;
        while (read_header(first) && answer_one()) {
            (void)reader_.next();
            first = idle_time;
        }
        close();
    }

private:
    /// `first_byte_timeout` is for its first byte.
    bool read_header(Duration first_byte_timeout)
    {
        if (!reader_.has_begun()) (void)reader_.feed(wire_.read(os::now() + first_byte_timeout));
        return reader_.has_begun() &&
               read_while(RequestReader::State::header, os::now() + header_time,
                          "the headers did not come within 10 s");
    }

    bool read_body()
    {
        const Instant deadline = os::now() + body_time;
        if (reader_.state() == RequestReader::State::body &&
            reader_.request().header("expect") == "100-continue" &&
            !wire_.write("HTTP/1.1 100 Continue\r\n\r\n"))
            return false;
        return read_while(RequestReader::State::body, deadline,
                          "the body did not come within 30 s");
    }

    /// False: it has not come by then, and `late` was answered, or it is wrong, or nobody is there.
    bool read_while(RequestReader::State part, Instant deadline, std::string_view late)
    {
        while (reader_.state() == part) {
            const std::string bytes = wire_.read(deadline);
            if (bytes.empty()) {
                if (os::now() >= deadline) refuse(problem(408, late));
                return false;
            }
            (void)reader_.feed(bytes);
        }
        if (reader_.state() == RequestReader::State::wrong) refuse(reader_.refusal());
        return reader_.state() != RequestReader::State::wrong;
    }

    /// Nothing of a request is looked at before the gate has let it through, and its body is read
    /// only from those who have the right token. True: another request may follow.
    bool answer_one()
    {
        const Request& request = reader_.request();
        if (const auto refused = refuse_foreign(request, listener_.gate)) return refuse(*refused);
        const auto found = route_of(request);
        if (const auto* refused = std::get_if<Response>(&found)) return refuse(*refused);
        const Route& route = std::get<Route>(found);
        const bool is_open = route.kind == Route::Kind::page || route.kind == Route::Kind::token;
        if (!is_open)
            if (const auto refused = refuse_access(request, route)) return refuse(*refused);
        if (request.method == "POST")
            if (const auto refused = refuse_body_type(request)) return refuse(*refused);
        return read_body() && answer_route(route);
    }

    std::optional<Response> refuse_access(const Request& request, const Route& route)
    {
        access_ = access_of(request, server_.tokens);
        if (!access_) {
            Response out = problem(401, "send the token of this server: Authorization: Bearer ...");
            out.more.emplace_back("WWW-Authenticate", "Bearer");
            return out;
        }
        if (*access_ >= route.needs) return std::nullopt;
        return problem(403,
                       "this token does not allow that: it is for reading" +
                           std::string(*access_ == api::Access::control ? " and control" : ""));
    }

    bool answer_route(const Route& route)
    {
        const Request& request = reader_.request();
        if (route.kind == Route::Kind::log)
            return stream_log(server_, route, request, wire_), false;
        if (route.kind == Route::Kind::events)
            return stream_events(server_, route, request, wire_), false;
        if (route.kind == Route::Kind::mcp) return answer_mcp(server_, request, *access_, wire_);
        Response response;
        if (route.kind == Route::Kind::page) {
            const PageFile& file = *page_file(route.path);
            response.type = file.type;
            response.body = file.content;
        } else if (route.kind == Route::Kind::token) response = give_token(request);
        else response = answer(server_, route, request, *access_, wire_.fd());
        return wire_.write(to_bytes(response, request.keep_alive)) && request.keep_alive;
    }

    /// For the code of the invitation, once, and only to a program of this user.
    Response give_token(const Request& request)
    {
        const Invitation& invitation = server_.invitation;
        char byte = 0;
        const bool is_known =
            !invitation.code.empty() && equal_in_constant_time(bearer_of(request), invitation.code);
        if (!is_known || os::tcp_peer_user(wire_.fd()) != ::geteuid() ||
            ::read(invitation.once.get(), &byte, 1) != 1)
            return problem(401, "this is no code of an invitation, or it has been used");
        return {.body = "{\"token\":\"" + strongest(server_.tokens) + "\"}\n"};
    }

    /// The connection ends with it: what comes after it is not to be taken for a request.
    bool refuse(const Response& response)
    {
        (void)wire_.write(to_bytes(response, false));
        return false;
    }

    /// What the client still sends is read for a moment, or it would lose the answer by a reset.
    void close()
    {
        (void)::shutdown(wire_.fd(), SHUT_WR);
        const Instant deadline = os::now() + close_time;
        std::size_t unread = 0;
        for (std::string bytes = wire_.read(deadline); !bytes.empty() && unread < max_unread;
             bytes = wire_.read(deadline))
            unread += bytes.size();
    }

    const Server& server_;
    const Listener& listener_;
    Wire wire_;
    RequestReader reader_;
    std::optional<api::Access> access_;
};

} // namespace

bool Wire::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t n = retry_on_eintr(
            [&] { return ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
        if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
        else if (n == 0 || errno != EAGAIN || !await(fd(), POLLOUT, os::now() + write_time))
            return false;
    }
    return true;
}

std::string Wire::read(Instant deadline)
{
    std::string out(block, '\0');
    for (;;) {
        const ssize_t n =
            retry_on_eintr([&] { return ::recv(fd(), out.data(), out.size(), MSG_DONTWAIT); });
        if (n < 0 && errno == EAGAIN && await(fd(), POLLIN, deadline)) continue;
        out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return out;
    }
}

void converse(const Server& server, const Listener& listener, Fd socket)
{
    Conversation(server, listener, Wire(std::move(socket))).run();
}

} // namespace bgt::serve
