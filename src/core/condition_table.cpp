// Each condition once: how it is read, what it is judged by, what it is called.
#include <bgt/core/condition.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::core {
namespace {

using Kind = Condition::Kind;

constexpr std::size_t max_shown = 60;

ConditionState met_if(bool is_met)
{
    return is_met ? ConditionState::met : ConditionState::open;
}

// The end of the task

ConditionState end_exit(const Condition&, int)
{
    return ConditionState::met;
}

ConditionState end_exit_zero(const Condition&, int exit_code)
{
    return exit_code == 0 ? ConditionState::met : ConditionState::impossible;
}

// The record

ConditionState judge_ready(const Condition&, const Fact& fact)
{
    const auto* const record = std::get_if<fact::Recorded>(&fact);
    if (record == nullptr) return ConditionState::open;
    if (record->ready) return ConditionState::met;
    return record->readiness == Readiness::possible ? ConditionState::open
                                                    : ConditionState::impossible;
}

ConditionState judge_stalled(const Condition&, const Fact& fact)
{
    const auto* const record = std::get_if<fact::Recorded>(&fact);
    return met_if(record != nullptr && !record->over && record->stalled);
}

ConditionState judge_waiting_input(const Condition&, const Fact& fact)
{
    const auto* const record = std::get_if<fact::Recorded>(&fact);
    return met_if(record != nullptr && !record->over && record->waiting_input);
}

/// `40%`, `0.4`; a number above 1 is a percentage, too.
Result<std::string> parse_progress(Condition& condition, const std::string& text,
                                   const std::string&)
{
    const bool percent = text.ends_with('%');
    const char* const end = text.data() + text.size() - (percent ? 1 : 0);
    double value = -1;
    const auto read = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (read.ec != std::errc() || read.ptr != end || !(value >= 0 && value <= 100))
        return Error::usage("progress is a percentage (40%) or a fraction (0.4), not \"" +
                            fit(printable(text), max_shown) + "\"");
    condition.fraction = percent || value > 1 ? value / 100 : value;
    return printable(text);
}

ConditionState judge_progress(const Condition& condition, const Fact& fact)
{
    constexpr double tolerance = 1e-9; // 0.07 * 100 is not 7
    const auto* const record = std::get_if<fact::Recorded>(&fact);
    return met_if(record != nullptr && record->progress &&
                  *record->progress + tolerance >= condition.fraction);
}

// The output

Result<std::string> parse_pattern(Condition& condition, const std::string& text, const std::string&)
{
    Result<Pattern> pattern = Pattern::compile(text);
    if (!pattern) return pattern.error();
    condition.pattern = std::make_shared<const Pattern>(std::move(*pattern));
    return printable(text);
}

ConditionState judge_log(const Condition& condition, const Fact& fact)
{
    const auto* const line = std::get_if<fact::Line>(&fact);
    return met_if(line != nullptr && condition.pattern->matches(line->text));
}

ConditionState judge_log_fail(const Condition& condition, const Fact& fact)
{
    return judge_log(condition, fact) == ConditionState::met ? ConditionState::impossible
                                                             : ConditionState::open;
}

ConditionState end_log_fail(const Condition&, int)
{
    return ConditionState::met;
}

Result<std::string> parse_quiet(Condition& condition, const std::string& text, const std::string&)
{
    const Result<Duration> quiet = parse_duration(text);
    if (!quiet) return quiet.error();
    condition.span = *quiet;
    return format_duration(*quiet);
}

ConditionState judge_quiet(const Condition& condition, const Fact& fact)
{
    const auto* const silence = std::get_if<fact::Silence>(&fact);
    return met_if(silence != nullptr && silence->length >= condition.span);
}

// Ports of the tree

Result<std::string> parse_listening(Condition& condition, const std::string& text,
                                    const std::string&)
{
    const Result<std::uint16_t> port = parse_port(text);
    if (!port) return port.error();
    condition.port = *port;
    return std::to_string(*port);
}

ConditionState judge_port(const Condition& condition, const Fact& fact)
{
    const auto* const listening = std::get_if<fact::Listening>(&fact);
    if (listening == nullptr) return ConditionState::open;
    const bool any = condition.port == 0;
    const bool listens =
        any ? !listening->ports.empty()
            : std::ranges::find(listening->ports, condition.port) != listening->ports.end();
    return met_if(listens != condition.gone);
}

ConditionState end_port(const Condition& condition, int)
{
    return condition.gone ? ConditionState::met : ConditionState::impossible;
}

// What the tree uses

Result<std::string> parse_memory(Condition& condition, const std::string& text, const std::string&)
{
    const Result<std::uint64_t> bytes = parse_size(text);
    if (!bytes) return bytes.error();
    condition.bytes = *bytes;
    return format_size_exact(*bytes);
}

ConditionState judge_memory(const Condition& condition, const Fact& fact)
{
    const auto* const memory = std::get_if<fact::Memory>(&fact);
    return met_if(memory != nullptr && memory->bytes > condition.bytes);
}

/// CPU is counted in ticks of 10 ms: a share of less time than this says nothing.
constexpr Duration min_cpu_span = std::chrono::milliseconds(200);

/// `5%:10s` or `5:10s`; more than 100 is more than one core.
Result<std::string> parse_cpu(Condition& condition, const std::string& text, const std::string&)
{
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::string_view percent = std::string_view(text).substr(0, colon);
    if (percent.ends_with('%')) percent.remove_suffix(1);
    const char* const end = percent.data() + percent.size();
    double value = 0;
    const auto read = std::from_chars(percent.data(), end, value, std::chars_format::fixed);
    if (colon == text.size() || read.ec != std::errc() || read.ptr != end ||
        !(value > 0 && value <= 1e6))
        return Error::usage(
            "cpu< takes a percentage of a core and a duration (cpu<5%:10s), not \"" +
            fit(printable(text), max_shown) + "\"");
    const Result<Duration> span = parse_duration(std::string_view(text).substr(colon + 1));
    if (!span) return span.error();
    if (*span < min_cpu_span)
        return Error::usage("a share of CPU needs at least 200ms, not " + format_duration(*span));
    condition.fraction = value / 100;
    condition.span = *span;
    return std::string(percent) + "% of a core for " + format_duration(*span);
}

ConditionState judge_cpu(const Condition& condition, const Fact& fact)
{
    const auto* const cpu = std::get_if<fact::Cpu>(&fact);
    if (cpu == nullptr || cpu->totals.empty()) return ConditionState::open;
    const fact::CpuTotal& now = cpu->totals.back();
    const auto then = std::ranges::find_if(
        cpu->totals.rbegin(), cpu->totals.rend(),
        [&](const fact::CpuTotal& total) { return total.at <= now.at - condition.span; });
    if (then == cpu->totals.rend()) return ConditionState::open; // not watched for so long yet
    const std::chrono::duration<double> used = now.used - then->used, span = now.at - then->at;
    return met_if(used.count() < condition.fraction * span.count());
}

// Questions to what is around the task

/// HOST:N, [V6]:N, :N or N; the last two are of this machine.
Result<std::string> parse_tcp(Condition& condition, const std::string& text, const std::string&)
{
    const std::string_view rest = text;
    const std::size_t colon = rest.rfind(':');
    std::string_view host =
        colon == std::string_view::npos ? std::string_view() : rest.substr(0, colon);
    const Result<std::uint16_t> port =
        parse_port(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
    if (!port) return port.error();
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (std::ranges::any_of(
            host, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '/'; }))
        return Error::usage("\"" + printable(host) + "\" is not the name or address of a host");
    condition.text = host.empty() ? "localhost" : std::string(host);
    condition.port = *port;
    return printable(condition.text) + ":" + std::to_string(*port);
}

/// Splits `=STATUS` off. In a query, `a=200` is a parameter; the status comes after its value:
/// `a=200=204`.
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
    if (std::from_chars(url.data() + equals + 1, end, status).ptr != end || status < 100)
        return std::nullopt;
    url.resize(equals);
    return status;
}

