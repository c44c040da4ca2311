#include "zone_changes.hpp"

#include <algorithm>

namespace bgt::core {
namespace {

/// Between `low` and `high`, whose offsets differ, the first moment of another offset than that of
/// `low`. Of several changes so near to each other it may be any.
Seconds bisect(const TimeZone& zone, Seconds low, Seconds high)
{
    const Seconds before = offset_at(zone, low);
    while (high - low > 1) {
        const Seconds middle = low + (high - low) / 2;
        (offset_at(zone, middle) == before ? low : high) = middle;
    }
    return high;
}

Seconds steady_until(const TimeZone& zone, Seconds utc)
{
    return std::chrono::floor<std::chrono::seconds>(
               zone.steady_until(WallTime(std::chrono::seconds(utc))))
        .time_since_epoch()
        .count();
}

} // namespace

WallTime from_local(WallTime local, const TimeZone& zone)
{
    // A change of the clocks is between the offsets of a day before and a day after; only the zone
    // itself knows when it is.
    const std::chrono::seconds before = zone.offset(local - std::chrono::hours(24));
    const std::chrono::seconds after = zone.offset(local + std::chrono::hours(24));
    for (const std::chrono::seconds offset : {before, after})
        if (zone.offset(local - offset) == offset) return local - offset;
    return local - before;
}

Seconds offset_at(const TimeZone& zone, Seconds utc)
{
    return zone.offset(WallTime(std::chrono::seconds(utc))).count();
}

std::optional<Seconds> first_change(const TimeZone& zone, Seconds after, Seconds until)
{
    const Seconds offset = offset_at(zone, after);
    for (Seconds low = after; low < until;) {
        const Seconds steady = steady_until(zone, low);
        if (steady >= until) break;
        if (steady > low) { // what comes next is known without a search
            low = steady + 1;
            if (offset_at(zone, low) != offset) return low;
            continue;
        }
        const Seconds high = std::min(low + settled, until);
        if (offset_at(zone, high) != offset) return bisect(zone, low, high);
        low = high;
    }
    return std::nullopt;
}

std::optional<Seconds> last_change(const TimeZone& zone, Seconds after, Seconds until)
{
    const Seconds offset = offset_at(zone, until);
    for (Seconds high = until; high > after;) {
        const Seconds low = std::max(high - settled, after);
        if (offset_at(zone, low) != offset) return bisect(zone, low, high);
        high = low;
    }
    return std::nullopt;
}

} // namespace bgt::core
