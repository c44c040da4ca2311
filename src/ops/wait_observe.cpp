// What the wait operation observes of tasks and of what is around them, as facts for core::Waiting.
#include "wait_driver.hpp"

#include "readiness.hpp"
#include <bgt/os/clock.hpp>
#include <bgt/os/sample.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/condition_probe.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>

namespace bgt::ops {

using core::Observation;
using Kind = core::Condition::Kind;

namespace {

constexpr Duration last_poll_interval = std::chrono::milliseconds(200);
constexpr Duration min_cpu_interval =
    std::chrono::milliseconds(200); ///< CPU is counted in ticks of 10 ms
constexpr Duration max_cpu_interval = std::chrono::seconds(5);
constexpr int cpu_looks_a_span = 20;
constexpr Duration min_answer_timeout =
    std::chrono::milliseconds(200); ///< of a supervisor that answers, on a busy machine
constexpr Duration request_interval = std::chrono::seconds(1);
constexpr Duration supervisors_interval = std::chrono::seconds(5);
constexpr Duration last_check_timeout = std::chrono::seconds(1);
constexpr Duration last_command_timeout = std::chrono::seconds(10);

core::fact::Answered ask_once(const core::Condition& condition)
{
    return supervise::probe(condition, condition.kind() == Kind::command ? last_command_timeout
                                                                         : last_check_timeout);
}

} // namespace

Result<void> WaitDriver::open_task(store::TaskId id)
{
    Result<TaskMonitor> monitor = TaskMonitor::open(root_, id);
    if (!monitor) return monitor.error();
    const core::Observations needed = waiting_.needed(tasks_.size());
    Task task{std::move(*monitor)};
    const store::Status& status = task.monitor.status();
    const bool asks_ready = std::ranges::any_of(
        request_.conditions, [](const auto& c) { return c.kind() == Kind::ready; });
    if (asks_ready && status.ready) {
        supervise::SnapshotFields want;
        want.ports = true;
        Result<supervise::Snapshot> seen = supervise::recover_and_inspect(root_, id, want);
        if (seen) check_readiness(root_, *seen);
        task.monitor.refresh();
    } else if (asks_ready) {
        const Result<store::TaskSpec> spec = store::read_spec(task.monitor.dir().fd());
        task.without_readiness = spec && spec->ready.empty();
    }
    if (task.monitor.waits() && needed.has_any({Observation::output, Observation::output_age}))
        return Error::failed(supervise::waiting_text(id));
    if (needed.has(Observation::output_age)) {
        Result<supervise::OutputAge> age = supervise::OutputAge::open(task.monitor.dir());
        if (!age) return age.error();
        task.age.emplace(std::move(*age));
    }
    if (needed.has(Observation::output)) {
        Result<supervise::OutputMatcher> output = supervise::OutputMatcher::open(
            task.monitor.dir(), status.freed_bytes, status.freed_err_bytes);
        if (!output) return output.error();
        const auto find = [&](store::WhichLog stream) {
            return find_attempt(task.monitor.dir(), status, stream, request_.attempt,
                                task.monitor.label());
        };
        const Result<store::TaskSpec> spec = store::read_spec(task.monitor.dir().fd());
        const bool has_err = !spec || spec->split;
        const Result<AttemptBytes> out = find(store::WhichLog::out),
                                   err = has_err ? find(store::WhichLog::err) : AttemptBytes{};
        if (!out) return out.error();
        if (!err) return err.error();
        output->skip_to(out->begin, err->begin);
        output->stop_at(out->end, err->end);
        task.output.emplace(std::move(*output));
    } else {
        task.monitor.close_folder();
    }
    tasks_.push_back(std::move(task));
    return {};
}

/// True: there is more to read.
Result<bool> WaitDriver::observe()
{
    observe_files();
    if (os::now() >= next_poll_) {
        observe_trees();
        next_poll_ = os::now() + poll_interval_;
        poll_interval_ = std::min(poll_interval_ * 5 / 4, max_poll_interval());
    }
    request_looks();
    look_at_supervisors();
    for (Probe& probe : probes_) probe.again.reset();
    bool more = false;
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
        Result<bool> observed = observe_task(task);
        if (!observed) return observed.error();
        more = more || *observed;
    }
    return more;
}

