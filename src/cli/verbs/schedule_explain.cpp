#include "schedule_explain.hpp"

#include "run/run_table.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/explain_schedule.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/render/schedule_explanation.hpp>
#include <bgt/render/words.hpp>

namespace bgt::cli {

namespace {

constexpr int max_fires = 1000;

Result<ops::ExplainScheduleRequest> request_of(const ExplainWords& said, WallTime now)
{
    if (said.words.empty())
        return Error::usage(
            "which expression? bgt schedule explain 'EXPRESSION', e.g. '30 2 * * *'");
    ops::ExplainScheduleRequest request;
    for (const std::string& word : said.words)
        request.expression += (request.expression.empty() ? "" : " ") + word;
    request.zone = said.zone.value_or("");
    if (said.zone && said.zone->empty())
        return Error::usage("--tz: the name of the time zone is empty");
    if (said.from) {
        const auto from = ops::parse_moment(*said.from, now);
        if (!from) return Error::usage("--from: " + from.error().message);
        request.from = *from;
    }
    if (said.count) {
        const auto count = parse_int(*said.count, 1, max_fires);
        if (!count) return Error::usage("--count: " + count.error().message);
        request.count = static_cast<std::size_t>(*count);
    }
    return request;
}

} // namespace

int explain_schedule(Context& context, const ExplainWords& said)
{
    const WallTime now = render::Moment::now().wall;
    const auto request = request_of(said, now);
    if (!request) return context.fail(request.error(), said.json);
    const auto answer = ops::explain_schedule(*request, now);
    if (!answer) return context.fail(answer.error(), said.json);
    context.print(said.json ? render::explanation_json(*answer)
                            : render::explanation_text(*answer, context.table_width()));
    if (!said.json && answer->fires.size() < request->count)
        context.print(answer->fires.empty() ? "  never\n" : "  and never again\n");
    return code::ok;
}

} // namespace bgt::cli
