#include <bgt/base/time.hpp>

#include "decimal.hpp"
#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bgt {

namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    std::uint64_t nanoseconds;
};
/// From the largest to the smallest, the order in which they are written.
constexpr std::array units{
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1'000},
    Unit{"ns", 1},
};
constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t longest = 36'525 * units[0].nanoseconds; // 100 years; an Instant holds 292

Error bad_duration(std::string_view text, std::string_view why)
{
    return Error::usage(fmt::format("bad duration {}: {}; write e.g. 500ms, 30s, 10m, 1h30m",
                                    shell_quote(fit(printable(text), 40)), why));
}

std::string_view leading_letters(std::string_view text)
{
    const auto end = std::find_if(text.begin(), text.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

/// The size of `d` without its sign; also right for the lowest value.
std::uint64_t magnitude(Duration d)
{
    const auto count = static_cast<std::uint64_t>(d.count());
    return d.count() < 0 ? 0 - count : count;
}

/// Less than a minute, as one number and unit without loss.
std::string exact_seconds(std::uint64_t nanoseconds)
{
    if (nanoseconds < second) {
        for (const Unit& unit : {units[4], units[5]}) {
            if (nanoseconds % unit.nanoseconds == 0)
                return fmt::format("{}{}", nanoseconds / unit.nanoseconds, unit.name);
        }
        return fmt::format("{}ns", nanoseconds);
    }
    std::string text = std::to_string(nanoseconds / second);
    if (nanoseconds % second != 0) {
        text += fmt::format(".{:09}", nanoseconds % second);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + "s";
}

} // namespace

Result<Duration> parse_duration(std::string_view text)
{
    if (text.empty()) return bad_duration(text, "it is empty");
    if (text.front() == '-') return bad_duration(text, "it is negative");
    std::uint64_t total = 0;
    std::size_t next_unit = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const auto number = read_decimal(rest);
        if (!number) return bad_duration(text, "it needs a number and a unit");
        const bool alone = number->length == text.size();
        rest.remove_prefix(number->length);
        const auto name = alone ? "s" : leading_letters(rest);
        if (!alone) rest.remove_prefix(name.size());
        if (name.empty()) return bad_duration(text, "a number lacks its unit");
        const auto* unit =
            std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
        if (unit == units.end()) return bad_duration(text, "the units are d, h, m, s, ms, us, ns");
        const auto index = static_cast<std::size_t>(unit - units.begin());
        if (index < next_unit) return bad_duration(text, "a unit comes twice or out of order");
        next_unit = index + 1;
        const auto part = number->times(unit->nanoseconds, longest - total);
        if (!part) return bad_duration(text, "it is above 100 years");
        total += *part;
    }
    return Duration(static_cast<Duration::rep>(total));
}

Result<std::optional<Duration>> parse_limit(std::string_view text)
{
    if (text == "off") return std::optional<Duration>{};
    auto limit = parse_duration(text);
    if (!limit) return limit.error();
    if (*limit == Duration::zero())
        return Error::usage("a limit of 0 would end everything at once; write `off` for none");
    return std::optional<Duration>(*limit);
}

std::string format_duration(Duration d)
{
    std::uint64_t rest = magnitude(d);
    if (rest == 0) return "0s";
    std::string text = d < Duration::zero() ? "-" : "";
    for (const Unit& unit : {units[0], units[1], units[2]}) {
        if (rest >= unit.nanoseconds)
            text += fmt::format("{}{}", rest / unit.nanoseconds, unit.name);
        rest %= unit.nanoseconds;
    }
    if (rest != 0) text += exact_seconds(rest);
    return text;
}

std::string format_age(Duration d)
{
    const auto n = magnitude(std::max(d, Duration::zero()));
    const auto [day, hour, minute] =
        std::array{units[0].nanoseconds, units[1].nanoseconds, units[2].nanoseconds};
    const auto two = [n](std::uint64_t big, char big_name, std::uint64_t small, char small_name) {
        const auto less = n % big / small;
        return less == 0 ? fmt::format("{}{}", n / big, big_name)
                         : fmt::format("{}{}{}{}", n / big, big_name, less, small_name);
    };
    if (n < second / 10) return fmt::format("{}ms", n / 1'000'000);
    if (n < 10 * second) return fmt::format("{}.{}s", n / second, n % second / (second / 10));
    if (n < minute) return fmt::format("{}s", n / second);
    if (n < hour) return two(minute, 'm', second, 's');
    if (n < day) return two(hour, 'h', minute, 'm');
    if (n < 100 * day) return two(day, 'd', hour, 'h');
    if (n < 100'000 * day) return fmt::format("{}d", n / day);
    return fmt::format("{}y", n / (day * 365));
}

} // namespace bgt
