#pragma once
/// The moments at which the clocks of a zone change. Times are seconds since 1970 in UTC.
#include "time_pattern.hpp"

namespace bgt::core {

/// What the zone adds to UTC at that moment.
Seconds offset_at(const TimeZone&, Seconds utc);

/// The first moment after `after` and not after `until` from which on the offset is another one.
std::optional<Seconds> first_change(const TimeZone&, Seconds after, Seconds until);
/// The last such moment.
std::optional<Seconds> last_change(const TimeZone&, Seconds after, Seconds until);

/// No clock is further from UTC than this, and no change of the clocks is larger.
inline constexpr Seconds widest = 26 * 3600;
/// In this time no two changes happen that cancel each other.
inline constexpr Seconds settled = 2 * day_seconds;

} // namespace bgt::core
