#pragma once
/// When something happens again and again: an interval, a cron expression, or a calendar
/// expression of systemd. Pure functions: the present and the time zone are parameters.
///
/// What happens when the clocks of the zone change (the rule of Vixie cron):
/// - A recurrence is *fixed* where hour and minute are given, as in `30 2 * * *`. It fires once for
///   each time that it names: a time that comes twice, at the first; a time that is skipped, at the
///   moment at which the clocks skip it. Several that are skipped together fire once. Where clocks
///   skip more than three hours (Samoa skipped the 30th of December 2011), what is skipped does not
///   happen.
/// - Any other one is *wild*, as in `*/30 * * * *`: it fires whenever the clocks show a matching
///   time, so twice in the hour that comes twice. A field is wild where it begins with `*` (or is
///   `N/STEP` without an end).
/// - An interval counts real time, and no zone concerns it.
#include <bgt/base/time.hpp>
#include <bgt/core/time_zone.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bgt::core {

/// Every so often, counted from an anchor: at `anchor`, `anchor + every` and so on, also before it.
struct Interval {
    Duration every{}; ///< at least a second
    WallTime anchor{};
    bool operator==(const Interval&) const = default;
};

/// The years first, first + step ... up to last.
struct Years {
    int first = 0, last = 0, step = 1;
    bool operator==(const Years&) const = default;
};

/// Which times of which days. Bit N of a set stands for the value N.
struct TimePattern {
    std::uint64_t seconds = 0, minutes = 0; ///< bits 0 to 59
    std::uint32_t hours = 0;                ///< bits 0 to 23
    std::uint32_t days = 0;                 ///< bits 1 to 31
    std::uint32_t days_from_end = 0;        ///< bit 0: the last day of the month; bits 0 to 30
    std::uint32_t months = 0;               ///< bits 1 to 12
    std::uint32_t weekdays = 0;             ///< bit 0: Sunday, bit 6: Saturday
    /// Of each weekday: bit 1 the first of the month to bit 5 the fifth, bit 6 the last.
    std::array<std::uint8_t, 7> nth_weekdays{};
    std::vector<Years> years; ///< empty: any
    /// One of date and weekday is enough (cron, where both are given); else a day needs both.
    bool either = false;
    bool fixed = false; ///< see above
    bool operator==(const TimePattern&) const = default;
};

/// Last year in which anything happens. A WallTime ends in 2262.
inline constexpr int last_year = 2261;

struct Recurrence {
    std::variant<Interval, TimePattern> when;
    std::string zone; ///< named in the expression itself (calendar); empty: none
    bool operator==(const Recurrence&) const = default;

    bool is_interval() const { return std::holds_alternative<Interval>(when); }
};

/// A duration (`5m`, `1h30m`; see parse_duration). Its anchor is 1970; set it by anchored().
/// Error (usage): no duration, shorter than a second, not a whole number of seconds.
Result<Recurrence> parse_every(std::string_view text);

/// Five fields (minute, hour, day of the month, month, day of the week) or six (second first), or
/// `@daily` and the like. Lists, ranges, steps, names of months and weekdays; `?` for `*` in the
/// fields of days; `L` and `L-3` as day of the month; `5L`, `friL`, `fri#2` as day of the week.
/// Error (usage): says which field is wrong and why; also what can never happen (`0 0 30 2 *`).
Result<Recurrence> parse_cron(std::string_view text);

/// `Mon..Fri *-*-* 02:00`, `*-02~01`, `hourly`, `*:0/15`, `Sat 12:00 Europe/Berlin`: see man 7
/// systemd.time, "CALENDAR EVENTS"; without fractions of a second. `*/2` is allowed too.
/// A zone at the end goes to Recurrence::zone, unchecked. Error (usage): as parse_cron.
Result<Recurrence> parse_calendar(std::string_view text);

/// Any of the three, told apart by their look: a duration (`every ` may stand before it), five or
/// six fields, a calendar expression.
Result<Recurrence> parse_recurrence(std::string_view text);

/// The same with that anchor. Without effect on what is no interval.
Recurrence anchored(Recurrence, WallTime anchor);

/// The first time after `after`, never `after` itself; nullopt: never again.
/// Times are whole seconds, but for an interval whose anchor is none.
std::optional<WallTime> next(const Recurrence&, const TimeZone&, WallTime after);

/// The last time that is not after `until`; nullopt: there was none since 1970.
std::optional<WallTime> previous(const Recurrence&, const TimeZone&, WallTime until);

/// What fell due in a span of time.
struct Missed {
    std::uint64_t count = 0;
    std::vector<WallTime> newest; ///< ascending; as many as wanted, or all there are
    bool operator==(const Missed&) const = default;
};

/// What falls due after `after` and not after `until`, and when the `newest` last of them did.
/// Counted by arithmetic: the cost grows with the months in between, and with `newest`.
Missed missed(const Recurrence&, const TimeZone&, WallTime after, WallTime until,
              std::size_t newest = 1);

/// For people, as the end of a sentence: "every 15 minutes", "at 02:30 on Monday to Friday".
std::string in_words(const Recurrence&);

} // namespace bgt::core
