#include <bgt/ops/explain_schedule.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/time_zone.hpp>

namespace bgt::ops {

Result<ScheduleExplanation> explain_schedule(const ExplainScheduleRequest& request, WallTime now)
{
    BGT_TRY_ASSIGN(core::Recurrence recurrence, core::parse_recurrence(request.expression));
    if (!recurrence.zone.empty() && !request.zone.empty() && recurrence.zone != request.zone)
        return Error::usage(
            "the expression names the time zone " + shell_quote(printable(recurrence.zone)) +
            " and --tz another one: " + shell_quote(fit(printable(request.zone), 40)));
    BGT_TRY_ASSIGN(const auto zone,
                   os::TimeZone::open(recurrence.zone.empty() ? request.zone : recurrence.zone));
    ScheduleExplanation answer;
    answer.zone = zone->name();
    answer.clocks = zone;
    answer.from = request.from.value_or(now);
    answer.recurrence = core::anchored(std::move(recurrence), answer.from);
    for (WallTime at = answer.from; answer.fires.size() < request.count;) {
        const auto fire = core::next(answer.recurrence, *zone, at);
        if (!fire) break;
        answer.fires.push_back(at = *fire);
    }
    return answer;
}

} // namespace bgt::ops
