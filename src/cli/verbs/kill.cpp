#include "answer.hpp"
#include "live_line.hpp"
#include "selection.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/signal.hpp>
#include <bgt/ops/stop.hpp>

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <set>

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

/// "ended 5 processes in 0.12 s (4 by SIGTERM, 1 by SIGKILL)"
std::string ended_words(const store::Status& status, Duration took)
{
    std::uint32_t total = 0;
    std::string steps;
    for (const auto& row : status.tally) {
        total += row.ended;
        if (row.ended > 0)
            steps += fmt::format("{}{} by {}", steps.empty() ? "" : ", ", row.ended,
                                 signal_name(row.signal));
    }
    const double seconds = std::chrono::duration<double>(took).count();
    return fmt::format("ended {} in {:.2f} s{}", counted(total, "process", "processes"), seconds,
                       steps.empty() ? "" : " (" + steps + ")");
}

/// "7 web: 2 processes, SIGKILL in 3s"
std::string waiting_words(const ops::StopWait& now)
{
    std::string text = now.label + ": " + counted(now.processes.size(), "process", "processes");
    const auto left = std::chrono::ceil<std::chrono::seconds>(now.kill_after - now.elapsed);
    if (left > Duration::zero()) text += fmt::format(", SIGKILL in {} s", left.count());
    else
        text += fmt::format(", for {} s after the stop began",
                            std::chrono::floor<std::chrono::seconds>(now.elapsed).count());
    if (now.elapsed < std::chrono::seconds(2) || now.processes.empty()) return text;
    const auto blocked =
        std::ranges::find_if(now.processes, [](const auto& p) { return !p.why.empty(); });
    return text + " · " +
           to_string(blocked != now.processes.end() ? *blocked : now.processes.front());
}

void Kill::show(Context& context, int& result, const ops::Stopped& stopped) const
{
    const std::string name = ops::label(stopped.task.id, stopped.before);
    const auto say = [&](const std::string& text) {
        if (!json_) context.print(name + ": " + text + "\n");
    };
    const auto complain = [&](const std::string& text, int failure) {
        context.complain(name + ": " + text);
        if (result == code::ok) result = failure;
    };
    switch (stopped.end) {
    case ops::Stopped::End::ended: return say(ended_words(stopped.task.status, stopped.took));
    case ops::Stopped::End::had_ended:
        return say("had already " + core::ended_words(stopped.before.outcome));
    case ops::Stopped::End::removed: return say("ended, and was removed");
    case ops::Stopped::End::cancelled: return say("cancelled while it waited");
    case ops::Stopped::End::survived:
        return complain(ops::survivor_words(stopped.task.status.survivors), code::failed);
    case ops::Stopped::End::timed_out:
        return complain("has not ended yet; the stop continues", code::wait_timeout);
    }
}

/// All of them as they are now, and those that removed themselves (--rm) as they ended.
void Kill::answer(Context& context, store::Root& root, ops::Each<ops::Stopped> stopped)
{
    std::vector<ops::Snapshot> shown = ops::recover_and_inspect_all(
        root, stopped.ids(), {.spec = true, .usage = true, .ports = true});
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
    LiveLine line;
    const bool live = shows_live_line(context);
    std::set<std::string> told_of;
    wanted->waiting = [&](const ops::StopWait& now) {
        if (live) line.draw(fit(waiting_words(now), LiveLine::columns()));
        // What may never end must not be waited for without a word, wherever stderr goes.
        if (now.elapsed < std::chrono::seconds(2) || now.elapsed < now.kill_after) return;
        for (const auto& process : now.processes)
            if (!process.why.empty() && told_of.insert(to_string(process)).second) {
                line.clear();
                context.complain(now.label + ": waits for " + to_string(process));
            }
    };
    auto stopped =
        ops::stop(**root, *wanted,
                  told<ops::Stopped>(context, result, [&](store::TaskId, const ops::Stopped& one) {
                      line.clear();
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
