#include "operations.hpp"
#include "parts.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/list.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/render/brief.hpp>

#include <boost/json.hpp>

namespace bgt::api {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds stop_timeout(20);

std::string_view note_of(ops::Stopped::End end)
{
    using End = ops::Stopped::End;
    switch (end) {
    case End::survived: return "SIGKILL did not end all of it: why tells more";
    case End::timed_out: return "it is still being stopped: wait for its exit";
    case End::unrecorded: return "its record is damaged: its processes were ended";
    case End::had_ended: return "it had ended before";
    case End::ended:
    case End::removed:
    case End::cancelled: break;
    }
    return {};
}

} // namespace

Result<json::object> call_list(const Call& call)
{
    const Arguments& given = call.arguments;
    ops::ListRequest request;
    if (given.flag("mine")) request.selection.tags = {call.caller.tag};
    request.everything = true;
    if (const auto state = given.text("state")) request.states = {*state};
    request.fields.usage = request.fields.ports = request.fields.log_tail = true;
    request.tail_of_few = true;
    BGT_TRY_ASSIGN(const std::vector<ops::Snapshot> tasks, ops::list(call.root, request));
    const auto limit = static_cast<std::size_t>(*given.integer("limit"));
    json::array rows;
    for (const ops::Snapshot& task : tasks) {
        if (rows.size() == limit) break;
        rows.push_back(render::brief_task_json(task));
    }
    json::object out;
    if (rows.size() < tasks.size()) out["more"] = tasks.size() - rows.size();
    out["tasks"] = std::move(rows);
    return out;
}

Result<json::object> call_stop(const Call& call)
{
    ops::StopRequest request;
    BGT_TRY_ASSIGN(request.selection, selected_tasks(call));
    request.now = call.arguments.flag("now");
    request.timeout = stop_timeout;
    json::array errors;
    ops::Progress<ops::Stopped> progress;
    progress.missing = [&](const Error& error) { errors.emplace_back(printable(error.message)); };
    BGT_TRY_ASSIGN(const auto done, ops::stop(call.root, request, progress, call.cancel));
    json::array rows;
    for (const auto& one : done.tasks) {
        if (!one.result) {
            errors.emplace_back(printable(one.result.error().message));
            continue;
        }
        json::object row = render::brief_task_json(one.result->task);
        row.erase("age");
        row.erase("ports");
        if (const auto note = note_of(one.result->end); !note.empty()) row["problem"] = note;
        rows.push_back(std::move(row));
    }
    json::object out{{"tasks", std::move(rows)}};
    if (!errors.empty()) out["errors"] = std::move(errors);
    return out;
}

} // namespace bgt::api