Result<bool> WaitDriver::observe_task(std::size_t index)
{
    Task& task = tasks_[index];
    if (task.released) return false;
    if (!task.monitor.problem().empty()) return Error::failed(task.monitor.problem());
    const bool over = task.monitor.over(); // first: what is found after this is all there will be
    Result<bool> more = observe_output(index);
    if (!more || *more) return more;
    observe_record(index, over);
    if (over) waiting_.take(index, core::fact::OutputRead{});
    else observe_silence(index);
    if (over || asks_at_once()) ask_probes(index);
    if (waiting_.settled(index)) release(task);
    return false;
}

Result<bool> WaitDriver::observe_output(std::size_t index)
{
    Task& task = tasks_[index];
    if (!task.output || !waiting_.needed(index).has(Observation::output)) return false;
    const Result<bool> more = task.output->scan(
        [&](std::string_view line) { waiting_.take(index, core::fact::Line{line}); });
    if (!more) return more.error();
    return *more && waiting_.needed(index).has(Observation::output);
}

void WaitDriver::observe_record(std::size_t index, bool over)
{
    Task& task = tasks_[index];
    const store::Status& status = task.monitor.status();
    if (status.progress && !task.seen) task.seen = Seen{*status.progress, os::now()};
    core::fact::Recorded record;
    record.over = over;
    record.exit_code = supervise::exit_code(status);
    record.ready = status.ready;
    if (task.without_readiness) record.readiness = core::Readiness::no_condition;
    else if (status.never_ready) record.readiness = core::Readiness::lost;
    record.stalled = status.stalled;
    record.crash_loop = status.crash_loop;
    record.waiting_input = status.activity == core::Activity::waiting_input;
    record.progress = status.progress;
    waiting_.take(index, record);
}

void WaitDriver::observe_silence(std::size_t index)
{
    Task& task = tasks_[index];
    if (!task.age || !waiting_.needed(index).has(Observation::output_age)) return;
    const Instant now = os::now();
    task.last_output = task.age->last(now, os::wall_now());
    waiting_.take(index, core::fact::Silence{now - task.last_output});
}

void WaitDriver::observe_trees()
{
    core::Observations needed;
    std::vector<store::TaskId> ids;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        if (!waiting_.needed(i).has_any(core::of_tree)) continue;
        needed |= waiting_.needed(i);
        ids.push_back(tasks_[i].monitor.id());
    }
    if (ids.empty()) return;
    supervise::SnapshotFields want;
    want.ports = needed.has(Observation::listeners);
    want.usage = needed.has_any({Observation::memory, Observation::cpu});
    for (const supervise::Snapshot& seen : supervise::recover_and_inspect_all(root_, ids, want)) {
        const auto found =
            std::ranges::find(tasks_, seen.id, [](const Task& task) { return task.monitor.id(); });
        if (found != tasks_.end() && seen.problem.empty())
            observe_tree(static_cast<std::size_t>(found - tasks_.begin()), seen);
    }
}

void WaitDriver::observe_tree(std::size_t index, const supervise::Snapshot& seen)
{
    const core::Observations needed = waiting_.needed(index);
    if (needed.has(Observation::listeners)) waiting_.take(index, core::fact::Listening{seen.ports});
    if (needed.has(Observation::memory) && seen.rss_bytes)
        waiting_.take(index, core::fact::Memory{*seen.rss_bytes});
    if (needed.has(Observation::cpu)) observe_cpu(index, seen.tree);
}

