#include "recurrence_parts.hpp"

#include "time_pattern.hpp"
#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace bgt::core {
namespace {

constexpr std::array<std::string_view, 7> weekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};

std::optional<int> find_name(std::span<const std::string_view> names, std::string_view name)
{
    const std::string low = lower_case(name);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string full = lower_case(names[i]);
        if (low == full || low == full.substr(0, 3)) return static_cast<int>(i);
    }
    return std::nullopt;
}

} // namespace

Error bad_expression(std::string_view kind, std::string_view text, std::string_view why)
{
    return Error::usage("bad " + std::string(kind) + " " + shell_quote(fit(printable(text), 60)) +
                        ": " + std::string(why));
}

std::optional<int> read_digits(std::string_view text)
{
    if (text.empty() || text.size() > 9) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<int> weekday_number(std::string_view name)
{
    return find_name(weekdays, name);
}

std::optional<int> month_number(std::string_view name)
{
    const auto index = find_name(months, name);
    return index ? std::optional(*index + 1) : std::nullopt;
}

std::string_view weekday_name(int number)
{
    return weekdays.at(static_cast<std::size_t>(number));
}

std::string_view month_name(int number)
{
    return months.at(static_cast<std::size_t>(number - 1));
}

std::uint64_t bits(int first, int last, int step)
{
    std::uint64_t set = 0;
    for (int value = first; value <= last; value += step) set |= std::uint64_t{1} << value;
    return set;
}

std::string lower_case(std::string_view text)
{
    std::string low(text);
    for (char& c : low)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return low;
}

Result<Recurrence> possible(TimePattern pattern, std::string zone, std::string_view kind,
                            std::string_view text)
{
    if (!first_match(pattern, 0))
        return bad_expression(kind, text, "it never happens, no year has such a day");
    return Recurrence{std::move(pattern), std::move(zone)};
}

} // namespace bgt::core
