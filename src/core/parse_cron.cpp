#include "recurrence_parts.hpp"
#include <bgt/base/text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::core {
namespace {

constexpr std::string_view kind = "cron expression";

/// What a field of the expression may hold.
struct Field {
    std::string_view name;
    int low, high;
    int end; ///< of what has no end: `*`, `N/STEP`. As a weekday, 7 is Sunday once more
    std::optional<int> (*number_of)(std::string_view) = nullptr; ///< its names, where it has some
    bool day = false; ///< day of the month or of the week: `?`, `L`, `#`
};
constexpr Field second_field{"second", 0, 59, 59}, minute_field{"minute", 0, 59, 59},
    hour_field{"hour", 0, 23, 23}, month_field{"month", 1, 12, 12, month_number},
    day_field{"day of the month", 1, 31, 31, nullptr, true},
    weekday_field{"day of the week", 0, 7, 6, weekday_number, true};

/// What a field says.
struct Values {
    std::uint64_t set = 0;
    bool star = false; ///< it begins with `*`
    bool wild = false; ///< it holds `*` or `N/STEP`
};

using Why = std::string;

/// A problem of a field, or what it says.
template <class T>
struct Read {
    T value{};
    Why problem;
};

Why bad_value(const Field& field, std::string_view text)
{
    return fmt::format("the {} {} is not between {} and {}", field.name,
                       shell_quote(fit(printable(text), 20)), field.low, field.high);
}

std::optional<int> value_of(const Field& field, std::string_view text)
{
    std::optional<int> value = read_digits(text);
    if (!value && field.number_of != nullptr) value = field.number_of(text);
    return value && *value >= field.low && *value <= field.high ? value : std::nullopt;
}

/// `*`, `N`, `N-M`, each perhaps with `/STEP`.
Why read_range(const Field& field, std::string_view text, Values& values)
{
    const auto slash = text.find('/');
    const std::string_view range = text.substr(0, slash);
    int first = field.low, last = field.end, step = 1;
    bool open = range == "*" || (field.day && range == "?");
    if (!open) {
        const auto dash = range.find('-');
        const auto low = value_of(field, range.substr(0, dash));
        if (!low) return bad_value(field, range.substr(0, dash));
        first = last = *low;
        if (dash != std::string_view::npos) {
            const std::string_view end = range.substr(dash + 1);
            const auto high = value_of(field, end);
            if (!high) return bad_value(field, end);
            // `fri-sun`: Sunday is the end of the week, too.
            last = *high == 0 && first > 0 && !read_digits(end) ? 7 : *high;
        } else if (slash != std::string_view::npos) {
            last = std::max(first, field.end);
            open = true;
        }
        if (last < first)
            return fmt::format("the range {} of the {} ends before it begins; write two ranges",
                               shell_quote(range), field.name);
    }
    if (slash != std::string_view::npos) {
        const auto read = read_digits(text.substr(slash + 1));
        if (!read || *read == 0)
            return fmt::format("the step of the {} has to be a number above 0", field.name);
        if (*read > field.end - field.low + 1)
            return fmt::format("the step {} is more than the {} can count", *read, field.name);
        step = *read;
    }
    values.set |= bits(first, last, step);
    values.wild = values.wild || open;
    return {};
}

/// `L`, `L-3` of the month.
Why read_from_end(std::string_view text, TimePattern& pattern)
{
    int back = 0;
    if (text != "l") {
        const auto days = text.starts_with("l-") ? read_digits(text.substr(2)) : std::nullopt;
        if (!days || *days > 30)
            return "of the month there is L, the last day, and L-1 to L-30, the days before it";
        back = *days;
    }
    pattern.days_from_end |= 1u << back;
    return {};
}

/// `5L`, `L5`, `fri#2`.
Why read_nth(std::string_view text, TimePattern& pattern)
{
    const auto hash = text.find('#');
    std::string_view day = text.substr(0, hash);
    std::uint8_t nth = last_such;
    if (hash != std::string_view::npos) {
        const auto n = read_digits(text.substr(hash + 1));
        if (!n || *n < 1 || *n > 5) return "after # comes which one of the month it is, 1 to 5";
        nth = static_cast<std::uint8_t>(1u << *n);
    } else if (day.starts_with('l')) {
        day.remove_prefix(1);
    } else {
        day.remove_suffix(1);
    }
    if (day.empty())
        return "L alone is no day of the week: 5L is the last Friday of the month, 6 a Saturday";
    const auto weekday = value_of(weekday_field, day);
    if (!weekday) return bad_value(weekday_field, day);
    auto& of_day = pattern.nth_weekdays[static_cast<std::size_t>(*weekday % 7)];
    of_day = static_cast<std::uint8_t>(of_day | nth);
    return {};
}

Why read_item(const Field& field, std::string_view item, Values& values, TimePattern& pattern)
{
    if (item.empty()) return fmt::format("the {} is empty, or a part of its list", field.name);
    const bool of_week = field.high == weekday_field.high && field.day;
    if (field.day) {
        if (item.ends_with('w')) return "W (the nearest workday) can't be used";
        if (of_week && (item.find('#') != std::string_view::npos || item.starts_with('l') ||
                        item.ends_with('l')))
            return read_nth(item, pattern);
        if (!of_week && item.starts_with('l')) return read_from_end(item, pattern);
    }
    return read_range(field, item, values);
}

Read<Values> read_field(const Field& field, std::string_view text, TimePattern& pattern)
{
    Read<Values> read;
    read.value.star = text.starts_with('*') || (field.day && text.starts_with('?'));
    for (const std::string& item : split(text, ',')) {
        read.problem = read_item(field, item, read.value, pattern);
        if (!read.problem.empty()) break;
    }
    return read;
}

std::string_view expand_shorthand(std::string_view name)
{
    struct Shorthand {
        std::string_view name, fields;
    };
    static constexpr Shorthand all[] = {{"@yearly", "0 0 1 1 *"},  {"@annually", "0 0 1 1 *"},
                                        {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
                                        {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                        {"@hourly", "0 * * * *"},  {"@minutely", "* * * * *"}};
    const auto* found = std::ranges::find(all, name, &Shorthand::name);
    return found == std::end(all) ? std::string_view{} : found->fields;
}

std::vector<std::string> fields_of(std::string_view text)
{
    std::string spaced(text);
    std::ranges::replace(spaced, '\t', ' ');
    std::vector<std::string> fields = split(spaced, ' ');
    std::erase_if(fields, [](const std::string& field) { return field.empty(); });
    return fields;
}

/// The fields, with a second in front; empty: what is wrong is in `problem`.
Read<std::vector<std::string>> complete(std::string_view text)
{
    Read<std::vector<std::string>> read{fields_of(lower_case(text)), {}};
    std::vector<std::string>& fields = read.value;
    if (fields.size() == 1 && fields[0].starts_with('@')) {
        if (fields[0] == "@reboot") {
            read.problem = "@reboot names no time of the clock";
            return read;
        }
        const std::string_view meaning = expand_shorthand(fields[0]);
        if (meaning.empty()) {
            read.problem = "there are @yearly, @monthly, @weekly, @daily, @hourly and @minutely";
            return read;
        }
        fields = fields_of(meaning);
    }
    if (fields.size() == 5) fields.insert(fields.begin(), "0");
    else if (fields.size() != 6)
        read.problem = "it needs five fields (minute, hour, day of the month, month, day of the "
                       "week) or six, with the second first";
    return read;
}

} // namespace

Result<Recurrence> parse_cron(std::string_view text)
{
    const auto fields = complete(text);
    if (!fields.problem.empty()) return bad_expression(kind, text, fields.problem);
    static constexpr const Field* order[] = {&second_field, &minute_field, &hour_field,
                                             &day_field,    &month_field,  &weekday_field};
    TimePattern pattern;
    std::array<Values, 6> values;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto read = read_field(*order[i], fields.value[i], pattern);
        if (!read.problem.empty()) return bad_expression(kind, text, read.problem);
        values[i] = read.value;
    }
    const auto& [second, minute, hour, day, month, weekday] = values;
    pattern.seconds = second.set;
    pattern.minutes = minute.set;
    pattern.hours = static_cast<std::uint32_t>(hour.set);
    pattern.days = static_cast<std::uint32_t>(day.set);
    pattern.months = static_cast<std::uint32_t>(month.set);
    pattern.weekdays = static_cast<std::uint32_t>((weekday.set | weekday.set >> 7) & every_weekday);
    pattern.either = !day.star && !weekday.star;
    pattern.fixed = !minute.wild && !hour.wild;
    return possible(std::move(pattern), {}, kind, text);
}

} // namespace bgt::core
