#include <bgt/render/schedule_explanation.hpp>

#include "wrap.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

/// "Sun 2027-03-28 03:00:00 +02:00", by the clocks of the zone.
std::string clock_text(WallTime time, const core::TimeZone& zone)
{
    static constexpr std::array names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const auto offset = zone.offset(time);
    const auto local = std::chrono::floor<std::chrono::seconds>(time + offset);
    const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(local));
    std::string date = format_rfc3339(local).substr(0, 19);
    date[10] = ' ';
    const auto minutes = std::chrono::abs(offset) / std::chrono::minutes(1);
    return fmt::format("{} {} {}{:02}:{:02}", names.at(day.c_encoding()), date,
                       offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

} // namespace

std::string explanation_text(const ops::ScheduleExplanation& answer,
                             std::optional<std::size_t> width)
{
    const auto cut = [&](std::string line) { return width ? fit(line, *width) : line; };
    std::string words = core::in_words(answer.recurrence);
    if (answer.recurrence.is_interval())
        words += ", from " + clock_text(answer.from, *answer.clocks) + " on";
    else if (answer.recurrence.zone.empty())
        words += ", by the clocks of " + (answer.zone == "local" ? "this machine" : answer.zone);
    std::string out;
    for (const std::string& line : width ? wrapped(words, *width, 4) : std::vector{words})
        out += line + "\n";
    for (const WallTime fire : answer.fires)
        out += cut(fmt::format("  {}   {}", clock_text(fire, *answer.clocks),
                               format_rfc3339(std::chrono::floor<std::chrono::seconds>(fire)))) +
               "\n";
    return out;
}

std::string explanation_json(const ops::ScheduleExplanation& answer)
{
    boost::json::array fires;
    for (const WallTime fire : answer.fires) fires.emplace_back(format_rfc3339(fire));
    return answer_json({{"fires", std::move(fires)}});
}

} // namespace bgt::render
