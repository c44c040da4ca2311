// The extension for tasks (SEP-2663): a run is a task of the protocol, and its id that of the task.
#include "answers.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/await_output.hpp>
#include <bgt/ops/send.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/render/words.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr int poll_interval_ms = 1000;
constexpr std::chrono::seconds write_timeout(5);

Result<store::TaskId> parse_id(std::string_view text)
{
    const auto id = store::parse_task_id(text);
    if (!id) return Error::not_found("no such task " + fit(printable(text), 40));
    return id;
}

json::object common(const store::Status& status, store::TaskId id, std::string_view word)
{
    const WallTime updated =
        status.ended ? *status.ended : status.attempt_started.value_or(status.created);
    return {{"taskId", to_string(id)},
            {"status", word},
            {"createdAt", format_rfc3339(status.created)},
            {"lastUpdatedAt", format_rfc3339(updated)},
            {"ttlMs", nullptr},
            {"pollIntervalMs", poll_interval_ms}};
}

/// What its question is called: another one has another name, as something was said before it.
std::string question_name(const ops::Snapshot& task)
{
    return fmt::format("stdin-{}", task.log_bytes);
}

/// Only where its stdin is the pipe of `bgt send`: what reads a terminal without an echo asks for a
/// secret, and that is not for a program to answer.
bool takes_answers(const ops::Snapshot& task)
{
    return !ops::is_over(task.status) && task.spec &&
           task.spec->stdin_from == store::StdinFrom::pipe && !task.status.stdin_closed;
}

bool asks(store::Root& root, const ops::Snapshot& task)
{
    return takes_answers(task) && ops::waits_for_input(root, task.id);
}

json::object input_requests(const ops::Snapshot& task, const std::string& message)
{
    const json::object schema{
        {"type", "object"},
        {"properties", json::object{{"text", json::object{{"type", "string"}}}}},
        {"required", json::array{"text"}}};
    return {
        {question_name(task), json::object{{"method", "elicitation/create"},
                                           {"params", json::object{{"mode", "form"},
                                                                   {"message", message},
                                                                   {"requestedSchema", schema}}}}}};
}

} // namespace

json::object created_task(const store::Status& status, store::TaskId id)
{
    return common(status, id, "working");
}

Result<json::object> task_json(const Server& server, const Request& request,
                               std::string_view task_id)
{
    BGT_TRY_ASSIGN(const store::TaskId id, parse_id(task_id));
    BGT_TRY_ASSIGN(store::Root root, open_root(server, false));
    BGT_TRY_ASSIGN(const ops::Snapshot task,
                   ops::recover_and_inspect(root, id, {true, false, false, false}));
    const store::Status& status = task.status;
    const std::string words = render::state_words(task).text;
    if (!ops::is_over(status)) {
        if (!request.answers_questions || !asks(root, task)) {
            json::object out = common(status, id, "working");
            out["statusMessage"] = words;
            return out;
        }
        // What it says with its question may have come to the log by that look.
        BGT_TRY_ASSIGN(const ops::Snapshot asking,
                       ops::recover_and_inspect(root, id, {true, false, false, false}));
        json::object out = common(status, id, "input_required");
        const auto read = call_operation(server, "read", {{"id", id.value}, {"wait_s", 0}}, {}, {});
        const json::value* prompt = read ? read->if_contains("prompt") : nullptr;
        const std::string question = prompt ? std::string(prompt->as_string()) : "";
        out["inputRequests"] =
            input_requests(asking, question.empty() ? "the task reads its stdin" : question);
        return out;
    }
    if (status.outcome.reason == core::Reason::killed ||
        status.outcome.reason == core::Reason::cancelled) {
        json::object out = common(status, id, "cancelled");
        out["statusMessage"] = words;
        return out;
    }
    json::object out = common(status, id, "completed");
    json::object answer{{"id", id.value}, {"state", words}, {"exit", ops::exit_code(status)}};
    const auto read = call_operation(
        server, "read", {{"id", id.value}, {"wait_s", 0}, {"max_bytes", 2048}}, {}, {});
    if (read) {
        answer["tail"] = read->at("text");
        answer["cursor"] = read->at("cursor");
    }
    out["result"] = tool_result(std::move(answer), ops::exit_code(status) != 0);
    return out;
}

Result<json::object> update_task(const Server& server, const Request& request, ops::Cancel cancel)
{
    BGT_TRY_ASSIGN(const store::TaskId id, parse_id(request.params.at("taskId").as_string()));
    const json::value* responses = request.params.if_contains("inputResponses");
    if (!responses || !responses->is_object())
        return Error::usage("params: inputResponses is missing");
    BGT_TRY_ASSIGN(store::Root root, open_root(server, false));
    BGT_TRY_ASSIGN(const ops::Snapshot task,
                   ops::recover_and_inspect(root, id, {true, false, false, false}));
    const json::object done = complete({}, true);
    const json::value* response = responses->get_object().if_contains(question_name(task));
    // Whether it waits at this very moment does not matter: nothing was said after the question.
    if (!response || !response->is_object() || !takes_answers(task)) return done;
    const json::value* action = response->get_object().if_contains("action");
    const json::value* content = response->get_object().if_contains("content");
    if (!action || !action->is_string() || action->get_string() != "accept" || !content ||
        !content->is_object())
        return done;
    const json::value* text = content->get_object().if_contains("text");
    if (!text || !text->is_string()) return Error::usage("the response has no text");
    ops::SendRequest send;
    send.task = to_string(id);
    send.text = std::string(text->get_string()) + "\n";
    send.timeout = write_timeout;
    BGT_TRY(ops::send(root, send, cancel));
    return done;
}

Result<json::object> cancel_task(const Server& server, const Request& request)
{
    BGT_TRY_ASSIGN(const store::TaskId id, parse_id(request.params.at("taskId").as_string()));
    BGT_TRY_ASSIGN(store::Root root, open_root(server, false));
    BGT_TRY_ASSIGN(const ops::Snapshot task, ops::recover_and_inspect(root, id, {}));
    if (!ops::is_over(task.status)) (void)ops::request_stop(root, id, false); // it may just end
    return complete({}, true);
}

} // namespace bgt::mcp
