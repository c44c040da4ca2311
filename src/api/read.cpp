#include "operations.hpp"
#include "parts.hpp"

#include <bgt/ops/await_output.hpp>
#include <bgt/ops/send.hpp>
#include <bgt/render/words.hpp>

#include <boost/json.hpp>

namespace bgt::api {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds write_timeout(10);

/// What is there now of the task besides its text.
Result<json::object> with_state(const Call& call, store::TaskId id, const Output& output,
                                bool asks_for_prompt)
{
    ops::SnapshotFields want;
    BGT_TRY_ASSIGN(const ops::Snapshot task, ops::recover_and_inspect(call.root, id, want));
    BGT_TRY_ASSIGN(const std::uint64_t size, log_size(call, id));
    const bool over = ops::is_over(task.status);
    const bool more = !output.end && size > output.cursor;
    json::object out{{"id", id.value},
                     {"state", render::state_words(task).text},
                     {"text", output.text},
                     {"cursor", output.cursor},
                     {"more", more}};
    if (over) out["exit"] = ops::exit_code(task.status);
    if (output.skipped > 0) out["skipped"] = output.skipped;
    if (over || more || !asks_for_prompt) return out;
    if (ops::waits_for_input(call.root, id)) out["prompt"] = prompt_in(output.text);
    return out;
}

} // namespace

Result<json::object> call_read(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(const store::TaskId id, named_task(call));
    OutputWish wish;
    wish.max_bytes = static_cast<std::size_t>(*given.integer("max_bytes"));
    wish.line_max = static_cast<std::size_t>(*given.integer("line_max"));
    wish.grep = given.text("grep");
    if (const auto cursor = given.integer("cursor"))
        wish.from = static_cast<std::uint64_t>(*cursor);
    else if (given.text_or_default("from") == "start") wish.from = 0;
    BGT_TRY_ASSIGN(const Output output,
                   read_waiting(call, id, wish, to_duration(*given.number("wait_s"))));
    const bool unfinished = !output.text.empty() && output.text.back() != '\n';
    return with_state(call, id, output, unfinished || output.text.empty());
}

Result<json::object> call_send(const Call& call)
{
    const Arguments& given = call.arguments;
    BGT_TRY_ASSIGN(const store::TaskId id, named_task(call));
    ops::SendRequest request;
    request.task = to_string(id);
    std::string text = given.text_or_default("text");
    if (!given.has("text") && !given.flag("eof")) return Error::usage("give text, or eof: true");
    if (given.has("text") && (text.empty() || text.back() != '\n')) text += '\n';
    request.timeout = write_timeout;
    BGT_TRY_ASSIGN(const std::uint64_t before, log_size(call, id));
    if (!text.empty()) {
        request.text = std::move(text);
        BGT_TRY_ASSIGN(const ops::SendAnswer sent, ops::send(call.root, request, call.cancel));
        if (!sent.all) return Error::failed("it does not read its stdin: why tells what it does");
    }
    if (given.flag("eof")) {
        request.text = "";
        request.eof = true;
        const auto closed = ops::send(call.root, request, call.cancel);
        const auto seen = ops::recover_and_inspect(call.root, id, {});
        // By the text it may have come to its end.
        if (!closed && !(given.has("text") && seen && ops::is_over(seen->status)))
            return closed.error();
    }
    const Duration timeout = to_duration(*given.number("wait_s"));
    if (timeout > Duration::zero())
        BGT_TRY(ops::await_output(call.root, {id, before, timeout, true}, call.cancel));
    OutputWish wish;
    wish.from = before;
    wish.max_bytes = 2 * tail_bytes;
    BGT_TRY_ASSIGN(const Output output, read_output(call, id, wish));
    return with_state(call, id, output, true);
}

} // namespace bgt::api
