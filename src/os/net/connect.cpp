#include <bgt/os/probe.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <list>

namespace bgt::os {

namespace {

using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

/// A client on an ephemeral port that nobody listens on can connect to itself (TCP's simultaneous
/// open).
bool is_to_itself(const tcp::socket& socket)
{
    ErrorCode local_error, remote_error;
    const auto local = socket.local_endpoint(local_error);
    const auto remote = socket.remote_endpoint(remote_error);
    return local_error || remote_error || local == remote;
}

} // namespace

bool tcp_connects(const std::vector<std::string>& addresses, std::uint16_t port, Duration timeout)
try {
    boost::asio::io_context context(1);
    std::list<tcp::socket> sockets;
    bool connected = false;
    for (const std::string& text :
         addresses) { // all at once: one that swallows packets must not hold up the others
        ErrorCode error;
        const auto address = boost::asio::ip::make_address(text, error);
        if (error) continue;
        tcp::socket& socket = sockets.emplace_back(context);
        socket.async_connect({address, port}, [&](const ErrorCode& failed) {
            if (failed || is_to_itself(socket)) return;
            connected = true;
            context.stop();
        });
    }
    context.run_for(timeout);
    return connected;
} catch (const std::exception&) { // no descriptor to be had: not connected
    return false;
}

} // namespace bgt::os
