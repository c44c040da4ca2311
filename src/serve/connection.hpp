#pragma once
/// One connection, in a process of its own: reads requests within bounds of time and size, asks the
/// gate, and has them answered.
#include <bgt/base/fd.hpp>
#include <bgt/base/time.hpp>
#include <bgt/serve/http.hpp>
#include <bgt/serve/server.hpp>

namespace bgt::serve {

/// The socket of the connection. Never blocks for longer than the timeouts for a slow client.
class Wire {
public:
    explicit Wire(Fd socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }
    /// False: nobody reads it (fast enough) any more.
    bool write(std::string_view bytes);
    /// What has come by then; empty: nothing in time, or the end.
    std::string read(Instant deadline);

private:
    Fd socket_;
};

/// Until the client or the server closes it.
void converse(const Server&, const Listener&, Fd socket);

} // namespace bgt::serve
