#pragma once
#include <bgt/core/recurrence.hpp>

#include <memory>

namespace bgt::ops {

struct ExplainScheduleRequest {
    std::string expression;       ///< an interval, a cron or a calendar expression
    std::string zone;             ///< empty: that of the expression, else that of the system
    std::optional<WallTime> from; ///< nullopt: now. An interval counts from there
    std::size_t count = 5;        ///< how many times
};

struct ScheduleExplanation {
    core::Recurrence recurrence;
    std::string
        zone; ///< by whose clocks it happens; `local` where the system does not name its own
    std::shared_ptr<const core::TimeZone> clocks;
    WallTime from{};
    std::vector<WallTime> fires; ///< fewer than wanted: then never again
};

/// When something would happen. Error (usage): a bad expression, no such zone, a zone in the
/// expression and another one in the request.
Result<ScheduleExplanation> explain_schedule(const ExplainScheduleRequest&, WallTime now);

} // namespace bgt::ops
