#pragma once
/// The time zone of this process: $TZ, or that of the machine (man 3 tzset).
#include <bgt/core/time_zone.hpp>

namespace bgt::os {

/// What the zone adds to UTC at that time.
std::chrono::seconds utc_offset(WallTime);

/// For what is said of any zone. Unlike that of TimeZone::open(), it reads nothing ahead.
struct OwnZone final : core::TimeZone {
    std::chrono::seconds offset(WallTime utc) const override { return utc_offset(utc); }
};

/// See core::from_local().
WallTime from_local(WallTime local);

/// RFC 3339 in the zone, with milliseconds: "2026-01-31T13:00:00.123+01:00", and "Z" where it adds
/// nothing.
std::string format_local(WallTime);

} // namespace bgt::os
