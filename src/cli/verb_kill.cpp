#include "answer.hpp"

#include <algorithm>
#include <fcntl.h>
#include <bgt/base/signal_name.hpp>
#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/supervise/control.hpp>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

using store::TaskId;

/// One task on its way out.
struct Target {
    supervise::Snapshot seen; ///< when it was asked; with its status at the end
    Fd record;                ///< its record, which can still be read when the task has removed itself
    store::Status before;
    Instant asked{};      ///< when the stop was requested
    bool was_gone = false;
};

class Kill final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<supervise::StopOptions> stop_for(const Context&, const store::Root&, TaskId) const;
    Result<void> ask(const Context&, store::Root&, TaskId);
    int await(Context&, store::Root&, Target&, std::optional<Instant> deadline);
    void answer(Context&, store::Root&, const std::vector<TaskId>&);
    void say(Context&, const std::string& line) const;

    Selection selection_;
    bool now_ = false, json_ = false;
    std::optional<std::string> grace_text_, stop_signals_, timeout_text_;
    std::optional<Duration> grace_, timeout_;
    std::vector<Target> targets_;
};

void Kill::declare(Parser& parser)
{
    selection_.declare(parser);
    parser.flag("--now", now_, "send SIGKILL at once, without a stop signal first");
    parser.option("--grace", grace_text_, "D", Value::duration, "the time between the stop signal and SIGKILL, for this stop");
    parser.option("--stop-signals", stop_signals_, "LIST", Value::text, "the signals of this stop: QUIT:2s,TERM:5s");
    parser.option("--timeout", timeout_text_, "D", Value::duration, "wait no longer than D (exit code 124); the stop continues");
    parser.flag("--json", json_, "print the tasks as JSON when the stop is complete");
    parser.example("bgt kill web");
    parser.example("bgt kill --tag job=e2e --grace 1s");
    parser.example("bgt kill --all --now");
}

/// The stop as asked for here; where only the grace is given, the task's own signals with it as the last one's time.
Result<supervise::StopOptions> Kill::stop_for(const Context& context, const store::Root& root, TaskId id) const
{
    supervise::StopOptions stop;
    stop.now = now_;
    if (stop_signals_) {
        auto ladder = core::parse_stop_signals(*stop_signals_, grace_.value_or(context.settings().grace));
        if (!ladder) return ladder.error();
        stop.ladder = *std::move(ladder);
    } else if (grace_) {
        std::vector<core::StopStep> ladder = core::Policy{}.stop_ladder;
        if (const auto task = root.open_task(id))
            if (const auto spec = store::read_spec(task->fd()); spec && !spec->policy.stop_ladder.empty())
                ladder = spec->policy.stop_ladder;
        ladder.back().wait = *grace_;
        stop.ladder = std::move(ladder);
    }
    return stop;
}

Result<void> Kill::ask(const Context& context, store::Root& root, TaskId id)
{
    auto looked = supervise::inspect(root, id, {.spec = json_});
    if (!looked) return looked.error();
    const bool damaged = !looked->problem.empty();
    Fd record;
    if (const auto task = root.open_task(id))
        if (auto opened = task->open(store::file::status, O_RDONLY)) record = *std::move(opened);
    const store::Status before = looked->status;
    Target target{*std::move(looked), std::move(record), before, os::now(), is_gone(before)};
    if (!target.was_gone) {
        auto stop = stop_for(context, root, id);
        if (!stop) return stop.error();
        if (auto asked = supervise::request_stop(root, id, *stop); !asked) {
            if (damaged) return asked.error(); // a living supervisor may mend its record, nobody else
            // It may have ended by itself in between.
            auto again = supervise::inspect(root, id, {});
            if (again && !is_gone(again->status)) return asked.error();
        }
    }
    targets_.push_back(std::move(target));
    return {};
}

/// "ended 5 processes in 0.12 s (4 by SIGTERM, 1 by SIGKILL)"
std::string ended_words(const store::Status& status, Duration took)
{
    std::uint32_t total = 0;
    std::string steps;
    for (const auto& row : status.tally) {
        total += row.ended;
        if (row.ended > 0) steps += fmt::format("{}{} by {}", steps.empty() ? "" : ", ", row.ended, signal_name(row.signal));
    }
    const double seconds = std::chrono::duration<double>(took).count();
    return fmt::format("ended {} in {:.2f} s{}", counted(total, "process", "processes"), seconds,
                       steps.empty() ? "" : " (" + steps + ")");
}

