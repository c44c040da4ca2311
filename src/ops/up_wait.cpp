#include <bgt/ops/up.hpp>

#include <bgt/base/timer.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/await_start.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/ops/wait.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_view.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

using State = UpReadiness::State;

enum class By : std::uint8_t { condition, end, start };

struct Awaited {
    const UpOne* task;
    By by;
};

By readiness_of(const store::Root& root, const UpOne& one)
{
    std::optional<bool> awaits_ready;
    if (const auto task = root.open_task(one.id)) {
        if (const auto spec = store::read_spec(task->fd()))
            awaits_ready = spec->policy.awaits_ready;
    } else if (const auto view = store::QueueView::load(root, os::boot_id())) {
        if (const auto waiting = view->describe(one.id))
            awaits_ready = waiting->spec.policy.awaits_ready;
    }
    if (awaits_ready.value_or(false)) return By::condition;
    return one.is_job ? By::end : By::start;
}

std::vector<store::TaskId> those_by(const std::vector<Awaited>& all, By by)
{
    std::vector<store::TaskId> out;
    for (const Awaited& one : all)
        if (one.by == by) out.push_back(one.task->id);
    return out;
}

/// Readable when the time has come; -1: never.
Result<Fd> timer_of(std::optional<Duration> left)
{
    if (!left) return Fd();
    BGT_TRY_ASSIGN(Fd timer, make_timer());
    BGT_TRY(set_timer(timer, *left));
    return timer;
}

class Waiter {
public:
    Waiter(store::Root& root, std::optional<Duration> timeout, Cancel cancel)
        : root_(root),
          cancel_(cancel),
          deadline_(timeout ? std::optional(os::now() + *timeout) : std::nullopt)
    {}

    /// False: it is of no use to wait for the rest.
    Result<bool> meet(const std::vector<store::TaskId>& tasks, const char* condition)
    {
        if (tasks.empty()) return true;
        WaitRequest request{tasks, {*core::parse_condition(condition, "/")}};
        request.timeout = left();
        BGT_TRY_ASSIGN(const WaitAnswer answer, wait(root_, request, {}, cancel_.fd));
        if (answer.end == WaitAnswer::End::cancelled) return cancelled();
        if (answer.end == WaitAnswer::End::impossible)
            impossible = answer.tasks[answer.verdict.task].id;
        return answer.end == WaitAnswer::End::met;
    }

    Result<bool> start(const std::vector<store::TaskId>& tasks)
    {
        for (const store::TaskId id : tasks) {
            BGT_TRY_ASSIGN(const Fd timer, timer_of(left()));
            const auto started = await_start(root_, id, Cancel{timer.get()});
            if (!started && is_cancelled(started.error())) return false;
            if (!started) return started.error();
        }
        return true;
    }

    std::optional<store::TaskId> impossible; ///< it lives, and will never be ready

private:
    std::optional<Duration> left() const
    {
        if (!deadline_) return std::nullopt;
        return std::max(*deadline_ - os::now(), Duration::zero());
    }

    store::Root& root_;
    Cancel cancel_;
    std::optional<Instant> deadline_;
};

void judge_ended(UpReadiness& out, const store::Status& status, By by)
{
    const int code = exit_code(status);
    const bool is_met = (by == By::condition && status.ready) || (by == By::end && code == 0);
    if (is_met) return;
    out.state = State::failed;
    out.own_code = code;
    out.why = core::ended_words(status.outcome);
}

UpReadiness judge(store::Root& root, const Awaited& awaited,
                  const std::optional<store::TaskId>& impossible)
{
    UpReadiness out{awaited.task->name, awaited.task->id, State::ready, {}, {}, {}};
    const auto seen = recover_and_inspect(root, out.id, {.log_tail = true});
    if (!seen || !seen->problem.empty()) {
        const bool waits = store::is_queued(root, out.id, os::boot_id());
        out.state = waits ? State::pending : State::failed;
        out.why = waits ? "has not started yet" : !seen ? seen.error().message : seen->problem;
        return out;
    }
    const store::Status& status = seen->status;
    if (is_over(status)) {
        judge_ended(out, status, awaited.by);
    } else if (awaited.by == By::end) {
        out.state = State::pending;
        out.why = "has not ended yet";
    } else if (awaited.by == By::condition && !status.ready) {
        out.state = impossible == out.id ? State::failed : State::pending;
        out.why = out.state == State::failed ? "can no longer become ready" : "is not ready yet";
    } else if (status.lifecycle == core::Lifecycle::queued) {
        out.state = State::pending;
        out.why = "has not started yet";
    }
    if (out.state != State::ready) out.tail = seen->log_tail;
    return out;
}

} // namespace

Result<std::vector<UpReadiness>> await_up(store::Root& root, const UpAnswer& answer,
                                          std::optional<Duration> timeout, Cancel cancel)
{
    std::vector<Awaited> all;
    for (const UpOne& one : answer.tasks)
        all.push_back({&one, one.act == UpOne::Act::done ? By::end : readiness_of(root, one)});
    Waiter waiter(root, timeout, cancel);
    BGT_TRY_ASSIGN(bool goes_on, waiter.meet(those_by(all, By::condition), "ready"));
    if (goes_on) { BGT_TRY_ASSIGN(goes_on, waiter.start(those_by(all, By::start))); }
    if (goes_on) { BGT_TRY_ASSIGN(goes_on, waiter.meet(those_by(all, By::end), "exit=0")); }
    std::vector<UpReadiness> out;
    for (const Awaited& one : all) out.push_back(judge(root, one, waiter.impossible));
    return out;
}

} // namespace bgt::ops
