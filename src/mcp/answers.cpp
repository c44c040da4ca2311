#include "answers.hpp"

#include "lists.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr int log_bytes = 16 * 1024;

json::object contents_of(const std::string& uri, std::string_view type, std::string text)
{
    return {{"contents", json::array{json::object{
                             {"uri", uri}, {"mimeType", type}, {"text", std::move(text)}}}}};
}

Result<json::object> call(const Server& server, std::string_view name,
                          const json::object& arguments, ops::Cancel cancel)
{
    return call_operation(server, name, arguments, cancel, {});
}

Result<std::string> whole_task(const Server& server, const std::string& word)
{
    BGT_TRY_ASSIGN(store::Root root, open_root(server, false));
    ops::Selection selection;
    selection.words = {word};
    BGT_TRY_ASSIGN(const auto ids, ops::select(root, selection, ops::Scope::any));
    BGT_TRY_ASSIGN(const auto task,
                   ops::recover_and_inspect(root, ids.front(), {true, true, true, false}));
    return render::json_text(render::task_json(task));
}

Result<json::object> read_resource(const Server& server, const Request& request, ops::Cancel cancel)
{
    const std::string uri(request.params.at("uri").as_string());
    const ResourceUri what = *parse_uri(uri);
    switch (what.kind) {
    case ResourceUri::Kind::tasks: {
        BGT_TRY_ASSIGN(const json::object list, call(server, "list", {{"limit", 100}}, cancel));
        return contents_of(uri, "application/json", render::json_text(list));
    }
    case ResourceUri::Kind::task: {
        BGT_TRY_ASSIGN(std::string text, whole_task(server, what.task));
        return contents_of(uri, "application/json", std::move(text));
    }
    case ResourceUri::Kind::log: {
        BGT_TRY_ASSIGN(const json::object read,
                       call(server, "read",
                            {{"id", what.task}, {"max_bytes", log_bytes}, {"wait_s", 0}}, cancel));
        return contents_of(uri, "text/plain", std::string(read.at("text").as_string()));
    }
    case ResourceUri::Kind::report: break;
    }
    BGT_TRY_ASSIGN(const json::object why,
                   call(server, "why", {{"id", what.task}, {"detail", true}}, cancel));
    std::string text(why.at("sentence").as_string());
    for (const char* field : {"cause", "next", "port_held_by", "report"})
        if (const json::value* more = why.if_contains(field))
            text += "\n" + std::string(more->as_string());
    return contents_of(uri, "text/plain", text + "\n");
}

/// What of the answer of a method is the same for all of a kind.
Result<json::object> answer(const Server& server, const Request& request, ops::Cancel cancel,
                            const Emit& emit)
{
    if (request.method == "resources/read") {
        BGT_TRY_ASSIGN(json::object read, read_resource(server, request, cancel));
        return cacheable(std::move(read), request.modern, Keeps::not_at_all);
    }
    if (request.method == "tasks/get") {
        const std::string id(request.params.at("taskId").as_string());
        BGT_TRY_ASSIGN(json::object task, task_json(server, request, id));
        return complete(std::move(task), true);
    }
    if (request.method == "tasks/update") return update_task(server, request, cancel);
    if (request.method == "tasks/cancel") return cancel_task(server, request);
    return call_tool(server, request, cancel, emit);
}

} // namespace

Result<store::Root> open_root(const Server& server, bool create)
{
    BGT_TRY_ASSIGN(store::Root root,
                   store::Root::open(server.root, create ? store::Root::IfMissing::create
                                                         : store::Root::IfMissing::empty));
    ops::keep_dispatching(root);
    return root;
}

std::string answer_line(const Server& server, const Request& request, ops::Cancel cancel,
                        const Emit& emit)
{
    if (request.method == "subscriptions/listen") return listen(server, request, cancel, emit);
    Result<json::object> result = answer(server, request, cancel, emit);
    if (cancel.requested()) return {};
    if (result) return result_line(request.id, *std::move(result));
    const Error& error = result.error();
    const bool is_wrong = error.kind == ErrorKind::not_found || error.kind == ErrorKind::usage;
    const bool is_resource = request.method == "resources/read" && !request.modern;
    const int code = !is_wrong     ? code::internal_error
                     : is_resource ? code::resource_not_found
                                   : code::invalid_params;
    Fault fault{code, printable(error.message), nullptr};
    if (request.method == "resources/read")
        fault.data = json::object{{"uri", request.params.at("uri")}};
    return error_line(request.id, fault);
}

} // namespace bgt::mcp
