#include <bgt/cli/wait_loop.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>

namespace bgt::cli {

using Kind = supervise::Condition::Kind;

namespace {

constexpr Duration last_poll_interval = std::chrono::milliseconds(200);
constexpr Duration starting_poll = std::chrono::milliseconds(50);
constexpr Duration first_show = std::chrono::milliseconds(250);
constexpr Duration request_interval = std::chrono::seconds(1);
constexpr Duration show_interval = std::chrono::milliseconds(500);
constexpr Instant never = Instant::max();

} // namespace

Result<void> WaitLoop::open(const std::vector<store::TaskId>& ids)
{
    ops::make_room_for(ids.size());
    for (const store::TaskId id : ids)
        if (Result<void> opened = open_task(id); !opened) return opened;
    outside_.resize(request_.conditions.size());
    open_ = tasks_.size() * request_.conditions.size();
    return {};
}

Result<void> WaitLoop::open_task(store::TaskId id)
{
    Result<ops::TaskMonitor> task = ops::TaskMonitor::open(root_, id);
    if (!task) return task.error();
    Waiting waiting{std::move(*task), std::vector<ConditionState>(request_.conditions.size(), ConditionState::open), {}, {}, {}, false, {}, false};
    const store::Status& status = waiting.task.status();
    if (has(Kind::ready) && !status.ready) {
        const Result<store::TaskSpec> spec = store::read_spec(waiting.task.dir().fd());
        waiting.never_ready = spec && spec->ready.empty();
    }
    if (has(Kind::quiet)) {
        Result<supervise::OutputAge> age = supervise::OutputAge::open(waiting.task.dir());
        if (!age) return age.error();
        waiting.age.emplace(std::move(*age));
    }
    if (wants(&supervise::Condition::reads_output)) {
        Result<supervise::OutputMatcher> output =
            supervise::OutputMatcher::open(waiting.task.dir(), status.freed_bytes, status.freed_err_bytes);
        if (!output) return output.error();
        waiting.output.emplace(std::move(*output));
    } else {
        waiting.task.close_folder();
    }
    tasks_.push_back(std::move(waiting));
    return {};
}

Result<WaitAnswer> WaitLoop::run(const std::function<void()>& show)
{
    started_ = os::now();
    if (request_.timeout) deadline_ = started_ + *request_.timeout;
    Instant next_show = show ? started_ + first_show : never;
    while (true) {
        Result<bool> more = check_all();
        if (!more) return more.error();
        if (std::optional<WaitAnswer> answer = decide()) return *answer;
        if (std::optional<WaitAnswer> answer = stuck()) return *answer;
        if (!watch_) { // only now: most often the answer is there already
            if (Result<void> started = start_watching(); !started) return started.error();
            continue;
        }
        const Instant now = os::now();
        if (deadline_ && now >= *deadline_) return timed_out();
        if (now >= next_show) {
            show();
            next_show = now + show_interval;
        }
        const Instant until = next_check(*more, next_show);
        Result<os::Watch::Wake> wake = watch_->wait(until == never ? std::nullopt : std::optional(until));
        if (!wake) return wake.error();
        if (Result<void> taken = take_wake(*wake); !taken) return taken.error();
    }
}

Result<void> WaitLoop::start_watching()
{
    Result<os::Watch> watch = os::Watch::create();
    if (!watch) return watch.error();
    watch_.emplace(std::move(*watch));
    const bool every_change = request_.or_stuck || wants(&supervise::Condition::is_recorded);
    for (Waiting& waiting : tasks_) {
        if (waiting.settled) continue;
        const auto until = every_change ? ops::TaskMonitor::Until::change : ops::TaskMonitor::Until::end;
        if (waiting.output) {
            if (Result<void> watched = waiting.output->watch(*watch_, waiting.task.dir()); !watched) return watched;
        }
        if (Result<void> watched = waiting.task.watch(root_, *watch_, until); !watched) return watched;
    }
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        if (!request_.conditions[i].is_outside() || outside_[i].held) continue;
        if (Result<void> started = start_outside(i); !started) return started;
    }
    return {};
}

Result<void> WaitLoop::start_outside(std::size_t i)
{
    const supervise::Condition& condition = request_.conditions[i];
    if (condition.kind == Kind::file) {
        const std::size_t slash = condition.text.rfind('/');
        // Without the folder there is no watch, and the poll alone finds the file.
        Result<int> token = watch_->add_folder(slash == 0 ? "/" : condition.text.substr(0, slash));
        if (token) outside_[i].folder = *token;
        return {};
    }
    if (deadline_ && *deadline_ <= started_) return {}; // asked once, right here (check_outside)
    if (!gate_) {
        Result<supervise::SignalGate> gate = supervise::SignalGate::create();
        if (!gate) return gate.error();
        gate_.emplace(std::move(*gate));
        watch_->add_fd(gate_->fd());
    }
    Result<supervise::Prober> prober = supervise::Prober::start(condition);
    if (!prober) return prober.error();
    outside_[i].prober.emplace(std::move(*prober));
    watch_->add_fd(outside_[i].prober->fd());
    return {};
}