std::string survivor_words(const store::Status& status)
{
    std::string pids;
    for (const auto pid : status.survivors) pids += (pids.empty() ? "" : ", ") + std::to_string(pid);
    if (status.survivors.size() == 1)
        return "1 process is not ended by SIGKILL, it waits in the kernel (state D): pid " + pids;
    return fmt::format("{} processes are not ended by SIGKILL, they wait in the kernel (state D): pids {}",
                       status.survivors.size(), pids);
}

void Kill::say(Context& context, const std::string& line) const
{
    if (!json_) context.print(line + "\n");
}

int Kill::await(Context& context, store::Root& root, Target& target, std::optional<Instant> deadline)
{
    const auto name = label(target.seen.id, target.before);
    if (target.was_gone) {
        say(context, name + ": had already ended (" + end_in_words(target.before) + ")");
        return code::ok;
    }
    auto status = supervise::await_status(root, target.seen.id, deadline, [](const store::Status& now) {
        return is_gone(now) || has_survivors(now);
    });
    if (!status && status.error().kind == ErrorKind::not_found && target.record)
        if (auto last = store::read_open_status(target.record.get()); last && is_gone(*last))
            status = std::optional<store::Status>(*std::move(last));
    if (!status && status.error().kind == ErrorKind::not_found) {
        say(context, name + ": ended, and was removed");
        return code::ok;
    }
    if (!status) return context.fail(status.error());
    if (!*status) {
        context.complain(name + ": has not ended yet; the stop goes on");
        return code::wait_timeout;
    }
    target.seen.status = **status;
    if (has_survivors(**status)) {
        context.complain(name + ": " + survivor_words(**status));
        return code::failed;
    }
    // Leftovers that were kept end after their task did.
    const bool was_over = supervise::is_over(target.before) || !(*status)->ended_at;
    const Duration took = (was_over ? os::now() : *(*status)->ended_at) - target.asked;
    say(context, name + ": " + ended_words(**status, std::max(took, Duration::zero())));
    return code::ok;
}

/// All of them as they are now, and those that removed themselves (--rm) as they ended.
void Kill::answer(Context& context, store::Root& root, const std::vector<TaskId>& ids)
{
    std::vector<supervise::Snapshot> shown = supervise::inspect_all(root, ids, {.spec = true, .usage = true, .ports = true});
    for (Target& target : targets_)
        if (std::ranges::find(shown, target.seen.id, &supervise::Snapshot::id) == shown.end()) shown.push_back(std::move(target.seen));
    print_snapshots_json(context, shown);
}

int Kill::run(Context& context)
{
    if (grace_text_) {
        auto grace = parse_duration(*grace_text_);
        if (!grace) return context.fail(Error::usage("--grace: " + grace.error().message), json_);
        grace_ = *grace;
    }
    if (timeout_text_) {
        auto timeout = parse_limit(*timeout_text_);
        if (!timeout) return context.fail(Error::usage("--timeout: " + timeout.error().message), json_);
        timeout_ = *timeout;
    }
    if (stop_signals_)
        if (auto ladder = core::parse_stop_signals(*stop_signals_, context.settings().grace); !ladder)
            return context.fail(Error::usage("--stop-signals: " + ladder.error().message), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = select_there(context, **root, selection_, Scope::living);
    if (!found) return context.fail(found.error(), json_);
    const auto deadline = timeout_ ? std::optional(os::now() + *timeout_) : std::nullopt;
    // All of them stop at the same time; each is waited for in turn.
    int result = for_each_task(context, *found, [&](TaskId id) { return ask(context, **root, id); });
    for (auto& target : targets_) {
        const int one = await(context, **root, target, deadline);
        if (result == code::ok) result = one;
    }
    if (json_) answer(context, **root, found->ids);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_kill()
{
    return std::make_unique<Kill>();
}

} // namespace bgt::cli
