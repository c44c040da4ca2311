#pragma once
/// Three kinds of time that the compiler keeps apart. None of them is read here: time is a
/// parameter.
#include <bgt/base/result.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bgt {

using Duration = std::chrono::nanoseconds;

/// Tag of CLOCK_MONOTONIC (man 2 clock_gettime): the same for all processes of one boot, stands
/// still in suspend.
struct Monotonic {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Monotonic>;
    static constexpr bool is_steady = true;
};
/// A moment of this boot. Everything that decides uses this one.
using Instant = std::chrono::time_point<Monotonic, Duration>;
/// A moment of the calendar (CLOCK_REALTIME). Only for people and records; it may jump.
using WallTime = std::chrono::sys_time<Duration>;

/// Reads `500ms`, `30`, `30s`, `10m`, `1h30m`, `2d` (d, h, m, s, ms, us, ns); a bare number is
/// seconds; fractions (`1.5s`) are allowed. Error (usage): empty, negative, unknown unit, units
/// twice or out of order, beyond 100 years.
Result<Duration> parse_duration(std::string_view text);

/// Like parse_duration, and `off` is "no limit" (nullopt). Zero is refused: a limit of 0 would end
/// everything at once.
Result<std::optional<Duration>> parse_limit(std::string_view text);

/// The shortest exact text that parse_duration reads back: "1h30m", "500ms", "0s".
std::string format_duration(Duration d);

/// For people, at most two units and 6 characters: "4m12s", "3d4h", "0.8s", "12ms".
std::string format_age(Duration d);

/// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.123Z" (years 0 to 9999).
std::string format_rfc3339(WallTime t);

/// Reads what format_rfc3339 prints, with any number of fraction digits and `Z` or `+hh:mm`.
/// Error (usage): anything else, and years that a WallTime does not reach (1677 to 2262).
Result<WallTime> parse_rfc3339(std::string_view text);

} // namespace bgt
