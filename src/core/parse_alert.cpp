// The words of alerts: a row for each kind, from which parser, text and errors follow.
#include <bgt/core/alert.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace bgt::core {
namespace {

enum class Unit : std::uint8_t { rate, count, duration, duration_or_factor, time_of_day };

struct Row {
    AlertKind kind;
    std::string_view word;
    Unit unit;
    std::string_view example;
    bool has_window;
    bool has_min_runs;
};
constexpr std::array table{
    Row{AlertKind::error_rate, "error_rate", Unit::rate, "error_rate > 0.1", true, true},
    Row{AlertKind::failures_in_row, "failures_in_row", Unit::count, "failures_in_row >= 3", true,
        false},
    Row{AlertKind::mean_duration, "mean_duration", Unit::duration_or_factor, "mean_duration > 5m",
        true, true},
    Row{AlertKind::p95, "p95", Unit::duration_or_factor, "p95 > 2x", true, true},
    Row{AlertKind::wait, "wait", Unit::duration, "wait > 10m", false, false},
    Row{AlertKind::active, "active", Unit::count, "active > 100", false, false},
    Row{AlertKind::did_not_run_by, "did_not_run_by", Unit::time_of_day, "did_not_run_by 06:00",
        false, false},
};

constexpr std::string_view blanks = " \t";
constexpr double max_number = 1e6; ///< of those with a point
constexpr std::uint32_t max_count = 1'000'000'000;
constexpr std::size_t decimals = 6;

const Row& row_of(AlertKind kind)
{
    return *std::ranges::find(table, kind, &Row::kind);
}

std::string_view trimmed(std::string_view text)
{
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::string_view take_word(std::string_view& text)
{
    const auto is_of_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    const auto end = std::ranges::find_if_not(text, is_of_word);
    const auto size = static_cast<std::size_t>(end - text.begin());
    const std::string_view word = text.substr(0, size);
    text = trimmed(text.substr(size));
    return word;
}

Error bad(std::string_view text, const std::string& why)
{
    return Error::usage(
        fmt::format("bad condition {}: {}", shell_quote(fit(printable(text), 40)), why));
}

std::string all_words()
{
    std::string out;
    for (const Row& row : table) out += (out.empty() ? "" : ", ") + std::string(row.word);
    return out;
}

/// Digits with at most one point among them and so many behind it, nothing else: from_chars would
/// take "inf" and "1e9". In `parts`, rounded to millionths, which to_string() tells exactly.
std::optional<double> plain_number(std::string_view text, std::size_t most, double parts = 1)
{
    const bool is_plain = !text.empty() && text.find_first_not_of("0123456789.") == text.npos &&
                          std::ranges::count(text, '.') <= 1 && text.front() != '.' &&
                          text.back() != '.';
    const std::size_t point = std::min(text.find('.'), text.size());
    if (!is_plain || text.size() - point > most + 1) return std::nullopt;
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || number > max_number) return std::nullopt;
    return std::round(number / parts * 1e6) / 1e6;
}

std::string number_words(double number)
{
    std::string words = fmt::format("{:.6f}", number);
    words.resize(words.find_last_not_of('0') + 1);
    if (words.ends_with('.')) words.pop_back();
    return words;
}

std::optional<Duration> time_of_day(std::string_view text)
{
    constexpr std::string_view form = "00:00";
    if (text.size() != form.size() || text[2] != ':') return std::nullopt;
    const auto number = [&](std::size_t at) {
        const char tens = text[at], ones = text[at + 1];
        const bool digits = tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
        return digits ? (tens - '0') * 10 + (ones - '0') : 99;
    };
    if (number(0) > 23 || number(3) > 59) return std::nullopt;
    return std::chrono::hours(number(0)) + std::chrono::minutes(number(3));
}

/// Empty: it was read.
std::string read_value(AlertCondition& into, Unit unit, std::string_view text)
{
    switch (unit) {
    case Unit::rate: {
        const bool is_percent = text.ends_with('%');
        const auto rate = is_percent
                              ? plain_number(text.substr(0, text.size() - 1), decimals - 2, 100)
                              : plain_number(text, decimals);
        if (!rate) return "a rate is a number like 0.1 or 10%";
        into.number = *rate;
        if (into.number > 1 || (into.number == 1 && !into.or_equal))
            return "a rate is never above 1";
        return {};
    }
    case Unit::count: {
        std::uint32_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc{} || end != text.data() + text.size() || count > max_count)
            return "it is compared with a whole number";
        into.number = count;
        return count == 0 && into.or_equal ? "it is always at least 0" : "";
    }
    case Unit::duration_or_factor:
        if (text.ends_with('x')) {
            const auto factor = plain_number(text.substr(0, text.size() - 1), decimals);
            if (!factor || *factor <= 0)
                return "how many times as long as before is a number like 2x or 1.5x";
            into.number = *factor;
            into.is_factor = true;
            return {};
        }
        [[fallthrough]];
    case Unit::duration: {
        const auto duration = parse_duration(text);
        if (!duration) return duration.error().message;
        into.duration = *duration;
        return into.duration == Duration::zero() && into.or_equal ? "it is always at least 0s" : "";
    }
    case Unit::time_of_day: {
        const auto time = time_of_day(text);
        if (!time) return "a time of day is written 06:00";
        into.duration = *time;
        return {};
    }
    }
    return {};
}

} // namespace

Result<AlertCondition> parse_alert_condition(std::string_view text)
{
    std::string_view rest = trimmed(text);
    const std::string_view word = take_word(rest);
    const auto* row = std::ranges::find(table, word, &Row::word);
    if (row == table.end()) return bad(text, "it begins with one of " + all_words());
    AlertCondition out;
    out.kind = row->kind;
    const std::string wanted = "; write e.g. " + std::string(row->example);
    if (row->unit != Unit::time_of_day) {
        if (!rest.starts_with('>')) return bad(text, "`>` or `>=` follows its word" + wanted);
        out.or_equal = rest.starts_with(">=");
        rest = trimmed(rest.substr(out.or_equal ? 2 : 1));
    }
    if (const std::string why = read_value(out, row->unit, rest); !why.empty())
        return bad(text, why + wanted);
    return out;
}

std::string to_string(const AlertCondition& condition)
{
    const Row& row = row_of(condition.kind);
    if (row.unit == Unit::time_of_day) {
        const auto minutes = condition.duration / std::chrono::minutes(1);
        return fmt::format("{} {:02}:{:02}", row.word, minutes / 60, minutes % 60);
    }
    const std::string_view sign = condition.or_equal ? ">=" : ">";
    if (row.unit == Unit::count || row.unit == Unit::rate || condition.is_factor)
        return fmt::format("{} {} {}{}", row.word, sign, number_words(condition.number),
                           condition.is_factor ? "x" : "");
    return fmt::format("{} {} {}", row.word, sign, format_duration(condition.duration));
}

Result<void> check(const AlertRule& rule)
{
    const Row& row = row_of(rule.when.kind);
    if (rule.over && !row.has_window)
        return Error::usage(
            fmt::format("over means nothing with {}: it asks how things are now", row.word));
    if (rule.over && *rule.over <= Duration::zero()) return Error::usage("over is longer than 0s");
    if (rule.min_runs != 1 && !row.has_min_runs)
        return Error::usage(fmt::format("min_runs means nothing with {}", row.word));
    if (rule.min_runs == 0) return Error::usage("min_runs is at least 1");
    return {};
}

} // namespace bgt::core
