#include "parts.hpp"
#include "settle.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/ops/await_output.hpp>
#include <bgt/ops/log_view.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/render/brief.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::api {

namespace json = boost::json;

namespace {

constexpr std::uint32_t loop_attempts = 4; ///< the attempt that is to come, after three that ended

constexpr std::size_t raw_factor = 2; ///< bytes of a log that are read for one of its rendered end
constexpr std::size_t search_bytes = 1 << 20; ///< of a log, searched at a time

std::string progress_message(const ops::WaitProgress& now)
{
    std::string text = now.tasks > 1 ? fmt::format("{} of {} ended", now.over, now.tasks)
                                     : ops::label(now.first.id, now.first.status) + " " +
                                           render::state_words(now.first).text;
    if (const std::string last = last_line(now.first.log_tail); !last.empty())
        text += " | " + fit(last, 80);
    return printable(text);
}

std::optional<store::TaskId> crash_loop(store::Root& root, const std::vector<store::TaskId>& ids)
{
    for (const store::TaskId id : ids) {
        const auto status = store::read_status_at(root.fd(), id);
        if (status && status->lifecycle == core::Lifecycle::backing_off && status->next_attempt &&
            status->attempt >= loop_attempts)
            return id;
    }
    return std::nullopt;
}

} // namespace

