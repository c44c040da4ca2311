#include "operations.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/events.hpp>
#include <bgt/render/brief.hpp>
#include <bgt/render/events.hpp>
#include <bgt/render/words.hpp>

#include "parts.hpp"

#include <boost/json.hpp>
#include <deque>

namespace bgt::api {

namespace {

namespace json = boost::json;

/// More than the answer takes are read at once, where the newest are wanted.
constexpr std::size_t at_once = 256;

json::object brief_event(const ops::EventRecord& record)
{
    const store::RootEvent& event = record.event;
    json::object out;
    if (event.at != WallTime{}) out["at"] = format_rfc3339(event.at);
    out["type"] = to_valid_utf8(event.type);
    out["level"] = core::to_string(event.level);
    if (event.task.value > 0) out["id"] = event.task.value;
    if (!event.name.empty()) out["name"] = printable(event.name);
    out["text"] = fit(render::event_sentence(event), line_bytes);
    if (const std::string* tail = event.text("tail"))
        out["tail"] = render::tail_of(*tail, line_bytes, line_bytes);
    return out;
}

Result<ops::EventsRequest> request_of(const Call& call)
{
    const Arguments& given = call.arguments;
    ops::EventsRequest request;
    request.selection.words = given.tasks("ids");
    request.selection.folder = call.caller.folder;
    if (request.selection.words.empty() && given.flag("mine"))
        request.selection.tags = {call.caller.tag};
    request.types = given.texts("types");
    if (const auto level = core::parse_event_level(given.text_or_default("level")))
        request.level = *level;
    const auto cursor = given.text("cursor");
    if (!cursor) return request;
    if (!store::parse_event_cursor(*cursor))
        return Error::usage("cursor: expected the cursor of an earlier answer");
    request.since = *cursor;
    return request;
}

} // namespace

/// With a cursor the first ones behind it, and without one the newest.
Result<json::object> call_events(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(const ops::EventsRequest request, request_of(call));
    BGT_TRY_ASSIGN(ops::EventFeed feed, ops::EventFeed::open(call.root, request));
    const auto limit = static_cast<std::size_t>(*given.integer("limit"));
    const bool newest = request.since.empty();
    const Instant deadline =
        render::Moment::now().mono + to_duration(newest ? 0 : *given.number("wait_s"));
    std::deque<ops::EventRecord> found;
    bool has_more = false;
    while (true) {
        BGT_TRY_ASSIGN(auto records, feed.take(newest ? at_once : limit - found.size()));
        for (ops::EventRecord& record : records) found.push_back(std::move(record));
        has_more = has_more || found.size() > limit;
        while (found.size() > limit) found.pop_front();
        if (!records.empty() && (newest || found.size() < limit)) continue;
        if (!found.empty() || render::Moment::now().mono >= deadline) break;
        BGT_TRY(feed.wait(call.cancel, deadline));
    }
    json::array rows;
    for (const ops::EventRecord& record : found) rows.push_back(brief_event(record));
    json::object out;
    out["cursor"] = feed.cursor();
    if (has_more) out["older"] = true;
    out["events"] = std::move(rows);
    return out;
}

} // namespace bgt::api
