#include "handlers.hpp"

#include <bgt/mcp/http.hpp>

namespace bgt::serve {

bool answer_mcp(const Server& server, const Request& request, api::Access access, Wire& wire)
{
    mcp::Server protocol;
    protocol.root = server.root;
    protocol.caller = server.caller;
    const mcp::Posted posted{request.body, request.header("mcp-protocol-version"),
                             request.header("mcp-method"), request.header("mcp-name")};
    const bool takes_stream =
        request.header("accept").find("text/event-stream") != std::string_view::npos;
    bool streams = false;
    const auto emit = [&](const std::string& line) {
        if (!takes_stream) return;
        if (!streams) (void)wire.write(stream_head());
        streams = true;
        (void)wire.write(event_text("message", "", line));
    };
    mcp::PostAnswer done;
    try {
        done = mcp::answer_post(protocol, posted, access, ops::Cancel{wire.fd()}, emit);
    } catch (const std::exception& error) {
        done = {500, problem(500, error.what()).body};
    }
    if (streams) {
        if (!done.line.empty()) (void)wire.write(event_text("message", "", done.line));
        return false;
    }
    const Response response{.status = done.status, .body = std::move(done.line)};
    return wire.write(to_bytes(response, request.keep_alive)) && request.keep_alive;
}

} // namespace bgt::serve