Result<std::string> read_url(Condition& condition, std::string rest)
{
    condition.status = split_status(rest);
    Result<HttpUrl> url = parse_http_url(rest);
    if (!url) return url.error();
    condition.url = std::move(*url);
    return printable(rest) + " answered" +
           (condition.status ? " " + std::to_string(*condition.status) : "");
}

/// `--for http://localhost:3000` is the same as `--for http:localhost:3000`.
Result<std::string> parse_http(Condition& condition, const std::string& text, const std::string&)
{
    return read_url(condition, text.starts_with("//") ? "http:" + text : text);
}

Result<std::string> parse_https(Condition& condition, const std::string& text, const std::string&)
{
    if (text.starts_with("https://")) return read_url(condition, text);
    return read_url(condition, (text.starts_with("//") ? "https:" : "https://") + text);
}

Error no_nul()
{
    return Error::usage("a path can't hold a NUL");
}

Result<std::string> parse_file(Condition& condition, const std::string& text,
                               const std::string& cwd)
{
    if (text.find('\0') != std::string::npos) return no_nul();
    condition.text = text.starts_with('/') ? text : cwd + "/" + text;
    return printable(text);
}

Result<std::string> parse_unix(Condition& condition, const std::string& text,
                               const std::string& cwd)
{
    if (text.find('\0') != std::string::npos) return no_nul();
    condition.text = text.starts_with('/') || text.starts_with('@') ? text : cwd + "/" + text;
    return printable(text);
}

