#include <bgt/ops/wait.hpp>

#include "wait_driver.hpp"

#include "readiness.hpp"
#include <bgt/core/progress.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>

namespace bgt::ops {

using core::Observation;
using Kind = core::Condition::Kind;

namespace {

constexpr Duration starting_poll = std::chrono::milliseconds(50);
constexpr Duration first_progress = std::chrono::milliseconds(250);
constexpr Duration progress_interval = std::chrono::milliseconds(500);
constexpr Instant never = Instant::max();

bool is_readable(const os::Watch::Wake& wake, int fd)
{
    return std::ranges::find(wake.fds, fd) != wake.fds.end();
}

} // namespace

Result<void> WaitDriver::open()
{
    make_room_for(request_.tasks.size());
    for (const store::TaskId id : request_.tasks)
        if (Result<void> opened = open_task(id); !opened) return opened;
    return {};
}

Result<WaitAnswer> WaitDriver::run(const std::function<void(const WaitProgress&)>& show, int cancel)
{
    started_ = os::now();
    if (request_.timeout) deadline_ = started_ + *request_.timeout;
    Instant next_show = show ? started_ + first_progress : never;
    while (true) {
        const Result<bool> more = observe();
        if (!more) return more.error();
        const core::WaitVerdict::Kind verdict = waiting_.verdict().kind;
        if (verdict == core::WaitVerdict::Kind::met) return answer(WaitAnswer::End::met);
        if (verdict == core::WaitVerdict::Kind::impossible)
            return answer(WaitAnswer::End::impossible);
        if (!watch_) { // only now: most often the answer is there already
            if (Result<void> started = start_watching(); !started) return started.error();
            if (cancel >= 0) watch_->add_fd(cancel);
            continue;
        }
        const Instant now = os::now();
        if (deadline_ && now >= *deadline_) return answer(WaitAnswer::End::timed_out);
        if (now >= next_show) {
            show(progress());
            next_show = now + progress_interval;
        }
        const Instant until = std::min(next_look(*more), next_show);
        Result<os::Watch::Wake> wake =
            watch_->wait(until == never ? std::nullopt : std::optional(until));
        if (!wake) return wake.error();
        if (cancel >= 0 && is_readable(*wake, cancel)) return answer(WaitAnswer::End::cancelled);
        if (Result<void> taken = take_wake(*wake); !taken) return taken.error();
    }
}

Result<void> WaitDriver::start_watching()
{
    Result<os::Watch> watch = os::Watch::create();
    if (!watch) return watch.error();
    watch_.emplace(std::move(*watch));
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        Task& task = tasks_[i];
        if (task.released) continue;
        const bool every_change = waiting_.needed(i).has(Observation::record);
        if (task.output) {
            if (Result<void> watched = task.output->watch(*watch_, task.monitor.dir()); !watched)
                return watched;
        }
        const auto until = every_change ? TaskMonitor::Until::change : TaskMonitor::Until::end;
        if (Result<void> watched = task.monitor.watch(root_, *watch_, until); !watched)
            return watched;
    }
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        if (!waiting_.needs_probe(i)) continue;
        if (Result<void> started = start_probe(i); !started) return started;
    }
    return {};
}

Result<void> WaitDriver::start_probe(std::size_t i)
{
    const core::Condition& condition = request_.conditions[i];
    if (condition.kind() == Kind::file) {
        const std::size_t slash = condition.text.rfind('/');
        // Without the folder there is no watch, and the poll alone finds the file.
        Result<int> token = watch_->add_folder(slash == 0 ? "/" : condition.text.substr(0, slash));
        if (token) probes_[i].folder = *token;
        return {};
    }
    if (asks_at_once()) return {}; // ask_probes
    Result<supervise::Prober> prober = supervise::Prober::start(condition);
    if (!prober) return prober.error();
    probes_[i].prober.emplace(std::move(*prober));
    watch_->add_fd(probes_[i].prober->fd());
    return {};
}

Result<void> WaitDriver::take_wake(const os::Watch::Wake& wake)
{
    for (std::size_t i = 0; i < probes_.size(); ++i)
        if (Result<void> taken = take_answer(i, wake); !taken) return taken;
    for (Task& task : tasks_) {
        if (task.released) continue;
        task.monitor.update(root_, *watch_, wake);
        if (!task.output) continue;
        if (Result<void> renewed = task.output->renew(*watch_, task.monitor.dir()); !renewed)
            return renewed;
    }
    return {};
}

Result<void> WaitDriver::take_answer(std::size_t i, const os::Watch::Wake& wake)
{
    std::optional<supervise::Prober>& prober = probes_[i].prober;
    if (!prober || !is_readable(wake, prober->fd())) return {};
    Result<core::fact::Answered> answer = prober->answer();
    if (answer && !answer->yes) {
        waiting_.note_answer(i, std::move(answer->text));
        return {};
    }
    watch_->remove_fd(prober->fd());
    prober.reset();
    if (!answer) return answer.error();
    waiting_.answer(i, *answer);
    return {};
}

