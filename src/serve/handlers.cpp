#include "handlers.hpp"

#include "changes.hpp"

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/ops/inspect.hpp>
#include <bgt/ops/list.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/schedules.hpp>
#include <bgt/ops/stats.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/json_text.hpp>
#include <bgt/render/queues.hpp>
#include <bgt/render/schedules.hpp>
#include <bgt/render/stats.hpp>
#include <bgt/serve/openapi.hpp>

#include <boost/json.hpp>

namespace bgt::serve {

namespace {

namespace json = boost::json;

constexpr std::size_t events_shown = 100;

struct Kind {
    ErrorKind kind;
    std::string_view name;
    int status;
    int code; ///< of the command line
};
constexpr Kind kinds[] = {
    {ErrorKind::failed, "failed", 500, 125},
    {ErrorKind::usage, "usage", 400, 125},
    {ErrorKind::not_found, "not-found", 404, 125},
    {ErrorKind::cannot_exec, "cannot-exec", 422, 126},
    {ErrorKind::no_command, "no-command", 422, 127},
};

Response text_answer(std::string text)
{
    return {.body = std::move(text)};
}

Result<json::object> body_of(const Request& request)
{
    json::error_code error;
    const json::value value = json::parse(request.body, error);
    if (error) return Error::usage("the body is not JSON: " + error.message());
    if (!value.is_object()) return Error::usage("the body is not a JSON object");
    return value.get_object();
}

Result<Response> call(const Server& server, const api::Operation& operation, const Request& request,
                      api::Access access, int connection)
{
    BGT_TRY_ASSIGN(const json::object body, body_of(request));
    BGT_TRY_ASSIGN(const api::Arguments arguments, api::Arguments::check(operation.request, body));
    BGT_TRY_ASSIGN(store::Root root,
                   store::Root::open(server.root, store::Root::IfMissing::create));
    const api::Call call{root, server.caller, arguments, ops::Cancel{connection}, {}};
    BGT_TRY_ASSIGN(const json::object answer, operation.call(call));
    tell_change(root, operation, answer, access, connection);
    return text_answer(render::json_text(answer) + "\n");
}

Result<Response> list_tasks(store::Root& root, const Route& route)
{
    ops::ListRequest request;
    request.fields = shown_fields;
    const auto all = route.query.find("all"), state = route.query.find("state");
    if (all != route.query.end()) {
        if (all->second != "1") return Error::usage("all: expected 1");
        request.everything = true;
    }
    if (state != route.query.end()) request.states = {state->second};
    BGT_TRY_ASSIGN(const auto tasks, ops::list(root, request));
    json::array rows;
    for (const ops::Snapshot& task : tasks) rows.push_back(shown_task(task));
    return text_answer(render::answer_json({{"tasks", std::move(rows)}}));
}

Result<Response> show_task(store::Root& root, const Route& route)
{
    ops::InspectRequest request;
    request.selection.words = {to_string(route.id)};
    request.fields = shown_fields;
    request.max_events = events_shown;
    BGT_TRY_ASSIGN(const auto seen, ops::recover_and_inspect(root, request));
    if (seen.tasks.empty()) return Error::not_found("no such task " + to_string(route.id));
    const ops::Inspected& one = seen.tasks.front();
    json::array events;
    for (const auto& event : one.events) events.push_back(render::event_json(event));
    json::object out = shown_task(one.task);
    out["attempts"] = render::attempts_json(one.attempts);
    out["events"] = std::move(events);
    return text_answer(render::answer_json(std::move(out)));
}

Response tell_server(const Server& server, api::Access access)
{
    return text_answer(render::answer_json(
        {{"version", BGT_VERSION}, {"scope", scope_word(access)}, {"root", server.root}}));
}

/// What `bgt stats --openmetrics` prints. As the text format of Prometheus: the lines of types have
/// the whole names of counters.
Result<Response> tell_metrics(store::Root& root)
{
    BGT_TRY_ASSIGN(const auto answer, ops::metrics(root));
    return Response{.type = "text/plain; version=0.0.4; charset=utf-8",
                    .body = render::metrics_text(answer)};
}

Result<Response> read_route(const Server& server, const Route& route)
{
    if (route.kind == Route::Kind::openapi) return text_answer(render::json_text(openapi()) + "\n");
    BGT_TRY_ASSIGN(store::Root root, store::Root::open(server.root, store::Root::IfMissing::empty));
    if (route.kind == Route::Kind::tasks) return list_tasks(root, route);
    if (route.kind == Route::Kind::task) return show_task(root, route);
    if (route.kind == Route::Kind::metrics) return tell_metrics(root);
    if (route.kind == Route::Kind::schedules) {
        BGT_TRY_ASSIGN(const auto schedules, ops::list_schedules(root));
        return text_answer(render::schedules_json(schedules));
    }
    BGT_TRY_ASSIGN(const auto queues, ops::list_queues(root));
    return text_answer(render::queues_json(queues));
}

} // namespace

json::object shown_task(const ops::Snapshot& task)
{
    return render::task_json(task);
}

Response problem(const Error& error)
{
    if (ops::is_cancelled(error)) return problem(503, "it was given up");
    for (const Kind& one : kinds)
        if (one.kind == error.kind)
            return problem(one.status, error.message, {{"kind", one.name}, {"code", one.code}});
    return problem(500, error.message);
}

Response answer(const Server& server, const Route& route, const Request& request,
                api::Access access, int connection)
{
    if (route.kind == Route::Kind::server) return tell_server(server, access);
    const auto done = [&]() -> Result<Response> {
        try {
            if (route.kind == Route::Kind::operation)
                return call(server, *route.operation, request, access, connection);
            return read_route(server, route);
        } catch (const std::exception& error) {
            return Error::failed(error.what());
        }
    }();
    return done ? *done : problem(done.error());
}

} // namespace bgt::serve
