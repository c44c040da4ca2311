#include "answer.hpp"
#include "selection.hpp"
#include "stop_words.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/signal.hpp>
#include <bgt/ops/stop.hpp>

#include <algorithm>
#include <csignal>

namespace bgt::cli {

namespace {

class Kill final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::StopRequest> request(const Context&) const;
    Result<void> read_signal();
    int send_signal(Context&, store::Root&) const;
    void show(Context&, int& result, const ops::Stopped&) const;
    void answer(Context&, store::Root&, ops::Each<ops::Stopped>);

    ops::Selection selection_;
    FieldWords fields_;
    bool now_ = false, json_ = false;
    std::optional<std::string> grace_, stop_signals_, timeout_, signal_name_;
    std::optional<int> signal_; ///< of `-s`, `-INT`: one that ends things is the stop signal, any
                                ///< other is only sent
};

bool asks_to_end(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGABRT;
}

void Kill::declare(Parser& parser)
{
    declare_selection(parser, selection_, Value::living_task);
    parser.flag("--now", now_, "send SIGKILL at once, without a stop signal first");
    parser.option("--grace", grace_, "D", Value::duration,
                  "the time between the stop signal and SIGKILL, for this stop");
    parser.option("--stop-signals", stop_signals_, "LIST", Value::text,
                  "the signals of this stop: QUIT:2s,TERM:5s");
    parser.option("-s,--signal", signal_name_, "SIGNAL", Value::signal,
                  "a signal as for kill(1), also as -9 or -INT: KILL means --now; TERM, INT, QUIT "
                  "and ABRT replace the stop signals; "
                  "others are only sent");
    parser.dash_word(signal_name_,
                     [](std::string_view text) { return static_cast<bool>(parse_signal(text)); });
    parser.option("--timeout", timeout_, "D", Value::duration,
                  "wait no longer than D (exit code 124); the stop continues");
    parser.flag("--json", json_, "print the tasks as JSON when the stop is complete");
    declare_fields(parser, fields_);
    parser.example("bgt kill web");
    parser.example("bgt kill --tag job=e2e --grace 1s");
    parser.example("bgt kill --all --now");
}

Result<void> Kill::read_signal()
{
    if (!signal_name_) return {};
    auto signal = parse_signal(*signal_name_);
    if (!signal) return signal.error();
    if (stop_signals_) return Error::usage("--stop-signals and a signal exclude each other");
    if (now_ && *signal != SIGKILL)
        return Error::usage("--now and a signal other than KILL exclude each other");
    signal_ = *signal;
    now_ = now_ || *signal == SIGKILL;
    if (!now_ && !asks_to_end(*signal) && (grace_ || timeout_))
        return Error::usage(signal_name(*signal) +
                            " is only sent, so --grace and --timeout have no meaning with it");
    return {};
}

/// As kill(1) would: nothing is waited for.
int Kill::send_signal(Context& context, store::Root& root) const
{
    int result = code::ok;
    const auto sent = ops::signal(
        root, {selection_, *signal_, false},
        told<ops::Signalled>(context, result, [&](store::TaskId id, const ops::Signalled&) {
            if (!json_) context.print(to_string(id) + ": " + signal_name(*signal_) + " was sent\n");
        }));
    if (!sent) return context.fail(sent.error(), json_);
    if (json_) print_tasks_json(context, root, sent->ids());
    return result;
}

Result<ops::StopRequest> Kill::request(const Context& context) const
{
    ops::StopRequest out;
    out.selection = selection_;
    out.now = now_;
    out.fields.spec = json_;
    if (grace_) {
        const auto grace = parse_duration(*grace_);
        if (!grace) return Error::usage("--grace: " + grace.error().message);
        out.grace = *grace;
    }
    if (timeout_) {
        const auto timeout = parse_limit(*timeout_);
        if (!timeout) return Error::usage("--timeout: " + timeout.error().message);
        out.timeout = *timeout;
    }
    if (signal_ && !now_)
        out.ladder = {core::StopStep{*signal_, out.grace.value_or(context.settings().grace)}};
    if (stop_signals_) {
        auto ladder =
            core::parse_stop_signals(*stop_signals_, out.grace.value_or(context.settings().grace));
        if (!ladder) return Error::usage("--stop-signals: " + ladder.error().message);
        out.ladder = *std::move(ladder);
    }
    return out;
}

void Kill::show(Context& context, int& result, const ops::Stopped& stopped) const
{
    const std::string name = ops::label(stopped.task.id, stopped.before);
    const StopWords words = stop_words(stopped);
    if (words.code != code::ok)
        tell_failure(context, result, name + ": " + words.text, words.code, stopped.task.id);
    else if (!json_) context.print(name + ": " + words.text + "\n");
}

/// All of them as they are now, and those that removed themselves (--rm) as they ended.
void Kill::answer(Context& context, store::Root& root, ops::Each<ops::Stopped> stopped)
{
    std::vector<ops::Snapshot> shown = ops::recover_and_inspect_all(
        root, stopped.ids(), {.spec = true, .usage = true, .ports = true, .log_tail = true});
    for (auto& one : stopped.tasks)
        if (one.result && std::ranges::find(shown, one.id, &ops::Snapshot::id) == shown.end())
            shown.push_back(std::move(one.result->task));
    print_snapshots_json(context, shown);
}

int Kill::run(Context& context)
{
    if (const auto read = read_signal(); !read) return context.fail(read.error(), json_);
    auto wanted = request(context);
    if (!wanted) return context.fail(wanted.error(), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    if (signal_ && !now_ && !asks_to_end(*signal_)) return send_signal(context, **root);
    int result = code::ok;
    StopDisplay display(context);
    wanted->waiting = [&](const ops::StopWait& now) { display.show(now); };
    auto stopped =
        ops::stop(**root, *wanted,
                  told<ops::Stopped>(context, result, [&](store::TaskId, const ops::Stopped& one) {
                      display.clear();
                      show(context, result, one);
                  }));
    if (!stopped) return context.fail(stopped.error(), json_);
    if (json_) answer(context, **root, *std::move(stopped));
    return result;
}

} // namespace

std::unique_ptr<Verb> make_kill()
{
    return std::make_unique<Kill>();
}

} // namespace bgt::cli
