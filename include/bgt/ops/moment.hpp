#pragma once
#include <bgt/base/time.hpp>
#include <string>

namespace bgt::ops {

/// How long ago (`10m`), or when: `14:00` (the last time it was that), `2026-11-28`,
/// `2026-11-28T14:00`, both in the local time zone, RFC 3339 with a zone, `@1764340800` (seconds
/// since 1970). Error (usage): anything else.
Result<WallTime> parse_moment(const std::string& text, WallTime now);

/// When to begin: `18:00` (the next time it is that), `2026-12-24` (midnight), `2026-12-24 18:00`,
/// all three in the zone (empty: that of this process); RFC 3339 with a zone, `@1764340800`. Error
/// (usage): anything else, what has passed, no such zone.
Result<WallTime> parse_start_time(const std::string& text, WallTime now, const std::string& zone);
/// Error (usage): this machine knows no zone of that name.
Result<void> check_zone(const std::string& name);
/// For people: "Thu 2026-12-24 18:00 +01:00 (in 3h12m)", in the local time zone.
std::string time_words(WallTime, WallTime now);

} // namespace bgt::ops