Duration to_duration(double seconds)
{
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Result<store::TaskId> named_task(const Call& call)
{
    ops::Selection selection;
    selection.words = {*call.arguments.task("id")};
    selection.folder = call.caller.folder;
    if (selection.words.front() == "-") selection.tags = {call.caller.tag};
    BGT_TRY_ASSIGN(const auto ids, ops::select(call.root, selection, ops::Scope::any));
    if (ids.empty()) return Error::not_found("no such task");
    return ids.front();
}

Result<ops::Selection> selected_tasks(const Call& call)
{
    ops::Selection selection;
    selection.words = call.arguments.tasks("ids");
    selection.folder = call.caller.folder;
    const bool mine = call.arguments.flag("mine");
    if (mine != selection.words.empty())
        return Error::usage("give either ids, or mine: true for all living tasks of this server");
    if (mine) selection.tags = {call.caller.tag};
    return selection;
}

namespace {

Result<ops::LogPiece> read_piece(const Call& call, store::TaskId id, const ops::LogOptions& options)
{
    ops::Selection selection;
    selection.words = {to_string(id)};
    BGT_TRY_ASSIGN(auto read, ops::read_log(call.root, selection, options));
    return ops::only_task(std::move(read), id);
}

/// From a cursor. Where lines are searched for, more is read than given out.
Result<Output> read_from(const Call& call, store::TaskId id, const OutputWish& wish,
                         ops::LogOptions options)
{
    options.cursor = *wish.from;
    std::size_t chunk = wish.grep ? std::max(search_bytes, wish.max_bytes) : wish.max_bytes;
    for (;;) {
        options.max_bytes = chunk;
        BGT_TRY_ASSIGN(const ops::LogPiece piece, read_piece(call, id, options));
        if (piece.text.size() <= wish.max_bytes || chunk == wish.max_bytes)
            return Output{render::cut_lines(piece.text, wish.line_max), piece.cursor,
                          piece.dropped_bytes, piece.end_of_log};
        chunk = std::max(chunk / 8, wish.max_bytes);
    }
}

Result<Output> read_end(const Call& call, store::TaskId id, const OutputWish& wish,
                        ops::LogOptions options)
{
    options.newest = true;
    options.max_bytes = wish.grep ? wish.max_bytes : raw_factor * wish.max_bytes;
    BGT_TRY_ASSIGN(const ops::LogPiece piece, read_piece(call, id, options));
    Output out{render::tail_of(piece.text, wish.max_bytes, wish.line_max), piece.cursor, 0,
               piece.end_of_log};
    const bool is_cut = piece.truncated || out.text.size() < piece.text.size();
    if (is_cut && piece.cursor > out.text.size()) out.skipped = piece.cursor - out.text.size();
    return out;
}

} // namespace

Result<Output> read_output(const Call& call, store::TaskId id, const OutputWish& wish)
{
    ops::LogOptions options;
    if (wish.grep) {
        auto pattern = core::Pattern::compile(*wish.grep);
        if (!pattern) return Error::usage("grep: " + pattern.error().message);
        options.grep = *std::move(pattern);
    }
    return wish.from ? read_from(call, id, wish, std::move(options))
                     : read_end(call, id, wish, std::move(options));
}

Result<Output> read_waiting(const Call& call, store::TaskId id, OutputWish wish, Duration timeout)
{
    const Instant deadline = render::Moment::now().mono + timeout;
    for (;;) {
        BGT_TRY_ASSIGN(const std::uint64_t size, log_size(call, id)); // before it is read
        BGT_TRY_ASSIGN(Output output, read_output(call, id, wish));
        const Duration left = deadline - render::Moment::now().mono;
        if (!output.text.empty() || output.end || left <= Duration::zero()) return output;
        const bool has_moved = wish.from && output.cursor > *wish.from;
        wish.from = output.cursor;
        if (has_moved) continue;
        BGT_TRY(
            ops::await_output(call.root, {id, std::max(size, output.cursor), left}, call.cancel));
    }
}

Result<std::uint64_t> log_size(const Call& call, store::TaskId id)
{
    const ops::LogOptions options;
    BGT_TRY_ASSIGN(const ops::LogView view, ops::LogView::open(call.root, id, options));
    return view.log_size();
}

std::string prompt_in(std::string_view text)
{
    const std::size_t newline = text.rfind('\n');
    const std::string_view line = newline == text.npos ? text : text.substr(newline + 1);
    return fit(printable(line), 200);
}

Result<Settled> settle(const Call& call, const ops::WaitRequest& request)
{
    BGT_TRY_ASSIGN(Pipe give_up, make_pipe("a pipe"));
    Settled out;
    const auto progress = [&](const ops::WaitProgress& now) {
        if (call.cancel.requested()) give_up.writer.reset();
        out.looping = crash_loop(call.root, request.tasks);
        if (out.looping) give_up.writer.reset();
        if (call.progress)
            call.progress({std::chrono::duration<double>(now.waited).count(),
                           std::chrono::duration<double>(*request.timeout).count(),
                           progress_message(now)});
    };
    BGT_TRY_ASSIGN(out.answer, ops::wait(call.root, request, progress, give_up.reader.get()));
    if (out.answer.end != ops::WaitAnswer::End::cancelled) out.looping.reset();
    else if (!out.looping) return ops::cancelled();
    return out;
}

Result<void> await_started(const Call& call, store::TaskId id, bool has_ready, Duration timeout)
{
    if (timeout == Duration::zero()) return {};
    ops::WaitRequest request;
    request.tasks = {id};
    request.conditions = {*core::parse_condition(has_ready ? "ready" : "exit", "/")};
    request.timeout = timeout;
    BGT_TRY(settle(call, request));
    return {};
}

Result<json::object> start_answer(const Call& call, store::TaskId id, bool prompts)
{
    ops::SnapshotFields want;
    want.spec = want.usage = want.ports = true;
    BGT_TRY_ASSIGN(const ops::Snapshot task, ops::recover_and_inspect(call.root, id, want));
    json::object out = render::brief_task_json(task);
    if (!task.problem.empty()) return out;
    const store::Status& status = task.status;
    const bool over = ops::is_over(status);
    const bool has_ready = task.spec && !task.spec->ready.empty();
    if (has_ready) out["ready"] = status.ready;
    const auto output = read_output(call, id, {});
    if (output) {
        if (!output->text.empty()) out["tail"] = output->text;
        if (output->skipped > 0) out["skipped"] = output->skipped;
        out["cursor"] = output->cursor;
        const std::string prompt = prompts && !over ? prompt_in(output->text) : "";
        if (!prompt.empty() || (prompts && !over && ops::waits_for_input(call.root, id)))
            out["prompt"] = prompt;
    }
    if (over && ops::exit_code(status) != 0)
        out["hint"] = fmt::format("why {{\"id\":{}}} tells more", id.value);
    else if (!over && (!has_ready || !status.ready) && !out.contains("prompt"))
        out["hint"] =
            fmt::format("it goes on: wait {{\"ids\":[{}]}}, or read from the cursor", id.value);
    return out;
}

Result<StartWords> start_words(const Call& call)
{
    const Arguments& given = call.arguments;
    StartWords out;
    out.shell = given.text("command");
    out.command = given.texts("argv");
    if (out.shell.has_value() == !out.command.empty())
        return Error::usage("give either command (text for bash) or argv (a list)");
    if (out.shell && out.shell->find_first_not_of(" \t\n") == std::string::npos)
        return Error::usage("command: there is nothing in it");
    if (!out.command.empty() && out.command.front().empty())
        return Error::usage("argv: the first word, the program, is empty");
    out.name = given.text("name");
    out.cwd = given.text("cwd").value_or(call.caller.folder);
    for (const auto& [key, value] : given.variables("env")) out.env.push_back(key + "=" + value);
    if (const auto timeout = given.number("timeout_s"))
        out.timeout =
            fmt::format("{}ms", static_cast<std::int64_t>(std::max(*timeout * 1000, 1.0)));
    out.tags = {call.caller.tag};
    return out;
}

core::ScopeChain put_scopes(const Call& call, std::vector<std::string>& env)
{
    const core::ScopeChain& chain =
        call.arguments.flag("keep") ? call.caller.kept : call.caller.own;
    const std::string name = std::string(core::scope_variable) + "=";
    std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(name); });
    if (!chain.empty()) env.push_back(name + core::encode_scopes(chain));
    return chain;
}

void prefer_bash(store::TaskSpec& spec)
{
    if (!spec.shell || spec.command.front() != "/bin/sh") return;
    for (const char* path : {"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"})
        if (::access(path, X_OK) == 0) {
            spec.command.front() = path;
            return;
        }
}

} // namespace bgt::api