Result<std::string> parse_command(Condition& condition, const std::string& text, const std::string&)
{
    condition.text = text;
    return fit(printable(text), max_shown);
}

constexpr Observations looked_at{Observation::record, Observation::look};

constexpr ConditionRow table[] = {
    {.word = "exit",
     .argument = "",
     .kind = Kind::exit,
     .observes = {},
     .before = "it exited",
     .judge_end = end_exit},
    {.word = "exit=0",
     .argument = "",
     .kind = Kind::exit_zero,
     .observes = {},
     .before = "it exited with 0",
     .judge_end = end_exit_zero},
    {.word = "ready",
     .argument = "",
     .kind = Kind::ready,
     .observes = Observation::record,
     .before = "it was ready",
     .judge = judge_ready},
    {.word = "log:",
     .argument = "REGEX",
     .observes = Observation::output,
     .before = "its output matched \"{}\"",
     .parse = parse_pattern,
     .judge = judge_log},
    {.word = "log-fail:",
     .argument = "REGEX",
     .observes = Observation::output,
     .before = "its output matched \"{}\"",
     .parse = parse_pattern,
     .judge = judge_log_fail,
     .judge_end = end_log_fail,
     .guard = true},
    {.word = "port",
     .argument = "",
     .observes = Observation::listeners,
     .before = "it listened on a port",
     .judge = judge_port,
     .judge_end = end_port},
    {.word = "port:",
     .argument = "N",
     .observes = Observation::listeners,
     .before = "it listened on port {}",
     .parse = parse_listening,
     .judge = judge_port,
     .judge_end = end_port,
     .can_be_gone = true},
    {.word = "tcp:",
     .argument = "HOST:N",
     .kind = Kind::tcp,
     .observes = Observation::probe,
     .before = "{} accepted a connection",
     .parse = parse_tcp,
     .can_be_gone = true},
    {.word = "http:",
     .argument = "URL[=STATUS]",
     .kind = Kind::http,
     .observes = Observation::probe,
     .before = "{}",
     .parse = parse_http,
     .can_be_gone = true},
    {.word = "https:",
     .argument = "URL[=STATUS]",
     .kind = Kind::http,
     .observes = Observation::probe,
     .before = "{}",
     .parse = parse_https,
     .can_be_gone = true},
    {.word = "unix:",
     .argument = "PATH",
     .kind = Kind::unix_socket,
     .observes = Observation::probe,
     .before = "{} accepted a connection",
     .parse = parse_unix,
     .can_be_gone = true},
    {.word = "file:",
     .argument = "PATH",
     .kind = Kind::file,
     .observes = Observation::probe,
     .before = "{} existed",
     .parse = parse_file,
     .can_be_gone = true},
    {.word = "cmd:",
     .argument = "COMMAND",
     .kind = Kind::command,
     .observes = Observation::probe,
     .before = "\"{}\" succeeded",
     .parse = parse_command,
     .can_be_gone = true},
    {.word = "progress=",
     .argument = "N",
     .observes = looked_at,
     .before = "its progress reached {}",
     .parse = parse_progress,
     .judge = judge_progress},
    {.word = "quiet:",
     .argument = "D",
     .observes = Observation::output_age,
     .before = "it was quiet for {}",
     .parse = parse_quiet,
     .judge = judge_quiet},
    {.word = "mem>",
     .argument = "SIZE",
     .observes = Observation::memory,
     .before = "it used more than {} of memory",
     .parse = parse_memory,
     .judge = judge_memory},
    {.word = "cpu<",
     .argument = "PERCENT:D",
     .observes = Observation::cpu,
     .before = "it used less than {}",
     .parse = parse_cpu,
     .judge = judge_cpu},
    {.word = "stalled",
     .argument = "",
     .observes = looked_at,
     .before = "it stalled",
     .judge = judge_stalled},
    {.word = "waiting-input",
     .argument = "",
     .observes = looked_at,
     .before = "it waited for input",
     .judge = judge_waiting_input},
};

} // namespace

std::span<const ConditionRow> condition_table()
{
    return table;
}

} // namespace bgt::core
