#include <bgt/supervise/condition.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::supervise {
namespace {

constexpr std::string_view all_conditions =
    "exit, exit=0, log:REGEX, port, port:N, tcp:HOST:N, http:URL[=STATUS], file:PATH, cmd:COMMAND";

Result<std::uint16_t> parse_port(std::string_view text)
{
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 65535)
        return Error::usage("a port is a number from 1 to 65535, not \"" + printable(text) + "\"");
    return static_cast<std::uint16_t>(value);
}

Error empty(std::string_view what)
{
    return Error::usage("the condition " + std::string(what) + " needs something after the colon");
}

Result<Condition> parse_log(const std::string& rest)
{
    if (rest.empty()) return empty("log:");
    Result<core::Pattern> pattern = core::Pattern::compile(rest);
    if (!pattern) return pattern.error();
    Condition condition;
    condition.kind = Condition::Kind::log;
    condition.pattern = std::make_shared<const core::Pattern>(std::move(*pattern));
    condition.before = "its output matched \"" + printable(rest) + "\"";
    return condition;
}

Result<Condition> parse_listening(std::string_view rest)
{
    Result<std::uint16_t> port = parse_port(rest);
    if (!port) return port.error();
    Condition condition;
    condition.kind = Condition::Kind::port;
    condition.port = *port;
    condition.before = "it listened on port " + std::to_string(*port);
    return condition;
}

/// HOST:N, [V6]:N, :N or N; the last two are of this machine.
Result<Condition> parse_tcp(std::string_view rest)
{
    if (rest.empty()) return empty("tcp:");
    const std::size_t colon = rest.rfind(':');
    std::string_view host = colon == std::string_view::npos ? std::string_view() : rest.substr(0, colon);
    Result<std::uint16_t> port = parse_port(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
    if (!port) return port.error();
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '/'; }))
        return Error::usage("\"" + printable(host) + "\" is not the name or address of a host");
    Condition condition;
    condition.kind = Condition::Kind::tcp;
    condition.text = host.empty() ? "localhost" : std::string(host);
    condition.port = *port;
    condition.before = condition.text + ":" + std::to_string(*port) + " accepted a connection";
    return condition;
}

/// Splits `=STATUS` off. In a query, `a=200` is a parameter; the status comes after its value: `a=200=204`.
std::optional<int> split_status(std::string& url)
{
    const std::size_t equals = url.rfind('=');
    if (equals == std::string::npos || url.size() - equals != 4) return std::nullopt;
    const std::size_t query = url.find('?');
    if (query != std::string::npos && query < equals) {
        const std::size_t parameter = url.find_last_of("?&", equals);
        if (url.find('=', parameter) == equals) return std::nullopt;
    }
    int status = 0;
    const char* const end = url.data() + url.size();
    if (std::from_chars(url.data() + equals + 1, end, status).ptr != end || status < 100) return std::nullopt;
    url.resize(equals);
    return status;
}

Result<Condition> parse_http(std::string rest)
{
    if (rest.empty()) return empty("http:");
    if (rest.starts_with("//")) rest.insert(0, "http:"); // --for http://localhost:3000
    Condition condition;
    condition.kind = Condition::Kind::http;
    condition.status = split_status(rest);
    Result<os::HttpUrl> url = os::parse_http_url(rest);
    if (!url) return url.error();
    condition.url = std::move(*url);
    condition.before = printable(rest) + " answered" + (condition.status ? " " + std::to_string(*condition.status) : "");
    return condition;
}

Result<Condition> parse_file(const std::string& rest, const std::string& cwd)
{
    if (rest.empty()) return empty("file:");
    if (rest.find('\0') != std::string::npos) return Error::usage("a path can't hold a NUL");
    Condition condition;
    condition.kind = Condition::Kind::file;
    condition.text = rest.starts_with('/') ? rest : cwd + "/" + rest;
    condition.before = printable(rest) + " existed";
    return condition;
}

Result<Condition> parse_command(const std::string& rest)
{
    if (rest.empty()) return empty("cmd:");
    Condition condition;
    condition.kind = Condition::Kind::command;
    condition.text = rest;
    condition.before = "\"" + fit(printable(rest), 60) + "\" succeeded";
    return condition;
}

Error unknown(const std::string& text)
{
    if (text.starts_with("https:"))
        return Error::usage("there is no https: here: use cmd:'curl -fsS -o /dev/null " + printable(text) + "'");
    return Error::usage("unknown condition \"" + fit(printable(text), 60) + "\"; there are " + std::string(all_conditions));
}

} // namespace

Result<Condition> parse_condition(const std::string& text, const std::string& cwd)
{
    using Kind = Condition::Kind;
    Condition condition;
    condition.before = "it exited";
    if (text == "exit") return condition;
    if (text == "exit=0") {
        condition.kind = Kind::exit_zero;
        condition.before = "it exited with 0";
        return condition;
    }
    if (text == "port") {
        condition.kind = Kind::port;
        condition.before = "it listened on a port";
        return condition;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return unknown(text);
    const std::string word = text.substr(0, colon);
    const std::string rest = text.substr(colon + 1);
    if (word == "log") return parse_log(rest);
    if (word == "port") return parse_listening(rest);
    if (word == "tcp") return parse_tcp(rest);
    if (word == "http") return parse_http(rest);
    if (word == "file") return parse_file(rest, cwd);
    if (word == "cmd") return parse_command(rest);
    return unknown(text);
}

} // namespace bgt::supervise
