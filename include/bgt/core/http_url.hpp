#pragma once
#include <bgt/base/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::core {

struct HttpUrl {
    std::string host;
    std::uint16_t port = 80;
    std::string target = "/"; ///< path and query
};

/// Reads `http://HOST[:PORT][/PATH][?QUERY]`, also `:PORT/PATH` and `HOST:PORT/PATH` for short.
/// Error (usage): https (no TLS here: use cmd:curl), bad port, control characters.
Result<HttpUrl> parse_http_url(const std::string& text);

/// A space, a control character or DEL: no host name and no URL has one.
bool has_space_or_control(std::string_view text);

/// A TCP port, 1 to 65535. Error (usage): anything else.
Result<std::uint16_t> parse_port(std::string_view text);

/// Whether it is an IPv6 address, perhaps with a zone ("fe80::1%eth0").
bool is_ipv6_address(std::string_view text);

} // namespace bgt::core
