#include "time_pattern.hpp"

#include <algorithm>
#include <bit>

namespace bgt::core {
namespace {

namespace chrono = std::chrono;

struct Month {
    int year;
    unsigned month;

    void forward()
    {
        if (++month > 12) ++year, month = 1;
    }
    void back()
    {
        if (--month < 1) --year, month = 12;
    }
    /// Days since 1970 of its day 1.
    Seconds first_day() const
    {
        return chrono::sys_days(chrono::year(year) / chrono::month(month) / 1)
            .time_since_epoch()
            .count();
    }
};

/// A day of the calendar, as a month and its day, and the second of that day.
struct Local {
    Month month;
    unsigned day;
    Seconds second;

    explicit Local(Seconds since_1970)
    {
        const auto days = chrono::floor<chrono::days>(chrono::seconds(since_1970));
        const chrono::year_month_day date{chrono::sys_days(days)};
        month = {static_cast<int>(date.year()), static_cast<unsigned>(date.month())};
        day = static_cast<unsigned>(date.day());
        second = since_1970 - chrono::seconds(days).count();
    }
};

bool has_year(const TimePattern& pattern, int year)
{
    if (pattern.years.empty()) return true;
    return std::ranges::any_of(pattern.years, [year](const Years& years) {
        return year >= years.first && year <= years.last && (year - years.first) % years.step == 0;
    });
}

template <class Set>
bool has(Set set, Seconds value)
{
    return (set >> value & 1) != 0;
}
/// The lowest value that is at least `from`; -1: none.
Seconds at_least(std::uint64_t set, Seconds from)
{
    const std::uint64_t rest = from > 63 ? 0 : set >> from << from;
    return rest == 0 ? -1 : std::countr_zero(rest);
}
/// The highest value that is at most `until`; -1: none.
Seconds at_most(std::uint64_t set, Seconds until)
{
    if (until < 0) return -1;
    const std::uint64_t rest = set << (63 - until) >> (63 - until);
    return rest == 0 ? -1 : 63 - std::countl_zero(rest);
}
/// How many values are below `end`.
std::uint64_t below(std::uint64_t set, Seconds end)
{
    return static_cast<std::uint64_t>(std::popcount(set & ((std::uint64_t{1} << end) - 1)));
}

/// First second of a day that is at least `from` and matches; -1: none.
Seconds first_second(const TimePattern& p, Seconds from)
{
    const Seconds hour = from / 3600, minute = from / 60 % 60;
    if (has(p.hours, hour)) {
        if (has(p.minutes, minute)) {
            const Seconds s = at_least(p.seconds, from % 60);
            if (s >= 0) return hour * 3600 + minute * 60 + s;
        }
        const Seconds m = at_least(p.minutes, minute + 1);
        if (m >= 0) return hour * 3600 + m * 60 + at_least(p.seconds, 0);
    }
    const Seconds h = at_least(p.hours, hour + 1);
    return h < 0 ? -1 : h * 3600 + at_least(p.minutes, 0) * 60 + at_least(p.seconds, 0);
}

/// Last second of a day that is at most `until` and matches; -1: none.
Seconds last_second(const TimePattern& p, Seconds until)
{
    Seconds hour = until / 3600, minute = until / 60 % 60;
    if (has(p.hours, hour)) {
        if (has(p.minutes, minute)) {
            const Seconds s = at_most(p.seconds, until % 60);
            if (s >= 0) return hour * 3600 + minute * 60 + s;
        }
        const Seconds m = at_most(p.minutes, minute - 1);
        if (m >= 0) return hour * 3600 + m * 60 + at_most(p.seconds, 59);
    }
    const Seconds h = at_most(p.hours, hour - 1);
    return h < 0 ? -1 : h * 3600 + at_most(p.minutes, 59) * 60 + at_most(p.seconds, 59);
}

/// How many seconds of a day match and are before `end`.
std::uint64_t seconds_before(const TimePattern& p, Seconds end)
{
    const auto per_minute = static_cast<std::uint64_t>(std::popcount(p.seconds));
    const auto per_hour = per_minute * static_cast<std::uint64_t>(std::popcount(p.minutes));
    const Seconds hour = end / 3600, minute = end / 60 % 60;
    std::uint64_t count = below(p.hours, hour) * per_hour;
    if (has(p.hours, hour)) {
        count += below(p.minutes, minute) * per_minute;
        if (has(p.minutes, minute)) count += below(p.seconds, end % 60);
    }
    return count;
}

std::uint32_t days_of(const TimePattern& pattern, const Month& month)
{
    if (!has(pattern.months, month.month) || !has_year(pattern, month.year)) return 0;
    return matching_days(pattern, month.year, month.month);
}

/// How many match since the beginning of the month of `end`, before `end`.
std::uint64_t count_in_month(const TimePattern& pattern, const Local& end)
{
    const std::uint32_t days = days_of(pattern, end.month);
    std::uint64_t count = below(days, end.day) * seconds_before(pattern, day_seconds);
    if (has(days, end.day)) count += seconds_before(pattern, end.second);
    return count;
}

} // namespace

std::uint32_t matching_days(const TimePattern& pattern, int year, unsigned month)
{
    const chrono::year_month_day first = chrono::year(year) / chrono::month(month) / 1;
    const auto length = static_cast<unsigned>(
        chrono::year_month_day_last(first.year() / first.month() / chrono::last).day());
    const unsigned weekday = chrono::weekday(chrono::sys_days(first)).c_encoding();

    std::uint32_t dates = pattern.days, by_weekday = 0;
    for (std::uint32_t rest = pattern.days_from_end; rest != 0; rest &= rest - 1) {
        const auto back = static_cast<unsigned>(std::countr_zero(rest));
        if (back < length) dates |= 1u << (length - back);
    }
    for (unsigned w = 0; w < 7; ++w) {
        const unsigned first_such = 1 + (w + 7 - weekday) % 7;
        const std::uint8_t nth = pattern.nth_weekdays[w];
        for (unsigned day = first_such, n = 1; day <= length; day += 7, ++n)
            if (has(pattern.weekdays, w) || has(nth, n) || (has(nth, 6) && day + 7 > length))
                by_weekday |= 1u << day;
    }
    const std::uint32_t all = (std::uint32_t{2} << length) - 2;
    return (pattern.either ? dates | by_weekday : dates & by_weekday) & all;
}

std::optional<Seconds> first_match(const TimePattern& pattern, Seconds from)
{
    const Local local(from);
    Month month = local.month;
    if (month.year > last_year) return std::nullopt;
    std::uint32_t days = days_of(pattern, month);
    if (has(days, local.day)) {
        const Seconds second = first_second(pattern, local.second);
        if (second >= 0) return from - local.second + second;
    }
    days = static_cast<std::uint32_t>(std::uint64_t{days} >> (local.day + 1) << (local.day + 1));
    while (days == 0) {
        month.forward();
        if (month.year > last_year) return std::nullopt;
        days = days_of(pattern, month);
    }
    return (month.first_day() + std::countr_zero(days) - 1) * day_seconds +
           first_second(pattern, 0);
}

std::optional<Seconds> last_match(const TimePattern& pattern, Seconds until)
{
    const Local local(until);
    Month month = local.month;
    if (month.year < 1970) return std::nullopt;
    std::uint32_t days = days_of(pattern, month);
    if (has(days, local.day)) {
        const Seconds second = last_second(pattern, local.second);
        if (second >= 0) return until - local.second + second;
    }
    days &= (1u << local.day) - 1;
    while (days == 0) {
        month.back();
        if (month.year < 1970) return std::nullopt;
        days = days_of(pattern, month);
    }
    return (month.first_day() + 31 - std::countl_zero(days) - 1) * day_seconds +
           last_second(pattern, day_seconds - 1);
}

std::uint64_t count_matches(const TimePattern& pattern, Seconds from, Seconds end)
{
    if (from >= end) return 0;
    const Local begin(from), behind(end);
    std::uint64_t count = count_in_month(pattern, behind);
    std::uint64_t days = 0;
    for (Month month = begin.month;
         month.year != behind.month.year || month.month != behind.month.month; month.forward())
        days += static_cast<std::uint64_t>(std::popcount(days_of(pattern, month)));
    count += days * seconds_before(pattern, day_seconds);
    return count - count_in_month(pattern, begin);
}

} // namespace bgt::core
