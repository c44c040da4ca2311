#include "operations.hpp"
#include "parts.hpp"
#include "settle.hpp"

#include <bgt/render/brief.hpp>
#include <bgt/render/words.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::api {

namespace {

namespace json = boost::json;
using End = ops::WaitAnswer::End;
using Cause = core::WaitVerdict::Cause;

constexpr std::size_t tails_told = 3;
constexpr std::size_t wait_tail_bytes = 600;
constexpr std::size_t tasks_told = 12;

std::string condition_text(const Arguments& given)
{
    const std::string until = given.text_or_default("until");
    if (until == "input") return "waiting-input";
    if (until == "quiet")
        return fmt::format("quiet:{}ms",
                           static_cast<std::int64_t>(*given.number("quiet_s") * 1000));
    if (until == "port")
        if (const auto port = given.integer("port")) return fmt::format("port:{}", *port);
    return until;
}

json::array brief_tasks(const Call& call, const std::vector<store::TaskId>& ids)
{
    json::array out;
    std::size_t tails = 0;
    ops::SnapshotFields want;
    want.usage = want.ports = want.log_tail = true;
    for (const ops::Snapshot& task : ops::recover_and_inspect_all(call.root, ids, want)) {
        if (out.size() == tasks_told) break;
        json::object one = render::brief_task_json(task);
        if (ops::is_over(task.status) && task.problem.empty() && tails < tails_told) {
            const auto output = read_output(call, task.id, {.max_bytes = wait_tail_bytes});
            if (output && !output->text.empty()) {
                one.erase("last");
                one["tail"] = output->text;
                ++tails;
            }
        }
        out.push_back(std::move(one));
    }
    return out;
}

void put_timeout(json::object& out, std::string_view hint)
{
    out["result"] = "timeout";
    out["timed_out"] = true;
    out["hint"] = hint;
}

void put_result(json::object& out, const Settled& settled, const std::string& condition)
{
    const ops::WaitAnswer& answer = settled.answer;
    if (settled.looping) {
        out["result"] = "crash-loop";
        out["id"] = settled.looping->value;
        out["hint"] = fmt::format("why {{\"id\":{}}} tells how it ends", settled.looping->value);
        return;
    }
    if (answer.end == End::timed_out) {
        put_timeout(out, "call wait again, or why");
        out["id"] = answer.tasks[answer.verdict.task].id.value;
        return;
    }
    const store::TaskId id = answer.tasks[answer.verdict.task].id;
    const Cause cause = answer.verdict.cause;
    const bool stuck =
        cause == Cause::stalled || cause == Cause::waiting_input || cause == Cause::crash_loop;
    out["result"] = answer.end == End::met ? "met" : stuck ? "stuck" : "impossible";
    out["id"] = id.value;
    out["condition"] = condition;
    if (cause == Cause::waiting_input)
        out["hint"] = fmt::format("it waits for input: send {{\"id\":{},\"text\":...}}", id.value);
    else if (answer.end == End::impossible)
        out["hint"] = cause == Cause::no_readiness
                          ? "it was started without `ready`: wait until port or log"
                          : fmt::format("why {{\"id\":{}}} tells more", id.value);
}

/// The first line after the cursor that matches.
Result<json::object> wait_for_log(const Call& call, store::TaskId id)
{
    const Arguments& given = call.arguments;
    const auto pattern = given.text("pattern");
    if (!pattern) return Error::usage("until log needs a pattern");
    OutputWish wish;
    wish.grep = *pattern;
    wish.max_bytes = 64 * 1024;
    BGT_TRY_ASSIGN(const std::uint64_t size, log_size(call, id));
    const auto after = given.integer("after_cursor");
    wish.from = after ? static_cast<std::uint64_t>(*after) : size;
    BGT_TRY_ASSIGN(const Output output,
                   read_waiting(call, id, wish, to_duration(*given.number("timeout_s"))));
    json::object out{{"result", "met"}, {"cursor", output.cursor}};
    if (!output.text.empty()) {
        out["line"] = output.text.substr(0, output.text.find('\n'));
    } else if (output.end) {
        out["result"] = "impossible";
        out["hint"] = fmt::format("it ended without such a line: why {{\"id\":{}}}", id.value);
    } else put_timeout(out, "call wait again with after_cursor, or why");
    out["id"] = id.value;
    out["condition"] = "log:" + *pattern;
    return out;
}

Result<json::object> wait_for_tasks(const Call& call, std::vector<store::TaskId> ids)
{
    const Arguments& given = call.arguments;
    const std::string until = given.text_or_default("until");
    const std::string text = condition_text(given);
    ops::WaitRequest request;
    request.tasks = std::move(ids);
    BGT_TRY_ASSIGN(core::Condition condition, core::parse_condition(text, "/"));
    request.conditions = {std::move(condition)};
    request.rules.any = given.flag("any");
    request.rules.or_stuck = until != "input" && until != "quiet";
    request.timeout = to_duration(*given.number("timeout_s"));
    BGT_TRY_ASSIGN(const Settled settled, settle(call, request));
    json::object out;
    put_result(out, settled, text);
    return out;
}

} // namespace

Result<json::object> call_wait(const Call& call)
{
    BGT_TRY_ASSIGN(const ops::Selection selection, selected_tasks(call));
    const bool mine = selection.words.empty();
    BGT_TRY_ASSIGN(std::vector<store::TaskId> ids,
                   ops::select(call.root, selection, mine ? ops::Scope::living : ops::Scope::any));
    if (ids.empty())
        return json::object{
            {"result", "met"}, {"tasks", json::array()}, {"hint", "no task of this server lives"}};
    const bool by_log = call.arguments.text_or_default("until") == "log";
    if (by_log && ids.size() != 1)
        return Error::usage("until log is about the output of one task: give one id");
    BGT_TRY_ASSIGN(json::object out,
                   by_log ? wait_for_log(call, ids.front()) : wait_for_tasks(call, ids));
    out["tasks"] = brief_tasks(call, ids);
    return out;
}

} // namespace bgt::api
