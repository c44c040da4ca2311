#include "answer.hpp"
#include "run/attach.hpp"
#include "run/run_table.hpp"
#include "submit_input.hpp"
#include "wait_words.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/await_start.hpp>
#include <bgt/ops/submit.hpp>
#include <bgt/ops/wait.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/words.hpp>
#include <bgt/store/queue_settings.hpp>

#include <boost/json.hpp>
#include <csignal>

namespace bgt::cli {

namespace {

using Word = std::optional<std::string>;

class Submit final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::SubmitRequest> request(Context&);
    Result<void> take_queue_options(ops::SubmitRequest&) const;
    Result<void> take_many(ops::SubmitRequest&) const;
    Result<void> check() const;
    int answer(Context&, const ops::SubmitAnswer&) const;
    int stay(Context&, store::Root&, const ops::SubmitAnswer&);

    RunOptions options_;
    Word queue_, priority_, slots_, on_dep_failure_, expire_, key_, on_busy_, array_, each_, batch_,
        if_full_;
    std::vector<std::string> needs_, after_;
    bool hold_ = false, null_ = false, dry_run_ = false;
};

/// They are about the moment at which `bgt run` starts its command.
constexpr std::string_view of_run_alone[] = {"--replace", "--if-absent",  "--anywhere",
                                             "--explain", "--wait-ready", "--max-wait"};

void Submit::declare(Parser& parser)
{
    parser.group("Queue");
    parser.option("-q,--queue", queue_, "NAME", Value::text, "the queue to wait in (default)");
    parser.option("--priority", priority_, "N", Value::number, "higher ones start first (0)");
    parser.option("--slots", slots_, "N", Value::number, "slots of the queue that it takes (1)");
    parser.list("--need", needs_, "NAME=N", Value::text,
                "what it takes of a named resource: gpu=1, mem=8GiB");
    parser.list("--after", after_, "TASK[:COND]", Value::task,
                "start after another task: ok (its exit code is 0), fail, any, start or ready");
    parser.choice("--on-dep-failure", on_dep_failure_, "skip|hold",
                  "when it can't start any more because of --after (skip)");
    parser.flag("--hold", hold_, "do not start it before bgt release");
    parser.option("--expire", expire_, "D", Value::duration,
                  "never start it if it has waited for longer");
    parser.option("--key", key_, "KEY", Value::text, "run at most one task with this key at once");
    parser.choice("--on-busy", on_busy_, "wait|skip|replace|latest",
                  "when a task with the same --key waits or runs (wait)");
    parser.option("--array", array_, "A-B[:STEP][%N]", Value::text,
                  "a task for each number, {} and $BGT_ARRAY_INDEX stand for it; N at once");
    parser.option("--each", each_, "FILE", Value::file,
                  "a task for each line of the file (- is stdin), {} stands for it");
    parser.flag("-0,--null", null_, "the parts of --each end with a NUL byte");
    parser.option("--batch", batch_, "FILE", Value::file,
                  "a task for each line of JSON in the file (- is stdin)");
    parser.choice("--if-full", if_full_, "fail|wait", "when the queue has no room (fail)");
    parser.flag("--dry-run", dry_run_, "submit nothing, and print what would be");
    options_.declare(parser, of_run_alone);
    parser.example("bgt submit -q build -- make -j2");
    parser.example("bgt submit --after build:ok --name test -- make test");
    parser.example("bgt submit --array 1-100%8 -- ./render --frame {}");
}

Result<int> number(const Word& text, const char* option, int low, int high)
{
    Result<int> value = parse_int(*text, low, high);
    if (!value) return Error::usage(std::string(option) + ": " + value.error().message);
    return value;
}

Result<core::Amount> parse_need(const std::string& text)
{
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (auto valid = store::check_queue_name(name); !valid)
        return Error::usage("--need: '" + fit(printable(name), 40) + "' is no name of a resource");
    if (equals == text.npos) return core::Amount{name, 1};
    const auto amount = parse_size(text.substr(equals + 1));
    if (!amount) return Error::usage("--need: " + amount.error().message);
    return core::Amount{name, *amount};
}

Result<void> Submit::check() const
{
    if (int(array_.has_value()) + int(each_.has_value()) + int(batch_.has_value()) > 1)
        return Error::usage("--array, --each and --batch exclude each other");
    if (null_ && !each_) return Error::usage("-0 belongs to --each");
    if (on_busy_ && !key_) return Error::usage("--on-busy belongs to --key");
    if ((array_ || each_) && options_.name)
        return Error::usage("--name names one task, and these are many");
    return {};
}

Result<void> Submit::take_queue_options(ops::SubmitRequest& out) const
{
    out.how.queue = queue_.value_or("default");
    if (priority_) {
        BGT_TRY_ASSIGN(out.priority, number(priority_, "--priority", -1'000'000, 1'000'000));
    }
    if (slots_) {
        BGT_TRY_ASSIGN(const int value, number(slots_, "--slots", 0, 1'000'000));
        out.how.slots = static_cast<std::uint32_t>(value);
    }
    for (const std::string& text : needs_) {
        for (const std::string& part : split(text, ',')) {
            BGT_TRY_ASSIGN(const core::Amount need, parse_need(part));
            out.how.needs.push_back(need);
        }
    }
    for (const std::string& text : after_) {
        for (const std::string& part : split(text, ',')) {
            BGT_TRY_ASSIGN(const ops::DependencyWord word, ops::parse_dependency(part));
            out.after.push_back(word);
        }
    }
    out.how.hold_on_failure = on_dep_failure_ == "hold";
    out.how.held = hold_;
    out.how.key = key_.value_or("");
    if (expire_) {
        const auto time = parse_duration(*expire_);
        if (!time) return Error::usage("--expire: " + time.error().message);
        out.how.expires = render::Moment::now().wall + *time;
    }
    for (const auto& [word, value] : {std::pair{"wait", ops::OnBusy::wait},
                                      {"skip", ops::OnBusy::skip},
                                      {"replace", ops::OnBusy::replace},
                                      {"latest", ops::OnBusy::latest}})
        if (on_busy_ == word) out.on_busy = value;
    out.wait_if_full = if_full_ == "wait";
    return {};
}

Result<void> Submit::take_many(ops::SubmitRequest& out) const
{
    if (array_) {
        auto range = ops::parse_array(*array_);
        if (!range) return Error::usage("--array: " + range.error().message);
        out.array = *range;
    }
    if (each_) {
        BGT_TRY_ASSIGN(out.texts, read_each(*each_, null_));
        if (out.texts.empty())
            return Error::usage("--each: there is no line in " + printable(*each_));
    }
    if (batch_) {
        BGT_TRY_ASSIGN(out.batch, read_batch(*batch_));
        if (out.batch.empty())
            return Error::usage("--batch: there is no task in " + printable(*batch_));
    }
    return {};
}

Result<ops::SubmitRequest> Submit::request(Context& context)
{
    BGT_TRY(check());
    // The tasks of a batch have commands of their own.
    if (batch_ && options_.command.empty() && !options_.shell) options_.command = {"true"};
    BGT_TRY_ASSIGN(ops::StartRequest start, options_.request(context.settings()));
    if (start.caller_stdin)
        return Error::usage("--stdin -: a task that waits in a queue starts without this stdin; "
                            "use a file, or --stdin pipe");
    ops::SubmitRequest out;
    out.spec = std::move(start.spec);
    out.spec.remove_when_ended = options_.remove;
    out.context = ops::own_context();
    out.context.env = std::move(start.env);
    out.context.keep_env = start.keep_env;
    out.context.retention = start.retention;
    out.dry_run = dry_run_;
    out.want_position = options_.json;
    BGT_TRY(take_queue_options(out));
    BGT_TRY(take_many(out));
    return out;
}

int Submit::answer(Context& context, const ops::SubmitAnswer& answer) const
{
    if (options_.json) {
        boost::json::object out{{"queued", !answer.existing && !dry_run_},
                                {"existing", answer.existing},
                                {"id", answer.ids.first},
                                {"count", answer.ids.count},
                                {"queue", answer.queue},
                                {"queue_size", answer.queue_size},
                                {"position", answer.position}};
        if (dry_run_) out["id"] = nullptr;
        context.print(render::answer_json(std::move(out)));
        return code::ok;
    }
    if (dry_run_) {
        context.print("would wait in queue " + answer.queue + " as number " +
                      std::to_string(answer.position) + "\n");
        return code::ok;
    }
    std::string ids;
    for (std::uint32_t at = 0; at < answer.ids.count; ++at)
        ids += std::to_string(answer.ids.first + at) + "\n";
    context.print(ids);
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
        if (options_.json) print_tasks_json(context, root, {id});
        return *ended ? ops::exit_code(**ended) : code::wait_timeout;
    }
    ops::WaitRequest request;
    for (std::uint32_t at = 0; at < answer.ids.count; ++at)
        request.tasks.push_back(store::TaskId{answer.ids.first + at});
    request.conditions.push_back(*core::parse_condition("exit", "/"));
    const auto waited = ops::wait(root, request);
    if (!waited) return context.fail(waited.error(), options_.json);
    return wait_code(request, *waited);
}

int Submit::run(Context& context)
{
    auto made = request(context);
    if (!made) return context.fail(made.error(), options_.json);
    auto root = context.root(true);
    if (!root) return context.fail(root.error(), options_.json);
    const auto done = ops::submit(**root, *std::move(made));
    if (!done) return context.fail(done.error(), options_.json);
    if (!options_.wait || dry_run_) return answer(context, *done);
    return stay(context, **root, *done);
}

} // namespace

std::unique_ptr<Verb> make_submit()
{
    return std::make_unique<Submit>();
}

} // namespace bgt::cli
