#pragma once
/// The streamable HTTP transport of the Model Context Protocol: one message a request, no sessions.
/// Of the old protocol, that leaves out subscriptions, which need a second stream.
#include <bgt/api/operation.hpp>
#include <bgt/mcp/server.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace bgt::mcp {

/// One POST. Of the headers, "" stands for one that is not there.
struct Posted {
    std::string_view body;
    std::string_view version; ///< MCP-Protocol-Version
    std::string_view method;  ///< Mcp-Method
    std::string_view name;    ///< Mcp-Name
};

struct PostAnswer {
    int status = 200; ///< of HTTP; 202: the body stays empty
    std::string line; ///< JSON and a newline; also empty where the client has gone
};

/// Answers the message. What is to be sent before the answer goes to `emit`, a line each; once the
/// client has gone (`cancel`), it returns soon. `access` is the scope of the client.
PostAnswer answer_post(const Server&, const Posted&, api::Access, ops::Cancel,
                       const std::function<void(const std::string&)>& emit);

/// The value of a header that may be in Base64 ("=?base64?...?="); nullopt: it can't be read.
std::optional<std::string> decode_header(std::string_view);

} // namespace bgt::mcp