void WaitDriver::observe_cpu(std::size_t index, const std::vector<os::ProcStat>& tree)
{
    Task& task = tasks_[index];
    std::vector<core::fact::CpuTotal>& totals = task.cpu_totals;
    core::Sample now = os::take_sample(tree, {});
    now.reaped_cpu = Duration::zero(); // of the probers of this very process
    if (!totals.empty() && now.at - task.sample.at < min_cpu_interval) return;
    totals.push_back({now.at, totals.empty()
                                  ? Duration::zero()
                                  : totals.back().used + core::compare(task.sample, now).cpu});
    task.sample = std::move(now);
    Duration longest{};
    for (const core::Condition& condition : request_.conditions)
        longest = std::max(longest, condition.span);
    // One look that is as old as the longest span is enough.
    const Instant begin = totals.back().at - longest;
    const auto young =
        std::ranges::find_if(totals, [&](const auto& total) { return total.at > begin; });
    if (young - totals.begin() > 1) totals.erase(totals.begin(), young - 1);
    waiting_.take(index, core::fact::Cpu{totals});
}

/// A share of CPU over a long time needs no more than some looks.
Duration WaitDriver::max_poll_interval() const
{
    const core::Observations needed = waiting_.needed();
    if (!needed.has(Observation::cpu) ||
        needed.has_any({Observation::listeners, Observation::memory}))
        return last_poll_interval;
    Duration interval = max_cpu_interval;
    for (std::size_t task = 0; task < tasks_.size(); ++task)
        if (const auto span = waiting_.min_span(task, Observation::cpu))
            interval = std::min(interval, *span / cpu_looks_a_span);
    return std::max(interval, min_cpu_interval);
}

/// A look at a file takes no time: it is asked right here.
void WaitDriver::observe_files()
{
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        if (request_.conditions[i].kind() != Kind::file || !waiting_.needs_probe(i)) continue;
        const core::fact::Answered answer =
            supervise::probe(request_.conditions[i], Duration::zero());
        if (answer.yes) waiting_.answer(i, answer);
    }
}

/// The task is over, and the prober may be in the middle of an older question.
void WaitDriver::ask_probes(std::size_t index)
{
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        if (!request_.conditions[i].observes(Observation::probe) || !waiting_.is_open(index, i))
            continue;
        if (!probes_[i].again) {
            probes_[i].again = ask_once(request_.conditions[i]);
            // What was answered while the task lived says more than that nobody answers any more.
            if (!waiting_.last_answer(i).empty()) probes_[i].again->text = waiting_.last_answer(i);
        }
        waiting_.answer(i, *probes_[i].again);
    }
}

/// Asks for a look at the signs of life, once a second, and only where they are wanted. A
/// supervisor that does not answer is no reason to end the wait, nor to wait longer than was asked
/// for.
void WaitDriver::request_looks()
{
    if (os::now() < next_request_) return;
    bool any = false;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        if (!waiting_.needed(i).has(Observation::look)) continue;
        any = true;
        TaskMonitor& monitor = tasks_[i].monitor;
        const Duration timeout =
            deadline_ ? std::max(*deadline_ - os::now(), min_answer_timeout) : Duration::max();
        if (!monitor.over() && supervise::request_look(root_, monitor.id(), timeout))
            monitor.refresh();
    }
    next_request_ = any ? os::now() + request_interval : Instant{};
}

/// One that is stopped tells nobody of a change, not even of the end of its task.
void WaitDriver::look_at_supervisors()
{
    if (!request_.note || os::now() < next_supervisors_) return;
    next_supervisors_ = os::now() + supervisors_interval;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        Task& task = tasks_[i];
        if (task.noted || waiting_.settled(i) || task.monitor.over()) continue;
        const ProcessKey supervisor = task.monitor.status().supervisor;
        if (!supervise::is_stopped(supervisor)) continue;
        task.noted = true;
        request_.note(task.monitor.label() + ": " + supervise::stopped_words(supervisor));
    }
}

void WaitDriver::release(Task& task)
{
    task.released = true;
    if (watch_) task.monitor.unwatch(*watch_);
    if (watch_ && task.output) task.output->unwatch(*watch_);
    task.output.reset();
    task.age.reset();
    task.monitor.close_folder();
}

} // namespace bgt::ops
