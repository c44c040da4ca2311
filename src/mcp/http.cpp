#include <bgt/mcp/http.hpp>

#include "answers.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::string_view encoded_begin = "=?base64?", encoded_end = "?=";

std::string_view text_at(const json::object& object, std::string_view name)
{
    const json::string* text = text_of(object, name);
    return text ? std::string_view(*text) : "";
}

/// The version that the body carries; "" for the old protocol.
std::string_view version_in(const Message& message)
{
    const json::object* meta = meta_of(message.params);
    return meta ? text_at(*meta, version_key) : "";
}

std::optional<int> digit_of(char c)
{
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = digits.find(c);
    return at == digits.npos ? std::nullopt : std::optional(static_cast<int>(at));
}

/// What the stateless protocol wants repeated in headers; empty: they say the same as the body.
std::string mismatch(const Posted& posted, const Message& message)
{
    const auto differs = [](std::string_view header, std::string_view value,
                            std::string_view body) {
        return fmt::format("Header mismatch: {} is '{}', and the body says '{}'", header, value,
                           body);
    };
    if (posted.version != version_in(message))
        return differs("MCP-Protocol-Version", posted.version, version_in(message));
    if (posted.method != message.method)
        return differs("Mcp-Method", posted.method, message.method);
    const bool has_name = message.method == "tools/call" || message.method == "prompts/get";
    if (!has_name && message.method != "resources/read") return {};
    const std::string_view named = text_at(message.params, has_name ? "name" : "uri");
    const auto name = decode_header(posted.name);
    return name && *name == named ? std::string() : differs("Mcp-Name", posted.name, named);
}

api::Access needs(const Request& request)
{
    if (request.method == "tasks/update" || request.method == "tasks/cancel")
        return api::Access::control;
    if (request.method != "tools/call") return api::Access::read;
    return api::find_operation(text_at(request.params, "name"))->access;
}

PostAnswer refuse(int status, const json::value& id, int code, std::string why)
{
    return {status, error_line(id, {code, std::move(why), nullptr})};
}

/// Errors of the protocol are errors of HTTP too; those of a tool are not.
int status_of(std::optional<int> error, bool modern)
{
    switch (error.value_or(0)) {
    case code::unknown_method: return modern ? 404 : 200;
    case code::parse_error:
    case code::invalid_request:
    case code::missing_capability:
    case code::unsupported_protocol_version:
    case code::header_mismatch: return 400;
    default: return 200;
    }
}

} // namespace

std::optional<std::string> decode_header(std::string_view value)
{
    if (!value.starts_with(encoded_begin) || !value.ends_with(encoded_end) ||
        value.size() < encoded_begin.size() + encoded_end.size())
        return std::string(value);
    value.remove_prefix(encoded_begin.size());
    value.remove_suffix(encoded_end.size());
    while (value.ends_with('=')) value.remove_suffix(1);
    std::string out;
    unsigned bits = 0, held = 0;
    for (const char c : value) {
        const auto digit = digit_of(c);
        if (!digit) return std::nullopt;
        bits = (bits << 6 | static_cast<unsigned>(*digit)) & 0xffff;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> held & 0xff);
    }
    return out;
}

PostAnswer answer_post(const Server& server, const Posted& posted, api::Access access,
                       ops::Cancel cancel, const std::function<void(const std::string&)>& emit)
{
    Message message = parse_message(posted.body);
    const json::value id = message.id;
    const bool modern = !version_in(message).empty() || posted.version == modern_version;
    if (message.kind == Message::Kind::request && modern)
        if (std::string why = mismatch(posted, message); !why.empty())
            return refuse(400, id, code::header_mismatch, std::move(why));
    if (!modern && !posted.version.empty() && legacy_version(posted.version) != posted.version)
        return refuse(400, id, code::invalid_request,
                      "MCP-Protocol-Version: this version is not spoken here");
    Session session(Session::Transport::http);
    Action action = session.take(std::move(message));
    if (action.work) {
        if (needs(*action.work) > access)
            return refuse(403, id, code::invalid_request,
                          "the scope of the token does not allow it");
        action.reply = answer_line(server, *action.work, cancel, emit);
    }
    if (action.reply.empty()) return {id.is_null() ? 202 : 200, {}};
    return {status_of(action.error, modern), std::move(action.reply)};
}

} // namespace bgt::mcp
