#pragma once
/// A time zone, as far as recurrences need one.
#include <bgt/base/time.hpp>

namespace bgt::core {

class TimeZone {
public:
    virtual ~TimeZone() = default;
    /// What the clocks of the zone add to UTC at that moment. Exact to the second.
    ///
    /// Hazard: two changes that cancel each other must be more than two days apart, or they are
    /// not seen. In the tz database there are at least four days between any two.
    virtual std::chrono::seconds offset(WallTime utc) const = 0;
    /// A moment up to which the offset surely stays that of `utc`, at least `utc` itself. The
    /// farther, the faster the changes of many years are found.
    virtual WallTime steady_until(WallTime utc) const { return utc; }
};

/// The moment at which clocks of the zone show this. `local` holds their date and time as if it
/// were UTC. Of two such moments, the first; where clocks skip that time, the moment at which they
/// would have shown it without that.
WallTime from_local(WallTime local, const TimeZone&);

/// UTC, or any other zone whose clocks never change.
class FixedZone final : public TimeZone {
public:
    explicit FixedZone(std::chrono::seconds offset = {}) : offset_(offset) {}
    std::chrono::seconds offset(WallTime) const override { return offset_; }
    WallTime steady_until(WallTime) const override { return WallTime::max(); }

private:
    std::chrono::seconds offset_;
};

} // namespace bgt::core
