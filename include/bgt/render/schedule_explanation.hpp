#pragma once
/// Schedules in words and dates, and as JSON.
#include <bgt/ops/explain_schedule.hpp>

#include <optional>
#include <string>

namespace bgt::render {

/// "at 02:30 every day, by the clocks of Europe/Berlin", and a line for each time: as the clocks
/// of the zone show it, and in UTC.
std::string explanation_text(const ops::ScheduleExplanation&,
                             std::optional<std::size_t> width = {});
/// {"schema":1,"fires":["2027-03-28T01:00:00.000Z",...]} and a newline.
std::string explanation_json(const ops::ScheduleExplanation&);

} // namespace bgt::render
