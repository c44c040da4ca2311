#pragma once
#include <bgt/base/time.hpp>

namespace bgt::ops {

/// How long ago (`10m`), or when: `14:00` (the last time it was that), `2026-11-28`,
/// `2026-11-28T14:00`, both in the local time zone, RFC 3339 with a zone, `@1764340800` (seconds
/// since 1970). Error (usage): anything else.
Result<WallTime> parse_moment(const std::string& text, WallTime now);

} // namespace bgt::ops
