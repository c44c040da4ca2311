// What WaitLoop makes of the answers: the end of the wait, and the line that a terminal shows meanwhile.
#include <bgt/cli/wait_loop.hpp>

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/core/progress.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/render/progress_bar.hpp>

#include <algorithm>

namespace bgt::cli {

std::optional<WaitAnswer> WaitLoop::decide() const
{
    if (broken_) return failure();
    if (request_.any) {
        if (first_met_) return success();
        return open_ == 0 ? std::optional(failure()) : std::nullopt;
    }
    if (first_never_) return failure();
    return open_ == 0 ? std::optional(success()) : std::nullopt;
}

WaitAnswer WaitLoop::success() const
{
    if (request_.any) {
        const bool by_exit = request_.conditions[first_met_->condition].is_exit();
        return {by_exit ? supervise::exit_code(tasks_[first_met_->task].task.status()) : code::ok, {}};
    }
    if (std::ranges::none_of(request_.conditions, &supervise::Condition::is_exit)) return {};
    for (const Waiting& waiting : tasks_)
        if (const int code = supervise::exit_code(waiting.task.status()); code != 0) return {code, {}};
    return {};
}

WaitAnswer WaitLoop::failure() const
{
    const Decisive& decisive = broken_ ? *broken_ : *first_never_;
    const Waiting& waiting = tasks_[decisive.task];
    const supervise::Condition& condition = request_.conditions[decisive.condition];
    const std::string label = waiting.task.label();
    if (broken_) return {code::cannot_come, label + ": " + condition.before + " (log-fail)"};
    if (condition.kind == supervise::Condition::Kind::ready && waiting.never_ready)
        return {code::cannot_come, label + " was started without a condition of readiness (bgt run --ready-log, ...)"};
    if (!waiting.task.over()) return {code::cannot_come, label + " can no longer become ready: bgt show " + to_string(waiting.task.id()) + " says why"};
    const std::string ended = label + " " + ops::describe_end(waiting.task.status());
    if (condition.is_exit()) return {code::cannot_come, ended + ": exit=0 can no longer come"};
    return {code::cannot_come, ended + " before " + condition.before};
}

/// With --or-stuck: the first task that does nothing, or waits for somebody to type.
std::optional<WaitAnswer> WaitLoop::stuck() const
{
    if (!request_.or_stuck) return std::nullopt;
    for (const Waiting& waiting : tasks_) {
        if (waiting.settled || waiting.task.over()) continue;
        const store::Status& status = waiting.task.status();
        const bool waits_for_input = status.activity == core::Activity::waiting_input;
        if (!waits_for_input && !status.stalled) continue;
        return WaitAnswer{code::cannot_come, waiting.task.label() + (waits_for_input ? " waits for input" : " is stalled") +
                                                 ": bgt why " + to_string(waiting.task.id()) + " says more"};
    }
    return std::nullopt;
}

WaitAnswer WaitLoop::timed_out() const
{
    std::string text = format_duration(*request_.timeout) + " passed";
    const auto first = std::ranges::find(tasks_, false, &Waiting::settled);
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        const supervise::Condition& condition = request_.conditions[i];
        if (first->coming[i] != ConditionState::open || condition.is_guard()) continue;
        if (!condition.is_exit()) text += " before " + condition.before;
        break;
    }
    const store::Status& status = first->task.status();
    text += ": " + first->task.label();
    text += first->task.over() ? " " + ops::describe_end(status) // its log is still being read
                               : " is still " + std::string(core::to_string(status.lifecycle)) + ", untouched";
    const auto others = std::ranges::count(tasks_, false, &Waiting::settled) - 1;
    if (others > 0) text += ", and " + std::to_string(others) + " more";
    return {code::wait_timeout, std::move(text)};
}

std::vector<supervise::Snapshot> WaitLoop::last_seen() const
{
    std::vector<supervise::Snapshot> all;
    for (const Waiting& waiting : tasks_) {
        supervise::Snapshot& snapshot = all.emplace_back();
        snapshot.id = waiting.task.id();
        snapshot.status = waiting.task.status();
        snapshot.folder = waiting.task.path();
        snapshot.problem = waiting.task.problem();
    }
    return all;
}

/// By the pace since this wait began to see progress; before it saw any gain, since the start.
std::optional<Duration> WaitLoop::time_left(Waiting& waiting) const
{
    const store::Status& status = waiting.task.status();
    if (!status.progress || !status.started_at || status.boot != os::boot_id()) return std::nullopt;
    if (!waiting.seen || waiting.seen->fraction > *status.progress) waiting.seen = Seen{*status.progress, os::now()};
    const auto seconds = [&](Instant at) { return std::chrono::duration<double>(at - *status.started_at).count(); };
    const std::optional<double> left =
        core::seconds_left(waiting.seen->fraction, seconds(waiting.seen->at), *status.progress, seconds(os::now()));
    if (!left || !(*left < 1e8)) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*left));
}

/// "web running 12s | last line", "3 of 10 over, 12s | web: last line", with a bar before the last line where there is
/// progress.
std::string WaitLoop::live_text(std::size_t columns)
{
    const auto first = std::ranges::find(tasks_, false, &Waiting::settled);
    if (first == tasks_.end()) return {};
    const store::Status& status = first->task.status();
    Duration age = os::now() - started_;
    render::ProgressLine line;
    if (tasks_.size() == 1) {
        if (status.started_at && status.boot == os::boot_id()) age = os::now() - *status.started_at;
        line.head = first->task.label() + " " + std::string(core::to_string(status.lifecycle)) + " " + format_age(age);
    } else {
        const auto over = std::ranges::count(tasks_, true, [](const Waiting& w) { return w.task.over(); });
        line.head = std::to_string(over) + " of " + std::to_string(tasks_.size()) + " over, " + format_age(age);
    }
    first->task.refresh(); // nobody wakes the wait for progress alone
    line.fraction = status.progress;
    line.left = time_left(*first);
    supervise::SnapshotFields want;
    want.log_tail = true;
    const Result<supervise::Snapshot> seen = supervise::inspect(root_, first->task.id(), want);
    line.tail = !status.step.empty() ? printable(status.step) : seen ? last_line(seen->log_tail) : std::string();
    if (tasks_.size() > 1 && !line.tail.empty()) line.tail.insert(0, first->task.short_label() + ": ");
    return render::progress_line(line, columns);
}

} // namespace bgt::cli
