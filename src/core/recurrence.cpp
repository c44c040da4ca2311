#include "zone_changes.hpp"

#include <algorithm>

namespace bgt::core {
namespace {

/// The longest jump of the clocks over which a fixed time is still made up for; a longer one sets
/// them to another date (Vixie cron draws the line there, too).
constexpr Seconds max_skip = 3 * 3600;
/// Before and after these (1700 and the end of last_year) nothing is looked for.
constexpr Seconds earliest = -8'520'336'000;
constexpr Seconds latest = 9'214'646'400;

Seconds floor_seconds(WallTime time)
{
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
WallTime wall(Seconds utc)
{
    return WallTime(std::chrono::seconds(utc));
}

// Fixed times. The clocks of a zone reach a time when they show it, or a later one, for the first
// time. That moment never decreases with the time.

/// The latest time that the clocks have shown up to and at `utc`.
Seconds latest_shown(const TimeZone& zone, Seconds utc)
{
    Seconds shown = utc + offset_at(zone, utc);
    for (auto change = last_change(zone, utc - widest, utc); change;
         change = last_change(zone, utc - widest, *change - 1))
        shown = std::max(shown, *change - 1 + offset_at(zone, *change - 1));
    return shown;
}

/// When the clocks reach the time `local`; nullopt: they skip it by too much.
std::optional<Seconds> reached(const TimeZone& zone, Seconds local)
{
    const Seconds end = local + widest;
    Seconds begin = local - widest, offset = offset_at(zone, begin);
    for (;;) {
        const auto change = first_change(zone, begin, end);
        if (!change || local - offset < *change) return local - offset;
        const Seconds next_offset = offset_at(zone, *change);
        if (local - next_offset < *change) {
            if (next_offset - offset > max_skip) return std::nullopt;
            return *change;
        }
        begin = *change;
        offset = next_offset;
    }
}

std::optional<Seconds> next_fixed(const TimePattern& pattern, const TimeZone& zone, Seconds after)
{
    auto local = first_match(pattern, latest_shown(zone, after) + 1);
    while (local) {
        if (const auto utc = reached(zone, *local)) return utc;
        local = first_match(pattern, *local + 1);
    }
    return std::nullopt;
}

std::optional<Seconds> previous_fixed(const TimePattern& pattern, const TimeZone& zone,
                                      Seconds until)
{
    auto local = last_match(pattern, latest_shown(zone, until));
    while (local) {
        if (const auto utc = reached(zone, *local)) return utc;
        local = last_match(pattern, *local - 1);
    }
    return std::nullopt;
}

std::uint64_t count_fixed(const TimePattern& pattern, const TimeZone& zone, Seconds after,
                          Seconds until)
{
    std::uint64_t count =
        count_matches(pattern, latest_shown(zone, after) + 1, latest_shown(zone, until) + 1);
    for (auto change = first_change(zone, after, until); change;
         change = first_change(zone, *change, until)) {
        const Seconds before = offset_at(zone, *change - 1), now = offset_at(zone, *change);
        if (now <= before) continue;
        const Seconds skip_end = *change + now;
        const Seconds skip_begin = std::max(*change + before, latest_shown(zone, *change - 1) + 1);
        const std::uint64_t skipped = count_matches(pattern, skip_begin, skip_end);
        if (skipped == 0) continue;
        const bool made_up = now - before <= max_skip;
        const std::uint64_t at_end = count_matches(pattern, skip_end, skip_end + 1);
        count -= skipped - (made_up && at_end == 0 ? 1 : 0);
    }
    return count;
}

// Wild times: whenever the clocks show one. From change to change the clocks run evenly.

std::optional<Seconds> next_wild(const TimePattern& pattern, const TimeZone& zone, Seconds after)
{
    for (Seconds from = after + 1; from <= latest;) {
        const Seconds offset = offset_at(zone, from);
        const auto local = first_match(pattern, from + offset);
        const Seconds found = local ? *local - offset : latest + 1;
        const auto change = first_change(zone, from, std::min(found, from + settled));
        if (change) {
            from = *change;
            continue;
        }
        if (local && found <= from + settled) return found;
        // The clocks show nothing that matches until shortly before it.
        from = std::max(from + settled, found - settled);
    }
    return std::nullopt;
}

std::optional<Seconds> previous_wild(const TimePattern& pattern, const TimeZone& zone,
                                     Seconds until)
{
    for (Seconds to = until; to >= 0;) {
        const Seconds offset = offset_at(zone, to);
        const auto local = last_match(pattern, to + offset);
        const Seconds found = local ? *local - offset : -1;
        const auto change = last_change(zone, std::max(found, to - settled), to);
        if (change) {
            to = *change - 1;
            continue;
        }
        if (local && found >= to - settled) return found;
        to = std::min(to - settled, found + settled);
    }
    return std::nullopt;
}

std::uint64_t count_wild(const TimePattern& pattern, const TimeZone& zone, Seconds after,
                         Seconds until)
{
    std::uint64_t count = 0;
    for (Seconds from = after + 1; from <= until;) {
        const Seconds offset = offset_at(zone, from);
        const Seconds end = first_change(zone, from, until).value_or(until + 1);
        count += count_matches(pattern, from + offset, end + offset);
        from = end;
    }
    return count;
}

// Intervals.

/// A time as a whole number of intervals since 1970 and a rest.
struct Split {
    std::int64_t whole, rest;

    Split(WallTime time, Duration every)
        : whole(time.time_since_epoch() / every), rest((time.time_since_epoch() % every).count())
    {
        if (rest < 0) --whole, rest += every.count();
    }
};

/// How many whole intervals lie between the anchor and that time, rounded down.
std::int64_t steps(const Interval& interval, WallTime time)
{
    const Split at(time, interval.every), anchor(interval.anchor, interval.every);
    return at.whole - anchor.whole - (at.rest < anchor.rest ? 1 : 0);
}

std::optional<WallTime> at_step(const Interval& interval, std::int64_t step)
{
    const Split anchor(interval.anchor, interval.every);
    std::int64_t at = 0;
    if (__builtin_mul_overflow(anchor.whole + step, interval.every.count(), &at) ||
        __builtin_add_overflow(at, anchor.rest, &at))
        return std::nullopt;
    return WallTime(Duration(at));
}

} // namespace

Recurrence anchored(Recurrence recurrence, WallTime anchor)
{
    if (auto* interval = std::get_if<Interval>(&recurrence.when)) interval->anchor = anchor;
    return recurrence;
}

std::optional<WallTime> next(const Recurrence& recurrence, const TimeZone& zone, WallTime after)
{
    if (const auto* interval = std::get_if<Interval>(&recurrence.when))
        return at_step(*interval, steps(*interval, after) + 1);
    const auto& pattern = std::get<TimePattern>(recurrence.when);
    const Seconds from = std::max(floor_seconds(after), earliest);
    if (from >= latest) return std::nullopt;
    const auto found =
        pattern.fixed ? next_fixed(pattern, zone, from) : next_wild(pattern, zone, from);
    return found && *found <= latest ? std::optional(wall(*found)) : std::nullopt;
}

std::optional<WallTime> previous(const Recurrence& recurrence, const TimeZone& zone, WallTime until)
{
    if (const auto* interval = std::get_if<Interval>(&recurrence.when)) {
        const auto found = at_step(*interval, steps(*interval, until));
        return found && *found >= WallTime{} ? found : std::nullopt;
    }
    const auto& pattern = std::get<TimePattern>(recurrence.when);
    const Seconds to = std::min(floor_seconds(until), latest);
    if (to < 0) return std::nullopt;
    const auto found =
        pattern.fixed ? previous_fixed(pattern, zone, to) : previous_wild(pattern, zone, to);
    return found && *found >= 0 ? std::optional(wall(*found)) : std::nullopt;
}

Missed missed(const Recurrence& recurrence, const TimeZone& zone, WallTime after, WallTime until,
              std::size_t newest)
{
    Missed answer;
    after = std::max(after, WallTime(Duration(-1)));
    if (until <= after) return answer;
    if (const auto* interval = std::get_if<Interval>(&recurrence.when)) {
        answer.count =
            static_cast<std::uint64_t>(steps(*interval, until) - steps(*interval, after));
    } else {
        const auto& pattern = std::get<TimePattern>(recurrence.when);
        const Seconds from = floor_seconds(after), to = std::min(floor_seconds(until), latest);
        answer.count = pattern.fixed ? count_fixed(pattern, zone, from, to)
                                     : count_wild(pattern, zone, from, to);
    }
    for (WallTime at = until; answer.newest.size() < std::min<std::uint64_t>(newest, answer.count);
         at = answer.newest.back() - Duration(1)) {
        const auto found = previous(recurrence, zone, at);
        if (!found || *found <= after) break;
        answer.newest.push_back(*found);
    }
    std::ranges::reverse(answer.newest);
    return answer;
}

} // namespace bgt::core
