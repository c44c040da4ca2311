// The questions that WaitLoop asks of each task, and what follows from the answers.
#include <bgt/cli/wait_loop.hpp>

#include <bgt/base/text.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/base/terminal_text.hpp>

#include <algorithm>

namespace bgt::cli {

using Kind = supervise::Condition::Kind;

namespace {

constexpr Duration last_check_patience = std::chrono::seconds(1);
constexpr Duration last_command_patience = std::chrono::seconds(10);

bool listens(const std::vector<std::uint16_t>& ports, const supervise::Condition& condition)
{
    return condition.port == 0 ? !ports.empty() : std::ranges::find(ports, condition.port) != ports.end();
}

} // namespace

/// True: there is more to read.
Result<bool> WaitLoop::check(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    if (waiting.settled) return false;
    if (!waiting.task.problem().empty()) return Error::failed(waiting.task.problem());
    const bool over = waiting.task.over(); // first: what is found after this is all there will be
    Result<bool> more = check_output(task);
    if (!more || *more) return more;
    check_outside(task);
    if (over) check_end(task);
    if (std::ranges::find(waiting.coming, Coming::open) == waiting.coming.end()) settle(waiting);
    return false;
}

Result<bool> WaitLoop::check_output(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    if (!waiting.output || !is_open(task, Kind::log)) return false;
    Result<bool> more = waiting.output->scan([&](std::string_view line) {
        for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
            const supervise::Condition& condition = request_.conditions[i];
            if (condition.kind != Kind::log || waiting.coming[i] != Coming::open) continue;
            if (condition.pattern->matches(line)) set(task, i, Coming::met);
        }
    });
    if (!more) return more.error();
    return *more && is_open(task, Kind::log);
}

void WaitLoop::check_outside(std::size_t task)
{
    const bool over = tasks_[task].task.over();
    const bool at_once = deadline_ && *deadline_ <= started_;
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        const supervise::Condition& condition = request_.conditions[i];
        if (!condition.is_outside() || tasks_[task].coming[i] != Coming::open) continue;
        Outside& outside = outside_[i];
        if (!outside.held && (over || at_once)) { // the prober may be in the middle of an older question
            const bool slow = condition.kind == Kind::command;
            if (!outside.last_check)
                outside.last_check = supervise::holds(condition, slow ? last_command_patience : last_check_patience);
            outside.held = *outside.last_check;
        }
        if (outside.held) set(task, i, Coming::met);
    }
}

void WaitLoop::check_ports()
{
    std::vector<store::TaskId> ids;
    for (std::size_t task = 0; task < tasks_.size(); ++task)
        if (!tasks_[task].settled && is_open(task, Kind::port)) ids.push_back(tasks_[task].task.id());
    if (ids.empty()) return;
    supervise::Want want;
    want.ports = true;
    const std::vector<supervise::Snapshot> seen = supervise::look_all(root_, ids, want);
    for (const supervise::Snapshot& snapshot : seen) {
        const auto found = std::ranges::find(tasks_, snapshot.id, [](const Waiting& w) { return w.task.id(); });
        if (found == tasks_.end()) continue;
        const auto task = static_cast<std::size_t>(found - tasks_.begin());
        for (std::size_t i = 0; i < request_.conditions.size(); ++i)
            if (request_.conditions[i].kind == Kind::port && listens(snapshot.ports, request_.conditions[i]))
                set(task, i, Coming::met);
    }
}

/// The task is over and all else was asked: what has not come will not.
void WaitLoop::check_end(std::size_t task)
{
    const bool zero = supervise::exit_code(tasks_[task].task.status()) == 0;
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        switch (request_.conditions[i].kind) {
        case Kind::exit: set(task, i, Coming::met); break;
        case Kind::exit_zero: set(task, i, zero ? Coming::met : Coming::never); break;
        case Kind::log:
        case Kind::port:
        case Kind::tcp:
        case Kind::http:
        case Kind::file:
        case Kind::command: set(task, i, Coming::never); break;
        }
    }
}

std::optional<WaitAnswer> WaitLoop::decide() const
{
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
    const store::Status& status = tasks_[first_never_->task].task.status();
    const supervise::Condition& condition = request_.conditions[first_never_->condition];
    const std::string ended = tasks_[first_never_->task].task.label() + " " + describe_end(status);
    if (condition.is_exit()) return {code::cannot_come, ended + ": exit=0 can no longer come"};
    return {code::cannot_come, ended + " before " + condition.before};
}

WaitAnswer WaitLoop::timed_out() const
{
    std::string text = format_duration(*request_.timeout) + " passed";
    const auto first = std::ranges::find(tasks_, false, &Waiting::settled);
    const auto open = std::ranges::find(first->coming, Coming::open);
    const supervise::Condition& condition = request_.conditions[static_cast<std::size_t>(open - first->coming.begin())];
    if (!condition.is_exit()) text += " before " + condition.before;
    const store::Status& status = first->task.status();
    text += ": " + first->task.label();
    text += first->task.over() ? " " + describe_end(status) // its log is still being read
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

/// "web running 12s | last line", or "3 of 10 over, 12s | web: last line".
std::string WaitLoop::live_text() const
{
    const auto first = std::ranges::find(tasks_, false, &Waiting::settled);
    if (first == tasks_.end()) return {};
    const store::Status& status = first->task.status();
    Duration age = os::now() - started_;
    std::string text;
    if (tasks_.size() == 1) {
        if (status.started_at && status.boot == os::boot_id()) age = os::now() - *status.started_at;
        text = first->task.label() + " " + std::string(core::to_string(status.lifecycle)) + " " + format_age(age);
    } else {
        const auto over = std::ranges::count(tasks_, true, [](const Waiting& w) { return w.task.over(); });
        text = std::to_string(over) + " of " + std::to_string(tasks_.size()) + " over, " + format_age(age);
    }
    supervise::Want want;
    want.log_tail = true;
    const Result<supervise::Snapshot> seen = supervise::look(root_, first->task.id(), want);
    const std::string line = seen ? last_line(seen->log_tail) : std::string();
    if (line.empty()) return text;
    return text + " | " + (tasks_.size() == 1 ? "" : first->task.short_label() + ": ") + line;
}

} // namespace bgt::cli
