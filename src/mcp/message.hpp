#pragma once
/// Messages of JSON-RPC 2.0, one on a line, as the Model Context Protocol has them. What comes in
/// is hostile: its size and depth are bounded.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::mcp {

/// Codes of errors: of JSON-RPC, and of this protocol.
namespace code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int unknown_method = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;
inline constexpr int resource_not_found = -32002; ///< up to 2025-11-25
inline constexpr int header_mismatch = -32020;    ///< on HTTP, from 2026-07-28 on
inline constexpr int missing_capability = -32021; ///< from 2026-07-28 on
inline constexpr int unsupported_protocol_version = -32022;
} // namespace code

/// Bytes of one message that are taken.
inline constexpr std::size_t max_message = 2u << 20;

struct Fault {
    int code = code::internal_error;
    std::string message;
    boost::json::value data = nullptr; ///< null: none
};

struct Message {
    enum class Kind : unsigned char {
        request,
        notification,
        response, ///< to be passed over: this server asks nothing
        invalid,  ///< `fault` says why
    };
    Kind kind = Kind::invalid;
    boost::json::value id =
        nullptr; ///< a text or an integer; null: there is none, or it is unknown
    std::string method;
    boost::json::object params;
    std::optional<Fault> fault;
};

/// Reads one line, without its newline.
Message parse_message(std::string_view line);

/// Cuts what comes into lines.
class LineReader {
public:
    void feed(std::string_view bytes);
    struct Line {
        std::string text;
        bool too_long = false; ///< more than max_message: what it held is gone
    };
    /// The next line that has come whole.
    std::optional<Line> next();

private:
    std::string held_;
    std::size_t searched_ = 0; ///< of `held_`, without a newline
    bool skipping_ = false;    ///< the rest of a line that was too long
};

/// Each is one line with its newline.
std::string result_line(const boost::json::value& id, boost::json::object result);
std::string error_line(const boost::json::value& id, const Fault&);
std::string notification_line(std::string_view method, boost::json::object params);

} // namespace bgt::mcp
