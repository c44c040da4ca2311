#include "answers.hpp"

#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds between_progress(2);

/// Sends how it goes on, where the client asked for that, and not too often.
class ProgressSender {
public:
    ProgressSender(const Request& request, const Emit& emit) : request_(request), emit_(emit) {}

    void send(const api::Progress& progress)
    {
        const Instant now = os::now();
        if (request_.progress_token.is_null() || progress.seconds <= last_ || now < next_) return;
        next_ = now + between_progress;
        last_ = progress.seconds;
        emit_(
            notification_line("notifications/progress", {{"progressToken", request_.progress_token},
                                                         {"progress", progress.seconds},
                                                         {"total", progress.of},
                                                         {"message", progress.message}}));
    }

private:
    const Request& request_;
    const Emit& emit_;
    Instant next_{};
    double last_ = 0;
};

json::object error_result(const Error& error)
{
    return {{"content",
             json::array{json::object{{"type", "text"}, {"text", printable(error.message)}}}},
            {"isError", true}};
}

/// Of a run that failed, so that nobody takes "it has ended" for "it is well".
bool has_failed(std::string_view tool, const json::object& answer)
{
    if (tool != "run" && tool != "restart") return false;
    const json::value* exit = answer.if_contains("exit");
    return exit && exit->to_number<int>() != 0;
}

/// A job is handed out as a task of the protocol; of a server its readiness is the answer.
bool becomes_task(const Request& request, std::string_view tool, const json::object& arguments)
{
    return request.takes_tasks && tool == "run" && !arguments.contains("ready");
}

Result<json::object> run_as_task(const Server& server, json::object arguments, ops::Cancel cancel)
{
    arguments["wait_s"] = 0;
    const auto started = call_operation(server, "run", arguments, cancel, {});
    if (!started) return complete(error_result(started.error()), true);
    const store::TaskId id{started->at("id").to_number<std::int64_t>()};
    BGT_TRY_ASSIGN(const store::Root root, open_root(server, false));
    BGT_TRY_ASSIGN(const store::Status status, store::read_status_at(root.fd(), id));
    json::object out = complete(created_task(status, id), true);
    out["resultType"] = "task";
    return out;
}

} // namespace

json::object tool_result(json::object answer, bool is_error)
{
    std::string text = render::json_text(answer);
    return {{"content", json::array{json::object{{"type", "text"}, {"text", std::move(text)}}}},
            {"structuredContent", std::move(answer)},
            {"isError", is_error}};
}

Result<json::object> call_operation(const Server& server, std::string_view name,
                                    const json::object& arguments, ops::Cancel cancel,
                                    const std::function<void(const api::Progress&)>& progress)
{
    const api::Operation& operation = *api::find_operation(name);
    BGT_TRY_ASSIGN(const api::Arguments checked,
                   api::Arguments::check(operation.request, arguments));
    BGT_TRY_ASSIGN(store::Root root, open_root(server, operation.access == api::Access::run));
    return operation.call({root, server.caller, checked, cancel, progress});
}

Result<json::object> call_tool(const Server& server, const Request& request, ops::Cancel cancel,
                               const Emit& emit)
{
    const std::string name(request.params.at("name").as_string());
    const json::value* given = request.params.if_contains("arguments");
    const json::object arguments =
        given && given->is_object() ? given->get_object() : json::object();
    if (becomes_task(request, name, arguments)) return run_as_task(server, arguments, cancel);
    ProgressSender sender(request, emit);
    auto answer = call_operation(server, name, arguments, cancel,
                                 [&](const api::Progress& now) { sender.send(now); });
    if (!answer) return complete(error_result(answer.error()), request.modern);
    const bool failed = has_failed(name, *answer);
    return complete(tool_result(*std::move(answer), failed), request.modern);
}

} // namespace bgt::mcp
