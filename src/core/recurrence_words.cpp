#include "recurrence_parts.hpp"

#include <bit>
#include <fmt/format.h>

namespace bgt::core {
namespace {

using Words = std::vector<std::string>;

/// "a", "a and b", "a, b and c".
std::string join(const Words& words, std::string_view last = " and ")
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? std::string(last) : ", ") + words[i];
    return text;
}

/// The values of a set; three or more in a row as "A to B".
template <class Name>
std::string list(std::uint64_t set, Name name)
{
    Words words;
    while (set != 0) {
        const int first = std::countr_zero(set);
        const int length = std::countr_one(set >> first);
        if (length >= 3) words.push_back(name(first) + " to " + name(first + length - 1));
        for (int i = first; length < 3 && i < first + length; ++i) words.push_back(name(i));
        set = first + length > 63 ? 0 : set >> (first + length) << (first + length);
    }
    return join(words);
}
std::string list(std::uint64_t set)
{
    return list(set, [](int value) { return std::to_string(value); });
}

bool is_one(std::uint64_t set)
{
    return std::popcount(set) == 1;
}

/// N where the set is 0, N, 2 N ... and begins anew after `size` without a break.
int step_of(std::uint64_t set, int size)
{
    const int count = std::popcount(set);
    if (count < 2 || size % count != 0) return 0;
    const int step = size / count;
    return set == bits(0, size - 1, step) ? step : 0;
}

/// "every 5 minutes", "every minute"; empty: it is no such thing.
std::string every(std::uint64_t set, int size, std::string_view unit)
{
    const int step = step_of(set, size);
    if (step == 0) return {};
    return step == 1 ? fmt::format("every {}", unit) : fmt::format("every {} {}s", step, unit);
}

std::string plural(std::uint64_t set, std::string_view unit)
{
    return fmt::format("{}{} {}", unit, is_one(set) ? "" : "s", list(set));
}

std::string clock(int hour, int minute, int second)
{
    return second == 0 ? fmt::format("{:02}:{:02}", hour, minute)
                       : fmt::format("{:02}:{:02}:{:02}", hour, minute, second);
}

/// "from 09:00 to 17:59" for the hours of a range, else "in the hours 3, 7 and 9"; empty: all.
std::string within_hours(const TimePattern& p)
{
    if (p.hours == every_hour) return {};
    const int first = std::countr_zero(p.hours);
    const int length = std::popcount(p.hours);
    if (p.hours == bits(first, first + length - 1))
        return fmt::format(" from {:02}:00 to {:02}:59", first, first + length - 1);
    return " in the " + plural(p.hours, "hour");
}

/// All times of a day, where they are few.
std::string few_times(const TimePattern& p)
{
    if (std::popcount(p.hours) * std::popcount(p.minutes) > 6) return {};
    Words words;
    for (int hour = 0; hour < 24; ++hour)
        for (int minute = 0; minute < 60; ++minute)
            if ((p.hours >> hour & 1) != 0 && (p.minutes >> minute & 1) != 0)
                words.push_back(clock(hour, minute, std::countr_zero(p.seconds)));
    return "at " + join(words);
}

/// Which times of a day; the seconds are several.
std::string many_seconds(const TimePattern& p)
{
    const std::string repeated = every(p.seconds, 60, "second");
    std::string text = repeated.empty() ? "at " + plural(p.seconds, "second") : repeated;
    if (p.minutes != every_minute) text += " in " + plural(p.minutes, "minute");
    else if (repeated.empty()) text += " of every minute";
    return text + within_hours(p);
}

std::string times(const TimePattern& p)
{
    if (!is_one(p.seconds)) return many_seconds(p);
    const int second = std::countr_zero(p.seconds);
    const std::string at_second = second == 0 ? "" : fmt::format(" at second {}", second);
    if (!is_one(p.minutes)) {
        if (const auto text = every(p.minutes, 60, "minute"); !text.empty())
            return text + at_second + within_hours(p);
    } else if (p.hours == every_hour || step_of(p.hours, 24) > 1) {
        const int minute = std::countr_zero(p.minutes);
        const std::string hours = every(p.hours, 24, "hour");
        return minute == 0 && second == 0 ? hours
                                          : hours + " at " + clock(0, minute, second).substr(2);
    }
    if (const auto text = few_times(p); !text.empty()) return text;
    return "at " + plural(p.minutes, "minute") + at_second +
           (p.hours == every_hour ? " of every hour" : within_hours(p));
}

std::string dates(const TimePattern& p)
{
    Words words;
    if (p.days != 0) words.push_back(plural(p.days >> 1 << 1, "day"));
    for (int back = 0; back < 31; ++back)
        if ((p.days_from_end >> back & 1) != 0)
            words.push_back(back == 0   ? "the last day"
                            : back == 1 ? "the day before the last"
                                        : fmt::format("the day {} days before the last", back));
    return join(words) + " of the month";
}

std::string weekdays(const TimePattern& p)
{
    Words words;
    if (p.weekdays != 0) { // with Monday in front
        const std::uint64_t week = p.weekdays >> 1 | std::uint64_t{p.weekdays & 1} << 6;
        words.push_back(
            list(week, [](int day) { return std::string(weekday_name((day + 1) % 7)); }));
    }
    static constexpr std::string_view which[] = {"",       "first", "second", "third",
                                                 "fourth", "fifth", "last"};
    for (int day = 0; day < 7; ++day)
        for (std::size_t n = 1; n <= 6; ++n)
            if ((p.nth_weekdays[static_cast<std::size_t>(day)] >> n & 1) != 0)
                words.push_back(fmt::format("the {} {} of the month", which[n], weekday_name(day)));
    return join(words);
}

std::string days(const TimePattern& p)
{
    const bool all_dates = p.days == every_day, all_weekdays = p.weekdays == every_weekday;
    if (all_dates && all_weekdays) return {};
    if (all_weekdays) return " on " + dates(p);
    if (all_dates) return " on " + weekdays(p);
    return p.either ? " on " + dates(p) + ", and on " + weekdays(p)
                    : " on " + dates(p) + ", if it is " + weekdays(p);
}

std::string years(const TimePattern& p)
{
    Words words;
    for (const Years& years : p.years)
        words.push_back(
            years.first == years.last
                ? std::to_string(years.first)
                : fmt::format("{} to {}", years.first, years.last) +
                      (years.step == 1 ? "" : fmt::format(" every {} years", years.step)));
    return words.empty() ? "" : " in " + join(words);
}

} // namespace

std::string in_words(const Recurrence& recurrence)
{
    if (const auto* interval = std::get_if<Interval>(&recurrence.when))
        return "every " + format_duration(interval->every);
    const auto& p = std::get<TimePattern>(recurrence.when);
    std::string text = times(p), on = days(p);
    if (on.empty() && text.starts_with("at ") && text.find("every") == std::string::npos)
        on = " every day";
    text += on;
    if (p.months != every_month)
        text += " in " + list(p.months, [](int month) { return std::string(month_name(month)); });
    text += years(p);
    return recurrence.zone.empty() ? text : text + ", by the clocks of " + recurrence.zone;
}

} // namespace bgt::core
