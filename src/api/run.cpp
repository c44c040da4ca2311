#include "operations.hpp"
#include "parts.hpp"

#include <bgt/ops/await_output.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/ops/restart.hpp>
#include <bgt/ops/send.hpp>
#include <bgt/ops/submit.hpp>

#include <boost/json.hpp>

namespace bgt::api {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds write_timeout(5);

ops::IfNameTaken if_name_taken(const std::string& word)
{
    if (word == "reuse") return ops::IfNameTaken::use_it;
    return word == "replace" ? ops::IfNameTaken::replace : ops::IfNameTaken::fail;
}

Result<StartWords> words_of_run(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(StartWords out, start_words(call));
    if (given.has("stdin_text") && given.flag("interactive"))
        return Error::usage("stdin_text ends with its end; with interactive, use send");
    out.stdin_pipe = given.has("stdin_text") || given.flag("interactive");
    if (given.text_or_default("if_exists") != "fail" && !out.name)
        return Error::usage("if_exists needs a name");
    const auto ready = given.object("ready");
    if (!ready) return out;
    if (const auto port = ready->integer("port"))
        out.ready_port = {*port == 0 ? "any" : std::to_string(*port)};
    if (const auto log = ready->text("log")) out.ready_log = {*log};
    if (const auto http = ready->text("http")) out.ready_http = {*http};
    return out;
}

/// All of it, and then the end of its stdin. What it does not read is its own affair.
void feed_stdin(const Call& call, store::TaskId id)
{
    ops::SendRequest request;
    request.task = to_string(id);
    request.text = call.arguments.text("stdin_text");
    request.eof = true;
    request.timeout = write_timeout;
    (void)ops::send(call.root, request, call.cancel);
}

} // namespace

Result<json::object> call_run(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(const StartWords words, words_of_run(call));
    BGT_TRY_ASSIGN(ops::StartRequest request, call.caller.start_request(words));
    request.spec.scopes = put_scopes(call, request.env);
    prefer_bash(request.spec);
    const bool has_ready = !request.spec.ready.empty();
    const auto taken = if_name_taken(given.text_or_default("if_exists"));
    BGT_TRY_ASSIGN(const ops::StartAnswer started,
                   ops::start(call.root, std::move(request), taken));
    if (given.has("stdin_text") && !started.was_there) feed_stdin(call, started.id);
    const Duration timeout = to_duration(*given.number("wait_s"));
    const bool prompts = given.flag("interactive");
    if (prompts && !has_ready && timeout > Duration::zero()) {
        BGT_TRY(ops::await_output(call.root, {started.id, 0, timeout, true}, call.cancel));
    } else {
        BGT_TRY(await_started(call, started.id, has_ready, timeout));
    }
    BGT_TRY_ASSIGN(json::object out, start_answer(call, started.id, prompts));
    if (started.was_there) out["reused"] = true;
    return out;
}

Result<json::object> call_restart(const Call& call)
{
    BGT_TRY_ASSIGN(const store::TaskId id, named_task(call));
    ops::RestartRequest request;
    request.selection.words = {to_string(id)};
    BGT_TRY_ASSIGN(auto done, ops::restart(call.root, request, {}, call.cancel));
    BGT_TRY_ASSIGN(const ops::Restarted restarted, ops::only_task(std::move(done), id));
    const auto seen =
        ops::recover_and_inspect(call.root, restarted.id, {true, false, false, false});
    const bool has_ready = seen && seen->spec && !seen->spec->ready.empty();
    const Duration timeout = to_duration(*call.arguments.number("wait_ready_s"));
    if (has_ready) BGT_TRY(await_started(call, restarted.id, true, timeout));
    BGT_TRY_ASSIGN(json::object out, start_answer(call, restarted.id, false));
    if (restarted.instead) out["instead_of"] = restarted.instead->value;
    return out;
}

Result<json::object> call_submit(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(const StartWords words, start_words(call));
    SubmitWords how;
    how.queue = given.text("queue");
    how.key = given.text("key");
    how.after = given.texts("after");
    if (const auto priority = given.integer("priority")) how.priority = std::to_string(*priority);
    BGT_TRY_ASSIGN(ops::SubmitRequest request, call.caller.submit_request(words, how));
    request.spec.scopes = put_scopes(call, request.context.env);
    prefer_bash(request.spec);
    request.want_position = true;
    BGT_TRY_ASSIGN(const ops::SubmitAnswer done,
                   ops::submit(call.root, std::move(request), call.cancel));
    return json::object{{"id", done.ids.first},
                        {"queue", done.queue},
                        {"queue_size", done.queue_size},
                        {"position", done.position}};
}

} // namespace bgt::api
