#include "answer.hpp"
#include "known_alerts.hpp"
#include "run/attach.hpp"
#include "run/queue_table.hpp"
#include "run/tell_ignored.hpp"
#include "submit_input.hpp"
#include "wait_words.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/await_start.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/ops/submit.hpp>
#include <bgt/ops/wait.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/wait_json.hpp>

#include <boost/json.hpp>
#include <csignal>

namespace bgt::cli {

namespace {

class Submit final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::SubmitRequest> request(Context&);
    Result<void> take_many(ops::SubmitRequest&) const;
    Result<void> check() const;
    int answer(Context&, const ops::SubmitAnswer&) const;
    int stay(Context&, store::Root&, const ops::SubmitAnswer&);

    RunOptions options_;
    bool has_hooks_ = false;
    QueueOptions queue_;
};

/// They are about the moment at which `bgt run` starts its command.
constexpr std::string_view of_run_alone[] = {
    "--replace",     "--if-absent", "--anywhere",     "--explain",  "--wait-ready", "--max-wait",
    "--independent", "--watch",     "--watch-ignore", "--debounce", "--on-change"};

void Submit::declare(Parser& parser)
{
    queue_.declare(parser);
    options_.declare(parser, of_run_alone);
    parser.example("bgt submit -q build -- make -j2");
    parser.example("bgt submit --after build:ok --name test -- make test");
    parser.example("bgt submit --array 1-100%8 -- ./render --frame {}");
    parser.example("bgt submit --at 18:00 -- ./backup");
}

/// ", not before 2026-12-24T18:00:00.000+01:00 (in 25d3h)"; empty: it has no such time.
std::string not_before(const ops::SubmitAnswer& answer)
{
    if (!answer.not_before) return {};
    return ", not before " + ops::time_words(*answer.not_before, render::Moment::now().wall);
}

Result<void> Submit::check() const
{
    if (int(queue_.array.has_value()) + int(queue_.each.has_value()) +
            int(queue_.batch.has_value()) >
        1)
        return Error::usage("--array, --each and --batch exclude each other");
    if ((options_.fields || options_.brief) && !options_.wait)
        return Error::usage("--fields and --brief are about the task that --wait prints");
    if (queue_.null && !queue_.each) return Error::usage("-0 belongs to --each");
    if (queue_.on_busy && !queue_.key) return Error::usage("--on-busy belongs to --key");
    if ((queue_.array || queue_.each) && options_.name)
        return Error::usage("--name names one task, and these are many");
    return {};
}

Result<void> Submit::take_many(ops::SubmitRequest& out) const
{
    if (queue_.array) {
        auto range = ops::parse_array(*queue_.array);
        if (!range) return Error::usage("--array: " + range.error().message);
        out.array = *range;
    }
    if (queue_.each) {
        BGT_TRY_ASSIGN(out.texts, read_each(*queue_.each, queue_.null));
        if (out.texts.empty())
            return Error::usage("--each: there is no line in " + printable(*queue_.each));
    }
    if (queue_.batch) {
        BGT_TRY_ASSIGN(out.batch, read_batch(*queue_.batch));
        if (out.batch.empty())
            return Error::usage("--batch: there is no task in " + printable(*queue_.batch));
    }
    return {};
}

Result<ops::SubmitRequest> Submit::request(Context& context)
{
    BGT_TRY(check());
    // The tasks of a batch have commands of their own.
    if (queue_.batch && options_.command.empty() && !options_.shell) options_.command = {"true"};
    BGT_TRY_ASSIGN(ops::StartRequest start, options_.request(context.settings()));
    tell_ignored(context, options_);
    has_hooks_ = has_hooks(start.spec);
    if (start.caller_stdin)
        return Error::usage("--stdin -: a task that waits in a queue starts without this stdin; "
                            "use a file, or --stdin pipe");
    leave_out_watch(start);
    ops::SubmitRequest out = ops::waiting_request(std::move(start));
    out.spec.remove_when_ended = options_.remove;
    out.dry_run = queue_.dry_run;
    out.want_position = options_.json;
    out.folder = context.folder();
    BGT_TRY(queue_.apply(out));
    BGT_TRY(take_many(out));
    return out;
}

/// "task 7 waits, but its id", for print_made().
std::string made_by(const ops::SubmitAnswer& answer)
{
    const std::string first = std::to_string(answer.ids.first);
    if (answer.ids.count == 1) return "task " + first + " waits, but its id";
    return "tasks " + first + " to " + std::to_string(answer.ids.first + answer.ids.count - 1) +
           " wait, but their ids";
}

int Submit::answer(Context& context, const ops::SubmitAnswer& answer) const
{
    if (options_.json) {
        boost::json::object out{{"queued", !answer.existing && !queue_.dry_run},
                                {"existing", answer.existing},
                                {"id", answer.ids.first},
                                {"count", answer.ids.count},
                                {"queue", answer.queue},
                                {"queue_size", answer.queue_size},
                                {"position", answer.position},
                                {"not_before", nullptr}};
        if (answer.not_before) out["not_before"] = format_rfc3339(*answer.not_before);
        if (queue_.dry_run) out["id"] = nullptr;
        const std::string text = render::answer_json(std::move(out));
        if (!queue_.dry_run) return print_made(context, text, made_by(answer));
        context.print(text);
        return code::ok;
    }
    if (queue_.dry_run) {
        context.print("would wait in queue " + printable(answer.queue) + " as number " +
                      std::to_string(answer.position) + not_before(answer) + "\n");
        return code::ok;
    }
    std::string ids;
    for (std::uint32_t at = 0; at < answer.ids.count; ++at)
        ids += std::to_string(answer.ids.first + at) + "\n";
    if (const int code = print_made(context, ids, made_by(answer)); code != code::ok) return code;
    if (answer.not_before && !answer.existing)
        context.hint((answer.ids.count == 1 ? "it starts" : "they start") + not_before(answer));
    return code::ok;
}

/// Until all have ended; of one task with its output.
int Submit::stay(Context& context, store::Root& root, const ops::SubmitAnswer& answer)
{
    if (answer.ids.count == 1) {
        const store::TaskId id{answer.ids.first};
        HeldSignals signals{SIGINT, SIGTERM, SIGHUP};
        const auto started = ops::await_start(root, id, {signals.fd()});
        if (!started) return context.fail(started.error(), options_.json);
        const auto ended = stay_until_end(context, root, id, signals, !options_.json, {});
        if (!ended) return context.fail(ended.error(), options_.json);
        if (options_.json) print_end_json(context, root, id, *ended);
        if (*ended && has_hooks_)
            for (const auto& line : failed_hooks(root, id, **ended, signals))
                context.complain(line);
        return *ended ? ops::exit_code(**ended) : code::wait_timeout;
    }
    ops::WaitRequest request;
    for (std::uint32_t at = 0; at < answer.ids.count; ++at)
        request.tasks.push_back(store::TaskId{answer.ids.first + at});
    request.conditions.push_back(*core::parse_condition("exit", "/"));
    const auto waited = ops::wait(root, request);
    if (!waited) return context.fail(waited.error(), options_.json);
    const render::WaitTold told{wait_code(request, *waited), wait_reason(request, *waited), {}};
    if (options_.json)
        context.print(render::wait_json(as_now(root, waited->tasks), request, *waited, told,
                                        context.fields()));
    return told.code;
}

int Submit::run(Context& context)
{
    auto made = request(context);
    if (!made) return context.fail(made.error(), options_.json);
    auto root = context.root(true);
    if (!root) return context.fail(root.error(), options_.json);
    if (!queue_.dry_run) know_alerts(context, **root);
    const auto done = ops::submit(**root, *std::move(made));
    if (!done) return context.fail(done.error(), options_.json);
    if (!options_.wait || queue_.dry_run) return answer(context, *done);
    return stay(context, **root, *done);
}

} // namespace

std::unique_ptr<Verb> make_submit()
{
    return std::make_unique<Submit>();
}

} // namespace bgt::cli
