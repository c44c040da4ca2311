#pragma once
/// The time zone of this process: $TZ, or that of the machine (man 3 tzset).
#include <bgt/base/time.hpp>

namespace bgt::os {

/// What the zone adds to UTC at that time.
std::chrono::seconds utc_offset(WallTime);

/// The moment at which clocks of the zone show this. `local` holds their date and time as if it
/// were UTC. Of two such moments, the first; where clocks skip that time, the moment at which they
/// would have shown it without that.
WallTime from_local(WallTime local);

/// RFC 3339 in the zone, with milliseconds: "2026-01-31T13:00:00.123+01:00", and "Z" where it adds
/// nothing.
std::string format_local(WallTime);

} // namespace bgt::os
