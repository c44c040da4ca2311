#include "answer.hpp"
#include "known_alerts.hpp"
#include "live_line.hpp"
#include "run/attach.hpp"
#include "run/explain.hpp"
#include "run/hints.hpp"
#include "run/run_options.hpp"
#include "run/stdin_left.hpp"
#include "run/tell_ignored.hpp"
#include "wait_words.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/ops/remove.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/render/wait_json.hpp>
#include <cstdlib>

namespace bgt::cli {

namespace {

/// "FILE:LINE" apart.
std::pair<std::string, std::string> split_place(const std::string& where)
{
    const auto colon = where.rfind(':');
    return {where.substr(0, colon), where.substr(colon + 1)};
}

/// What rules have changed: "a rule of FILE sets env (line 3), timeout (line 4)". No values: a
/// variable may be secret.
std::string rule_line(const RunOptions& options)
{
    std::map<std::string, std::string> by_file;
    for (const auto& [option, where] : options.from_rule) {
        const auto [file, line] = split_place(where);
        auto& list = by_file[file];
        list += (list.empty() ? "" : ", ") + option.substr(2) + " (line " + line + ")";
    }
    std::string out;
    for (const auto& [file, list] : by_file)
        out += (out.empty() ? "" : "; ") + ("a rule of " + printable(file)) + " sets " + list;
    return out;
}

/// 0 once it is ready; 121 as soon as it can no longer be; or what bgt ended it for.
int ready_code(const ops::WaitRequest& request, const ops::WaitAnswer& waited)
{
    const int code = wait_code(request, waited);
    if (code == code::ok) return code::ok;
    const store::Status& status = waited.tasks.front().status;
    const int own = ops::exit_code(status);
    return ops::is_over(status) && (own == code::hung || own == code::task_timeout) ? own : code;
}

class Run final : public Verb {
public:
    void declare(Parser& parser) override
    {
        options_.declare(parser);
        parser.example("bgt run --name web --ready-port any --wait-ready -- npm run dev");
        parser.example("bgt run --timeout 10m --owner $$ -c 'make -j8 > build.txt'");
        parser.example("bgt run --progress-timeout 5m --retries 2 --wait -- make test");
    }
    int run(Context& context) override;

private:
    int start(Context&, store::Root&, ops::StartRequest);
    int start_and_stay(Context&, store::Root&, ops::StartRequest);
    int explain_only(Context&);
    int await_ready(Context&, store::Root&, store::TaskId);
    int answer_ready(Context&, store::Root&, const ops::WaitRequest&, const ops::WaitAnswer&);
    int answer(Context&, store::Root&, store::TaskId);
    int refuse(Context&, const Error&) const;
    void tell_of_stdin(Context&);

