#include "handlers.hpp"

#include "changes.hpp"

#include <bgt/mcp/http.hpp>

#include <boost/json.hpp>

namespace bgt::serve {

namespace {

namespace json = boost::json;

/// Of a tool that has changed something.
void tell_tool_call(const Server& server, std::string_view posted, std::string_view answered,
                    api::Access access, int connection)
{
    json::error_code error;
    const json::value call = json::parse(posted, error);
    if (error) return;
    const json::value* name = call.find_pointer("/params/name", error);
    const json::value* method = call.find_pointer("/method", error);
    if (name == nullptr || !name->is_string() || method == nullptr ||
        *method != json::value("tools/call"))
        return;
    const api::Operation* operation = api::find_operation(std::string(name->get_string()));
    const json::value answer = json::parse(answered, error);
    if (operation == nullptr || error) return;
    const json::value* told = answer.find_pointer("/result/structuredContent", error);
    const auto root = store::Root::open(server.root, store::Root::IfMissing::empty);
    if (told != nullptr && told->is_object() && root)
        tell_change(*root, *operation, told->get_object(), access, connection);
}

} // namespace

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
    tell_tool_call(server, request.body, done.line, access, wire.fd());
    if (streams) {
        if (!done.line.empty()) (void)wire.write(event_text("message", "", done.line));
        return false;
    }
    const Response response{.status = done.status, .body = std::move(done.line)};
    return wire.write(to_bytes(response, request.keep_alive)) && request.keep_alive;
}

} // namespace bgt::serve
