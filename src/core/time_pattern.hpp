#pragma once
/// Search in the times that a pattern names, on clocks that never change. Times are seconds since
/// 1970 as those clocks show them.
#include <bgt/core/recurrence.hpp>

namespace bgt::core {

using Seconds = std::int64_t;
inline constexpr Seconds day_seconds = 86'400;

/// The first that is at least `from`; nullopt: none up to the end of last_year.
std::optional<Seconds> first_match(const TimePattern&, Seconds from);
/// The last that is at most `until`; nullopt: none since 1970.
std::optional<Seconds> last_match(const TimePattern&, Seconds until);
/// How many are at least `from` and less than `end`. Both after 1970.
std::uint64_t count_matches(const TimePattern&, Seconds from, Seconds end);

/// The days of that month that match, as bits 1 to 31.
std::uint32_t matching_days(const TimePattern&, int year, unsigned month);

} // namespace bgt::core