    RunOptions options_;
    std::optional<Duration> max_wait_;
};

int Run::run(Context& context)
{
    if (options_.explain) return explain_only(context);
    auto request = options_.request(context.settings());
    tell_ignored(context, options_);
    if (!request) return context.fail(request.error(), options_.json);
    if (options_.max_wait) {
        const auto limit = parse_limit(*options_.max_wait);
        if (!limit)
            return context.fail(Error::usage("--max-wait: " + limit.error().message),
                                options_.json);
        max_wait_ = *limit;
    }
    auto root = context.root(true);
    if (!root) return context.fail(root.error(), options_.json);
    know_alerts(context, **root);
    if (!options_.from_rule.empty() && context.stderr_is_terminal())
        context.complain(rule_line(options_));
    return options_.wait ? start_and_stay(context, **root, *std::move(request))
                         : start(context, **root, *std::move(request));
}

int Run::refuse(Context& context, const Error& error) const
{
    const std::string hint = error.kind == ErrorKind::no_command && !options_.shell
                                 ? hint_for_missing(options_.command)
                                 : std::string();
    return context.fail(
        hint.empty() ? error : Error{error.kind, error.message + "; " + hint, error.sys_errno},
        options_.json);
}

/// What was sent to this program's stdin, which the command does not read.
void Run::tell_of_stdin(Context& context)
{
    if (!options_.stdin_from && has_unread_input())
        context.complain("its stdin is not passed on, and the command does not read what is in it: "
                         "--stdin - passes it (--stdin null: no such note)");
}

int Run::start(Context& context, store::Root& root, ops::StartRequest request)
{
    const auto started = ops::start(root, std::move(request), options_.if_name_taken());
    if (!started) return refuse(context, started.error());
    tell_of_stdin(context);
    if (!options_.wait_ready) return answer(context, root, started->id);
    // The id first: whoever gives up waiting knows what to look at.
    if (!options_.json)
        if (const int code = answer(context, root, started->id); code != code::ok) return code;
    return await_ready(context, root, started->id);
}

int Run::explain_only(Context& context)
{
    const auto plan = options_.plan(context.settings());
    tell_ignored(context, options_);
    if (!plan) return context.fail(plan.error(), options_.json);
    context.print(explain(options_, *plan, context.config()));
    return code::ok;
}

/// 0 once it is ready, or what ready_code() says.
int Run::await_ready(Context& context, store::Root& root, store::TaskId id)
{
    const ops::WaitRequest request{{id}, {*core::parse_condition("ready", "/")}};
    const Result<ops::WaitAnswer> waited = [&] {
        if (!shows_live_line(context)) return ops::wait(root, request);
        LiveLine line;
        return ops::wait(root, request,
                         [&](const auto& now) { line.draw(live_text(now, LiveLine::columns())); });
    }();
    if (!waited) {
        const int code = context.fail(waited.error());
        if (options_.json) print_tasks_json(context, root, {id});
        return code;
    }
    const int code = ready_code(request, *waited);
    if (options_.json) return answer_ready(context, root, request, *waited);
    if (code != code::ok)
        context.complain(wait_message(request, *waited) + " (bgt logs " + to_string(id) + ")");
    return code;
}

/// In JSON: where it is not ready, with the reason and the last lines of its output.
int Run::answer_ready(Context& context, store::Root& root, const ops::WaitRequest& request,
                      const ops::WaitAnswer& waited)
{
    render::WaitTold told{ready_code(request, waited), wait_reason(request, waited), {}};
    if (told.code != code::ok) told.tail = tail_of_task(root, request.tasks.front());
    const int printed = print_made(
        context,
        render::wait_json(as_now(root, waited.tasks), request, waited, told, context.fields()),
        "task " + to_string(request.tasks.front()) + " was started, but its id");
    return told.code != code::ok ? told.code : printed;
}

int Run::answer(Context& context, store::Root& root, store::TaskId id)
{
    if (options_.json) return print_started_json(context, root, {id});
    const auto number = to_string(id);
    if (const int code = print_made(context, number + "\n", "task " + number + " runs, but its id");
        code != code::ok)
        return code;
    if (const char* outer = std::getenv("BGT_TASK_ID");
        outer != nullptr && !options_.independent && std::getenv(core::hook_variable) == nullptr)
        context.hint(std::string("it ends together with task ") + outer +
                     ", in which it was started (with --independent it does not)");
    if (context.stdout_is_terminal())
        context.hint("bgt logs -f " + number + " · bgt kill " + number);
    return code::ok;
}

int Run::start_and_stay(Context& context, store::Root& root, ops::StartRequest request)
{
    const bool hooks = has_hooks(request.spec);
    const auto started = ops::start(root, std::move(request), options_.if_name_taken());
    if (!started) return refuse(context, started.error());
    HeldSignals signals =
        hold_attached_signals(); // not before: the start may wait for another task to end
                                 // (--replace), and Ctrl-C is to end that
    const auto stayed =
        stay_until_end(context, root, started->id, signals, !options_.json, max_wait_);
    tell_of_stdin(context);
    if (!stayed) return context.fail(stayed.error(), options_.json);
    const auto& status = *stayed;
    if (options_.json) print_end_json(context, root, started->id, status);
    if (!status) {
        const std::string kept =
            options_.remove ? "; --rm does not: bgt rm " + to_string(started->id) : "";
        if (!options_.json) context.complain(background_words(started->id) + kept);
        return code::wait_timeout;
    }
    const std::string why =
        options_.json ? std::string() : why_ended(root, started->id, *status); // it has it
    if (!why.empty()) context.complain(why);
    if (hooks)
        for (const auto& line : failed_hooks(root, started->id, *status, signals))
            context.complain(line);
    if (options_.remove)
        if (auto removed = ops::remove_ended(root, started->id, ops::Trace::record); !removed)
            context.complain(removed.error().message);
    return ops::exit_code(*status);
}

} // namespace

std::unique_ptr<Verb> make_run()
{
    return std::make_unique<Run>();
}

} // namespace bgt::cli
