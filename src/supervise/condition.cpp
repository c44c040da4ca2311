#include <bgt/supervise/condition.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::supervise {
namespace {

constexpr std::string_view all_conditions =
    "exit, exit=0, ready, log:REGEX, log-fail:REGEX, port, port:N, tcp:HOST:N, http:URL[=STATUS], unix:PATH, file:PATH, "
    "cmd:COMMAND, gone:CONDITION, progress=N, quiet:D, stalled, waiting-input";

Error empty(std::string_view what)
{
    return Error::usage("the condition " + std::string(what) + " needs something after the colon");
}

Result<Condition> parse_log(const std::string& rest, Condition::Kind kind)
{
    if (rest.empty()) return empty(kind == Condition::Kind::log ? "log:" : "log-fail:");
    Result<core::Pattern> pattern = core::Pattern::compile(rest);
    if (!pattern) return pattern.error();
    Condition condition;
    condition.kind = kind;
    condition.pattern = std::make_shared<const core::Pattern>(std::move(*pattern));
    condition.before = "its output matched \"" + printable(rest) + "\"";
    return condition;
}

Result<Condition> parse_listening(std::string_view rest)
{
    Result<std::uint16_t> port = core::parse_port(rest);
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
    Result<std::uint16_t> port = core::parse_port(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
    if (!port) return port.error();
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '/'; }))
        return Error::usage("\"" + printable(host) + "\" is not the name or address of a host");
    Condition condition;
    condition.kind = Condition::Kind::tcp;
    condition.text = host.empty() ? "localhost" : std::string(host);
    condition.port = *port;
    condition.before = printable(condition.text) + ":" + std::to_string(*port) + " accepted a connection";
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
    Result<core::HttpUrl> url = core::parse_http_url(rest);
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

Result<Condition> parse_unix(const std::string& rest, const std::string& cwd)
{
    if (rest.empty()) return empty("unix:");
    if (rest.find('\0') != std::string::npos) return Error::usage("a path can't hold a NUL");
    Condition condition;
    condition.kind = Condition::Kind::unix_socket;
    condition.text = rest.starts_with('/') || rest.starts_with('@') ? rest : cwd + "/" + rest;
    condition.before = printable(rest) + " accepted a connection";
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

/// `40%`, `0.4`; a number above 1 is a percentage, too.
Result<Condition> parse_progress(std::string_view rest)
{
    const bool percent = rest.ends_with('%');
    const std::string_view digits = percent ? rest.substr(0, rest.size() - 1) : rest;
    double value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (!whole || !(value >= 0 && value <= 100))
        return Error::usage("progress is a percentage (40%) or a fraction (0.4), not \"" + fit(printable(rest), 60) + "\"");
    Condition condition;
    condition.kind = Condition::Kind::progress;
    condition.fraction = percent || value > 1 ? value / 100 : value;
    condition.before = "its progress reached " + printable(rest);
    return condition;
}

Result<Condition> parse_quiet(std::string_view rest)
{
    if (rest.empty()) return empty("quiet:");
    const Result<Duration> quiet = parse_duration(rest);
    if (!quiet) return quiet.error();
    Condition condition;
    condition.kind = Condition::Kind::quiet;
    condition.quiet = *quiet;
    condition.before = "it was quiet for " + format_duration(*quiet);
    return condition;
}

Result<Condition> parse_gone(const std::string& rest, const std::string& cwd)
{
    Result<Condition> condition = parse_condition(rest, cwd);
    if (!condition) return condition;
    const bool of_one_port = condition->kind == Condition::Kind::port && condition->port != 0;
    if (condition->gone || !(of_one_port || condition->is_outside()))
        return Error::usage("gone: goes with port:N, tcp:, http:, unix:, file: and cmd:, not with \"" + fit(printable(rest), 60) + "\"");
    condition->gone = true;
    condition->before = fit(printable(rest), 60) + " was gone";
    return condition;
}

Error unknown(const std::string& text)
{
    if (text.starts_with("https:"))
        return Error::usage("there is no https: here: use cmd:'curl -fsS -o /dev/null " + printable(text) + "'");
    return Error::usage("unknown condition \"" + fit(printable(text), 60) + "\"; there are " + std::string(all_conditions));
}

/// One that is a word of its own.
std::optional<Condition> find_word(std::string_view text)
{
    using Kind = Condition::Kind;
    struct Word {
        std::string_view text;
        Kind kind;
        const char* before;
    };
    static constexpr Word words[] = {{"exit", Kind::exit, "it exited"},
                                     {"exit=0", Kind::exit_zero, "it exited with 0"},
                                     {"ready", Kind::ready, "it was ready"},
                                     {"port", Kind::port, "it listened on a port"},
                                     {"stalled", Kind::stalled, "it stalled"},
                                     {"waiting-input", Kind::waiting_input, "it waited for input"}};
    const auto* const found = std::ranges::find(words, text, &Word::text);
    if (found == std::end(words)) return std::nullopt;
    Condition condition;
    condition.kind = found->kind;
    condition.before = found->before;
    return condition;
}

} // namespace

bool Condition::is_recorded() const
{
    return kind == Kind::ready || kind == Kind::progress || kind == Kind::stalled || kind == Kind::waiting_input;
}

Result<Condition> parse_condition(const std::string& text, const std::string& cwd)
{
    if (std::optional<Condition> condition = find_word(text)) return std::move(*condition);
    constexpr std::string_view progress = "progress=";
    if (text.starts_with(progress)) return parse_progress(std::string_view(text).substr(progress.size()));
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return unknown(text);
    const std::string word = text.substr(0, colon);
    const std::string rest = text.substr(colon + 1);
    if (word == "log") return parse_log(rest, Condition::Kind::log);
    if (word == "log-fail") return parse_log(rest, Condition::Kind::log_fail);
    if (word == "port") return parse_listening(rest);
    if (word == "tcp") return parse_tcp(rest);
    if (word == "http") return parse_http(rest);
    if (word == "unix") return parse_unix(rest, cwd);
    if (word == "file") return parse_file(rest, cwd);
    if (word == "cmd") return parse_command(rest);
    if (word == "quiet") return parse_quiet(rest);
    if (word == "gone") return parse_gone(rest, cwd);
    return unknown(text);
}

} // namespace bgt::supervise
