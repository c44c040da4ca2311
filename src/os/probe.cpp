#include <bgt/os/probe.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/helper.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace bgt::os {

namespace {

bool is_address(const std::string& text)
{
    boost::system::error_code error;
    boost::asio::ip::make_address(text, error);
    return !error;
}

bool has_unsafe_byte(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

/// First words of `getent ahosts` lines: "127.0.0.1  STREAM localhost", three lines an address.
std::vector<std::string> addresses_in(std::string_view output)
{
    std::vector<std::string> found;
    while (!output.empty()) {
        const std::string_view line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(output.size(), line.size() + 1));
        std::string address(line.substr(0, line.find(' ')));
        if (is_address(address) && std::ranges::find(found, address) == found.end()) found.push_back(std::move(address));
    }
    return found;
}

bool starts_with_scheme(std::string_view text, std::string_view scheme)
{
    return text.size() >= scheme.size() && std::ranges::equal(text.substr(0, scheme.size()), scheme, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
}

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

Error bad_url(const std::string& text, std::string_view why)
{
    return Error::usage("bad URL '" + printable(text) + "': " + std::string(why));
}

/// HOST, HOST:PORT, :PORT, [V6], [V6]:PORT.
Result<HttpUrl> parse_authority(std::string_view authority, const std::string& whole)
{
    HttpUrl url;
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == authority.npos) return bad_url(whole, "no ']' after the address");
        url.host = authority.substr(1, close - 1);
        if (!is_address(url.host)) return bad_url(whole, "what is in [] is not an address");
        port = authority.substr(close + 1);
        if (!port.empty() && port.front() != ':') return bad_url(whole, "only a :PORT can follow the ']'");
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

} // namespace

Result<std::vector<std::string>> resolve(const std::string& host, Duration timeout)
{
    if (is_address(host)) return std::vector<std::string>{host};
    if (host == "localhost") return std::vector<std::string>{"127.0.0.1", "::1"};
    if (host.empty() || host.size() > 253 || host.front() == '-' || has_unsafe_byte(host))
        return Error::usage("'" + printable(host) + "' is not a host name");
    // By a shell, which looks in $PATH.
    const auto ended = run_helper("/bin/sh", {"-c", "exec getent ahosts \"$1\"", "sh", host}, true, timeout);
    if (!ended) return ended.error();
    if (!ended->code) return Error::failed("no answer in time for the host name " + host);
    if (*ended->code == 127) return Error::failed("can't look up the host name " + host + ": getent is not installed");
    auto addresses = addresses_in(ended->output);
    if (addresses.empty()) return Error::failed("unknown host name " + host);
    return addresses;
}

Result<HttpUrl> parse_http_url(const std::string& text)
{
    std::string_view rest = text;
    if (has_unsafe_byte(rest)) return bad_url(text, "it has a space or a control character");
    if (starts_with_scheme(rest, "https://")) return bad_url(text, "https is not spoken here: use cmd:'curl -fs URL'");
    if (starts_with_scheme(rest, "http://")) rest.remove_prefix(5);
    else if (rest.substr(0, rest.find_first_of("/?#")).empty() && !rest.starts_with("//"))
        return bad_url(text, "it has no host");
    if (rest.starts_with("//")) rest.remove_prefix(2);
    rest = rest.substr(0, rest.find('#')); // a fragment is the client's own
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    const std::string_view target = rest.substr(authority.size());
    if (target.starts_with("//") && authority.ends_with(':')) return bad_url(text, "only http:// is known");
    if (authority.find('@') != authority.npos) return bad_url(text, "a user in it is not supported");
    auto url = parse_authority(authority, text);
    if (!url) return url;
    url->target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

Result<int> run_command(const std::string& text, Duration timeout)
{
    const auto ended = run_helper("/bin/sh", {"-c", text}, false, timeout);
    if (!ended) return ended.error();
    return ended->code.value_or(124);
}

} // namespace bgt::os