Instant WaitDriver::next_look(bool more) const
{
    if (more) return os::now();
    Instant until = deadline_.value_or(never);
    bool polls = std::ranges::any_of(request_.conditions,
                                     [](const auto& c) { return c.kind() == Kind::file; });
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        if (tasks_[i].released) continue;
        polls = polls || waiting_.needed(i).has_any(core::of_tree);
        if (tasks_[i].monitor.needs_poll()) until = std::min(until, os::now() + starting_poll);
        if (const auto silence = waiting_.min_span(i, Observation::output_age))
            until = std::min(until, tasks_[i].last_output + *silence);
    }
    if (next_request_ != Instant{}) until = std::min(until, next_request_);
    if (next_supervisors_ != Instant{}) until = std::min(until, next_supervisors_);
    return polls ? std::min(until, next_poll_) : until;
}

std::size_t WaitDriver::first_open_task() const
{
    std::size_t first = 0;
    while (first + 1 < tasks_.size() && waiting_.settled(first)) ++first;
    return first;
}

WaitAnswer WaitDriver::answer(WaitAnswer::End end) const
{
    WaitAnswer answer;
    answer.end = end;
    answer.verdict = waiting_.verdict();
    if (end == WaitAnswer::End::timed_out) {
        answer.verdict.task = first_open_task();
        answer.verdict.condition = waiting_.first_open(answer.verdict.task);
    }
    answer.last_answer = waiting_.last_answer(answer.verdict.condition);
    for (std::size_t task = 0; task < tasks_.size(); ++task)
        answer.open_tasks += waiting_.settled(task) ? 0 : 1;
    for (const Task& task : tasks_) {
        supervise::Snapshot& snapshot = answer.tasks.emplace_back();
        snapshot.id = task.monitor.id();
        snapshot.status = task.monitor.status();
        snapshot.folder = task.monitor.path();
        snapshot.problem = task.monitor.problem();
        snapshot.supervisor_stopped =
            !task.monitor.over() && supervise::is_stopped(snapshot.status.supervisor);
    }
    return answer;
}

/// By the pace since this wait began to see progress; before it saw any gain, since the start.
std::optional<Duration> WaitDriver::time_left(Task& task, std::optional<double> fraction) const
{
    const store::Status& status = task.monitor.status();
    if (!fraction || !status.started_at || status.boot != os::boot_id()) return std::nullopt;
    if (!task.seen || task.seen->fraction > *fraction) task.seen = Seen{*fraction, os::now()};
    const auto seconds = [&](Instant at) {
        return std::chrono::duration<double>(at - *status.started_at).count();
    };
    const std::optional<double> left = core::seconds_left(
        task.seen->fraction, seconds(task.seen->at), *fraction, seconds(os::now()));
    if (!left || !(*left < 1e8)) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*left));
}

WaitProgress WaitDriver::progress()
{
    WaitProgress out;
    out.tasks = tasks_.size();
    out.over = static_cast<std::size_t>(
        std::ranges::count(tasks_, true, [](const Task& task) { return task.monitor.over(); }));
    out.waited = os::now() - started_;
    Task& first = tasks_[first_open_task()];
    first.monitor.refresh(); // nobody wakes the wait for progress alone
    supervise::SnapshotFields want;
    want.log_tail = true;
    if (Result<supervise::Snapshot> seen =
            supervise::recover_and_inspect(root_, first.monitor.id(), want))
        out.first = std::move(*seen);
    out.first.id = first.monitor.id();
    const std::optional<double> printed =
        out.first.status.progress; // read out of the output, which is not on record
    out.first.status = first.monitor.status();
    out.first.supervisor_stopped = supervise::is_stopped(out.first.status.supervisor);
    if (!out.first.status.progress) out.first.status.progress = printed;
    out.left = time_left(first, out.first.status.progress);
    const store::Status& status = out.first.status;
    out.age = status.started_at && status.boot == os::boot_id() ? os::now() - *status.started_at
                                                                : out.waited;
    return out;
}

Result<WaitAnswer> wait(store::Root& root, const WaitRequest& request,
                        const std::function<void(const WaitProgress&)>& progress, int cancel)
{
    WaitDriver driver(root, request);
    if (Result<void> opened = driver.open(); !opened) return opened.error();
    Result<WaitAnswer> answer = driver.run(progress, cancel);
    const bool failed = answer && (answer->end == WaitAnswer::End::timed_out ||
                                   answer->verdict.cause == core::WaitVerdict::Cause::ended);
    if (!failed || request.conditions[answer->verdict.condition].kind() != Kind::ready)
        return answer;
    SnapshotFields want;
    want.spec = want.usage = true;
    const auto seen = recover_and_inspect(root, request.tasks[answer->verdict.task], want);
    if (seen) answer->not_ready = why_not_ready(root, *seen);
    return answer;
}

} // namespace bgt::ops
