// The questions that WaitLoop asks of each task, and what follows from the answers.
#include <bgt/cli/wait_loop.hpp>

#include <bgt/os/clock.hpp>

#include <algorithm>

namespace bgt::cli {

using Kind = supervise::Condition::Kind;

namespace {

constexpr Duration last_check_timeout = std::chrono::seconds(1);
constexpr Duration last_command_timeout = std::chrono::seconds(10);

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
    check_record(task);
    check_quiet(task);
    check_outside(task);
    if (over) check_end(task);
    check_guards(task);
    if (std::ranges::find(waiting.coming, ConditionState::open) == waiting.coming.end()) settle(waiting);
    return false;
}

Result<bool> WaitLoop::check_output(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    if (!waiting.output) return false;
    Result<bool> more = waiting.output->scan([&](std::string_view line) {
        for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
            const supervise::Condition& condition = request_.conditions[i];
            if (!condition.reads_output() || waiting.coming[i] != ConditionState::open) continue;
            if (condition.pattern->matches(line)) set(task, i, condition.is_guard() ? ConditionState::never : ConditionState::met);
        }
    });
    if (!more) return more.error();
    return *more && (is_open(task, Kind::log) || is_open(task, Kind::log_fail));
}

void WaitLoop::check_record(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    const store::Status& status = waiting.task.status();
    const bool over = waiting.task.over();
    constexpr double tolerance = 1e-9; // 0.07 * 100 is not 7
    if (status.progress && !waiting.seen) waiting.seen = Seen{*status.progress, os::now()};
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        const supervise::Condition& condition = request_.conditions[i];
        if (waiting.coming[i] != ConditionState::open || !condition.is_recorded()) continue;
        const bool far_enough = status.progress && *status.progress + tolerance >= condition.fraction;
        const bool waits_for_input = !over && status.activity == core::Activity::waiting_input;
        if ((condition.kind == Kind::ready && status.ready) || (condition.kind == Kind::progress && far_enough) ||
            (condition.kind == Kind::stalled && !over && status.stalled) ||
            (condition.kind == Kind::waiting_input && waits_for_input))
            set(task, i, ConditionState::met);
        else if (condition.kind == Kind::ready && (waiting.never_ready || status.never_ready)) set(task, i, ConditionState::never);
    }
}

void WaitLoop::check_quiet(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    if (!waiting.age || waiting.task.over()) return;
    const Instant now = os::now();
    waiting.quiet_since = waiting.age->last(now, os::wall_now());
    for (std::size_t i = 0; i < request_.conditions.size(); ++i)
        if (request_.conditions[i].kind == Kind::quiet && now - waiting.quiet_since >= request_.conditions[i].quiet)
            set(task, i, ConditionState::met);
}

/// A guard has done its work when all it guards has been settled.
void WaitLoop::check_guards(std::size_t task)
{
    Waiting& waiting = tasks_[task];
    const auto is_open_guard = [&](std::size_t i) {
        return waiting.coming[i] == ConditionState::open && request_.conditions[i].is_guard();
    };
    for (std::size_t i = 0; i < request_.conditions.size(); ++i)
        if (waiting.coming[i] == ConditionState::open && !is_open_guard(i)) return;
    for (std::size_t i = 0; i < request_.conditions.size(); ++i)
        if (is_open_guard(i)) set(task, i, ConditionState::met);
}

void WaitLoop::check_outside(std::size_t task)
{
    const bool over = tasks_[task].task.over();
    const bool at_once = deadline_ && *deadline_ <= started_;
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        const supervise::Condition& condition = request_.conditions[i];
        if (!condition.is_outside() || tasks_[task].coming[i] != ConditionState::open) continue;
        ExternalCheck& outside = outside_[i];
        if (!outside.held && (over || at_once)) { // the prober may be in the middle of an older question
            const bool slow = condition.kind == Kind::command;
            if (!outside.last_check)
                outside.last_check = supervise::holds(condition, slow ? last_command_timeout : last_check_timeout);
            outside.held = *outside.last_check;
        }
        if (outside.held) set(task, i, ConditionState::met);
    }
}

void WaitLoop::check_ports()
{
    std::vector<store::TaskId> ids;
    for (std::size_t task = 0; task < tasks_.size(); ++task)
        if (!tasks_[task].settled && is_open(task, Kind::port)) ids.push_back(tasks_[task].task.id());
    if (ids.empty()) return;
    supervise::SnapshotFields want;
    want.ports = true;
    const std::vector<supervise::Snapshot> seen = supervise::inspect_all(root_, ids, want);
    for (const supervise::Snapshot& snapshot : seen) {
        const auto found = std::ranges::find(tasks_, snapshot.id, [](const Waiting& w) { return w.task.id(); });
        if (found == tasks_.end()) continue;
        const auto task = static_cast<std::size_t>(found - tasks_.begin());
        for (std::size_t i = 0; i < request_.conditions.size(); ++i)
            if (request_.conditions[i].kind == Kind::port && snapshot.problem.empty() &&
                listens(snapshot.ports, request_.conditions[i]) != request_.conditions[i].gone)
                set(task, i, ConditionState::met);
    }
}

/// The task is over and all else was asked: what has not come will not.
void WaitLoop::check_end(std::size_t task)
{
    const bool zero = supervise::exit_code(tasks_[task].task.status()) == 0;
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        switch (request_.conditions[i].kind) {
        case Kind::exit: set(task, i, ConditionState::met); break;
        case Kind::exit_zero: set(task, i, zero ? ConditionState::met : ConditionState::never); break;
        case Kind::log_fail: set(task, i, ConditionState::met); break;
        case Kind::port: set(task, i, request_.conditions[i].gone ? ConditionState::met : ConditionState::never); break;
        case Kind::ready:
        case Kind::log:
        case Kind::progress:
        case Kind::quiet:
        case Kind::stalled:
        case Kind::waiting_input:
        case Kind::tcp:
        case Kind::http:
        case Kind::unix_socket:
        case Kind::file:
        case Kind::command: set(task, i, ConditionState::never); break;
        }
    }
}

} // namespace bgt::cli
