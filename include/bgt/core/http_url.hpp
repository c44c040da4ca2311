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
    bool tls = false;         ///< https
};

/// Reads `http://HOST[:PORT][/PATH][?QUERY]`, also `:PORT/PATH` and `HOST:PORT/PATH` for short, and
/// `https://...`. Error (usage): bad port, control characters.
Result<HttpUrl> parse_http_url(const std::string& text);

/// The host as a URL and a Host field have it: an IPv6 address in brackets.
std::string bracketed_host(const HttpUrl&);

/// Whether the host is this machine: localhost, 127.0.0.0/8, ::1.
bool is_loopback(const HttpUrl&);

/// A space, a control character or DEL: no host name and no URL has one.
bool has_space_or_control(std::string_view text);

/// A TCP port, 1 to 65535. Error (usage): anything else.
Result<std::uint16_t> parse_port(std::string_view text);

/// Whether it is an IPv6 address, perhaps with a zone ("fe80::1%eth0").
bool is_ipv6_address(std::string_view text);

} // namespace bgt::core
