#include <bgt/core/http_url.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace bgt::core {
namespace {

bool starts_with_scheme(std::string_view text, std::string_view scheme)
{
    return text.size() >= scheme.size() &&
           std::ranges::equal(text.substr(0, scheme.size()), scheme, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
           });
}

Error bad_url(const std::string& text, std::string_view why)
{
    return Error::usage("bad URL '" + printable(text) + "': " + std::string(why));
}

/// HOST, HOST:PORT, :PORT, [V6], [V6]:PORT.
Result<HttpUrl> parse_authority(std::string_view authority, const std::string& whole, bool tls)
{
    constexpr std::uint16_t https_port = 443;
    HttpUrl url;
    url.tls = tls;
    if (tls) url.port = https_port;
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == authority.npos) return bad_url(whole, "no ']' after the address");
        url.host = authority.substr(1, close - 1);
        if (!is_ipv6_address(url.host))
            return bad_url(whole, "what is in [] is not an IPv6 address");
        port = authority.substr(close + 1);
        if (!port.empty() && port.front() != ':')
            return bad_url(whole, "only a :PORT can follow the ']'");
    } else {
        const auto colon = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, colon);
        port = authority.substr(colon);
    }
    if (url.host.empty() && port.empty()) return bad_url(whole, "it has no host");
    if (url.host.empty()) url.host = "localhost";
    if (!port.empty()) {
        const auto number = parse_port(port.substr(1));
        if (!number) return bad_url(whole, "the port must be 1 to 65535");
        url.port = *number;
    } else if (std::ranges::all_of(url.host, [](char c) { return c >= '0' && c <= '9'; })) {
        return bad_url(whole, "a port alone is written ':" + url.host + "'");
    }
    return url;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Four numbers from 0 to 255.
bool is_ipv4_address(std::string_view text)
{
    for (int i = 0; i < 4; ++i) {
        const std::string_view part = i < 3 ? text.substr(0, text.find('.')) : text;
        const bool digits =
            !part.empty() && part.size() <= 3 && std::ranges::all_of(part, is_digit);
        if (!digits || std::stoi(std::string(part)) > 255) return false;
        if (i < 3 && part.size() == text.size()) return false;
        if (i < 3) text.remove_prefix(part.size() + 1);
    }
    return true;
}

/// How many groups of 16 bits are in "1:2:f", nothing of which is "::"; none: it is not a list of
/// groups.
std::optional<int> count_groups(std::string_view text, bool may_end_in_ipv4)
{
    if (text.empty()) return 0;
    int groups = 0;
    while (true) {
        const std::size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        const bool last = colon == std::string_view::npos;
        if (last && may_end_in_ipv4 && is_ipv4_address(group)) return groups + 2;
        if (group.empty() || group.size() > 4 || !std::ranges::all_of(group, is_hex))
            return std::nullopt;
        ++groups;
        if (last) return groups;
        text.remove_prefix(colon + 1);
    }
}

} // namespace

bool has_space_or_control(std::string_view text)
{
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

bool is_ipv6_address(std::string_view text)
{
    const std::size_t zone = text.find('%');
    if (zone != std::string_view::npos && zone + 1 == text.size()) return false;
    text = text.substr(0, zone);
    constexpr int all_groups = 8;
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) return count_groups(text, true) == all_groups;
    const std::optional<int> before = count_groups(text.substr(0, gap), false);
    const std::optional<int> after = count_groups(text.substr(gap + 2), true);
    return before && after && *before + *after < all_groups;
}

Result<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end || port == 0)
        return Error::usage("a port is a number from 1 to 65535, not \"" + printable(text) + "\"");
    return port;
}

Result<HttpUrl> parse_http_url(const std::string& text)
{
    std::string_view rest = text;
    if (has_space_or_control(rest)) return bad_url(text, "it has a space or a control character");
    const bool tls = starts_with_scheme(rest, "https://");
    if (tls) rest.remove_prefix(6);
    else if (starts_with_scheme(rest, "http://")) rest.remove_prefix(5);
    else if (rest.substr(0, rest.find_first_of("/?#")).empty() && !rest.starts_with("//"))
        return bad_url(text, "it has no host");
    if (rest.starts_with("//")) rest.remove_prefix(2);
    rest = rest.substr(0, rest.find('#')); // a fragment is the client's own
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    const std::string_view target = rest.substr(authority.size());
    if (target.starts_with("//") && authority.ends_with(':'))
        return bad_url(text, "only http:// and https:// are known");
    if (authority.find('@') != authority.npos)
        return bad_url(text, "a user in it is not supported");
    auto url = parse_authority(authority, text, tls);
    if (!url) return url;
    url->target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

std::string bracketed_host(const HttpUrl& url)
{
    return url.host.find(':') == url.host.npos ? url.host : "[" + url.host + "]";
}

bool is_loopback(const HttpUrl& url)
{
    return url.host == "localhost" || url.host == "::1" ||
           (url.host.starts_with("127.") && is_ipv4_address(url.host));
}

} // namespace bgt::core
