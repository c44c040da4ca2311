#include <bgt/core/notify.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace bgt::core {
namespace {

constexpr std::size_t max_status = 127;
constexpr std::size_t max_step = 63;
constexpr std::size_t max_text = 4096;
constexpr std::size_t max_data = 8192;
constexpr std::size_t max_path = 4095;
constexpr std::size_t max_metric = 64;
/// As parse_duration has it: more is a mistake of the sender, and would overflow a Duration of
/// nanoseconds.
constexpr std::uint64_t max_usec = 100ull * 365 * 24 * 3600 * 1'000'000;

bool is_name(std::string_view text)
{
    const auto fits = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return !text.empty() && (text.front() < '0' || text.front() > '9') &&
           std::ranges::all_of(text, fits);
}

/// Printable, and at most `most` bytes, none of its UTF-8 sequences split.
std::string shown(std::string_view text, std::size_t most)
{
    std::string out = printable(text);
    if (out.size() <= most) return out;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
    return out;
}

/// The whole text as a number; from_chars takes neither blanks nor a plus.
template <class Number>
std::optional<Number> number(std::string_view text)
{
    Number value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
}

std::optional<Duration> microseconds(std::string_view text)
{
    const auto count = number<std::uint64_t>(text);
    if (!count || *count > max_usec) return std::nullopt;
    return std::chrono::microseconds(*count);
}

std::optional<std::int32_t> pid(std::string_view text)
{
    const auto value = number<std::int32_t>(text);
    return value && *value > 0 ? value : std::nullopt;
}

std::optional<double> fraction(std::string_view text)
{
    const auto value = number<double>(text);
    return value && *value >= 0 && *value <= 1 && !std::signbit(*value) ? value : std::nullopt;
}

/// Takes a value that can be; false: it can't.
template <class T>
bool take(std::optional<T>& into, std::optional<T> value)
{
    if (!value) return false;
    into = std::move(value);
    return true;
}

bool take_one(bool& into, std::string_view value)
{
    into = into || value == "1";
    return value == "1";
}

bool take_watchdog(Notification& out, std::string_view value)
{
    return value == "trigger" ? (out.failed = true) : take_one(out.beat, value);
}

bool take_log(Notification& out, std::string_view value)
{
    const std::string_view level = value.substr(0, value.find(' '));
    if (std::ranges::find(log_levels, level) == log_levels.end()) return false;
    value.remove_prefix(std::min(value.size(), level.size() + 1));
    out.log = LogLine{std::string(level), shown(value, max_text)};
    return true;
}

bool take_artifact(Notification& out, std::string_view value)
{
    if (!value.starts_with('/') || value.size() > max_path || to_valid_utf8(value) != value)
        return false;
    out.artifacts.emplace_back(value);
    return true;
}

bool take_metric(Notification& out, std::string_view value)
{
    const std::string_view name = value.substr(0, value.find('='));
    if (!is_metric_name(name) || name.size() == value.size()) return false;
    const auto parsed = number<double>(value.substr(name.size() + 1));
    if (!parsed || !std::isfinite(*parsed)) return false;
    out.metrics.push_back({std::string(name), *parsed});
    return true;
}

/// What it says of results; nullopt: it is another field.
std::optional<bool> take_result(Notification& out, std::string_view name, std::string_view value)
{
    if (name == "X_BGT_LOG") return take_log(out, value);
    if (name == "X_BGT_ARTIFACT") return take_artifact(out, value);
    if (name == "X_BGT_METRIC") return take_metric(out, value);
    if (name == "X_BGT_SUMMARY") out.summary = shown(value, max_text);
    else if (name == "X_BGT_DATA") out.log_data = shown(value, max_data);
    else return std::nullopt;
    return true;
}

/// False: a value that can't be.
bool take_field(Notification& out, std::string_view name, std::string_view value)
{
    if (name == "READY") return take_one(out.ready, value);
    if (name == "STOPPING") return take_one(out.stopping, value);
    if (name == "BARRIER") return take_one(out.barrier, value);
    if (name == "WATCHDOG") return take_watchdog(out, value);
    if (name == "WATCHDOG_USEC") return take(out.watchdog, microseconds(value));
    if (name == "EXTEND_TIMEOUT_USEC") return take(out.extend, microseconds(value));
    if (name == "MAINPID") return take(out.main_pid, pid(value));
    if (name == "X_BGT_PROGRESS") return take(out.progress, fraction(value));
    if (name == "X_BGT_TOTAL") return take(out.total, number<std::uint32_t>(value));
    if (name == "STATUS") out.status = shown(value, max_status);
    if (name == "X_BGT_STEP") out.step = shown(value, max_step);
    return take_result(out, name, value).value_or(true);
}

} // namespace

bool is_metric_name(std::string_view name)
{
    const auto fits = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= max_metric && std::ranges::all_of(name, fits) &&
           (name.front() < '0' || name.front() > '9') && name.front() != '.' && name.front() != '-';
}

std::optional<Notification> parse_notification(std::string_view text)
{
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    Notification out;
    bool any = false;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || !is_name(line.substr(0, equals))) continue;
        any = true;
        if (!take_field(out, line.substr(0, equals), line.substr(equals + 1))) ++out.bad_fields;
    }
    if (!any) return std::nullopt;
    return out;
}

} // namespace bgt::core