Result<void> WaitLoop::take_wake(const os::Watch::Wake& wake)
{
    const auto readable = [&](int fd) { return std::ranges::find(wake.fds, fd) != wake.fds.end(); };
    if (gate_ && readable(gate_->fd())) {
        outside_.clear(); // ends the probers
        gate_.reset();    // and now the signal ends this program
    }
    for (ExternalCheck& outside : outside_) {
        if (!outside.prober || !readable(outside.prober->fd())) continue;
        Result<bool> answer = outside.prober->answer();
        watch_->remove_fd(outside.prober->fd());
        outside.prober.reset();
        if (!answer) return answer.error();
        outside.held = true;
    }
    for (Waiting& waiting : tasks_) {
        if (waiting.settled) continue;
        waiting.task.update(root_, *watch_, wake);
        if (!waiting.output) continue;
        if (Result<void> renewed = waiting.output->renew(*watch_, waiting.task.dir()); !renewed) return renewed;
    }
    return {};
}

bool WaitLoop::has(Kind kind) const
{
    return std::ranges::any_of(request_.conditions, [&](const supervise::Condition& c) { return c.kind == kind; });
}

bool WaitLoop::wants(bool (supervise::Condition::*property)() const) const
{
    return std::ranges::any_of(request_.conditions, [&](const supervise::Condition& c) { return (c.*property)(); });
}

bool WaitLoop::is_open(std::size_t task, Kind kind) const
{
    for (std::size_t i = 0; i < request_.conditions.size(); ++i)
        if (request_.conditions[i].kind == kind && tasks_[task].coming[i] == ConditionState::open) return true;
    return false;
}

void WaitLoop::set(std::size_t task, std::size_t condition, ConditionState coming)
{
    ConditionState& before = tasks_[task].coming[condition];
    if (before != ConditionState::open || coming == ConditionState::open) return;
    before = coming;
    --open_;
    const bool guard = request_.conditions[condition].is_guard();
    if (guard && coming == ConditionState::met) return; // nothing that was waited for
    std::optional<Decisive>& first = guard ? broken_ : coming == ConditionState::met ? first_met_ : first_never_;
    if (!first) first = Decisive{task, condition};
}

void WaitLoop::settle(Waiting& waiting)
{
    waiting.settled = true;
    if (watch_) waiting.task.unwatch(*watch_);
    if (watch_ && waiting.output) waiting.output->unwatch(*watch_);
    waiting.output.reset();
    waiting.age.reset();
    waiting.task.close_folder();
}

Instant WaitLoop::next_check(bool more, Instant next_show) const
{
    if (more) return os::now();
    Instant until = std::min(deadline_.value_or(never), next_show);
    bool polls = has(Kind::file);
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
        if (tasks_[task].settled) continue;
        polls = polls || is_open(task, Kind::port);
        if (tasks_[task].task.needs_poll()) until = std::min(until, os::now() + starting_poll);
        for (std::size_t i = 0; tasks_[task].age && i < request_.conditions.size(); ++i)
            if (request_.conditions[i].kind == Kind::quiet && tasks_[task].coming[i] == ConditionState::open)
                until = std::min(until, tasks_[task].quiet_since + request_.conditions[i].quiet);
    }
    if (next_request_ != Instant{}) until = std::min(until, next_request_);
    return polls ? std::min(until, next_poll_) : until;
}

/// Asks for a look at the signs of life, once a second, and only where they are wanted. A supervisor that does not answer
/// is no reason to end the wait.
void WaitLoop::request_looks()
{
    if (!request_.or_stuck && !wants(&supervise::Condition::needs_look)) return;
    if (os::now() < next_request_) return;
    for (Waiting& waiting : tasks_) {
        if (waiting.settled || waiting.task.over()) continue;
        if (supervise::request_look(root_, waiting.task.id())) waiting.task.refresh();
    }
    next_request_ = os::now() + request_interval;
}

Result<bool> WaitLoop::check_all()
{
    for (std::size_t i = 0; i < request_.conditions.size(); ++i) {
        outside_[i].last_check.reset();
        if (request_.conditions[i].kind == Kind::file && !outside_[i].held)
            outside_[i].held = supervise::holds(request_.conditions[i], Duration::zero());
    }
    if (os::now() >= next_poll_) {
        check_ports();
        next_poll_ = os::now() + poll_interval_;
        poll_interval_ = std::min(poll_interval_ * 5 / 4, last_poll_interval);
    }
    request_looks();
    bool more = false;
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
        Result<bool> checked = check(task);
        if (!checked) return checked.error();
        more = more || *checked;
    }
    return more;
}

} // namespace bgt::cli
