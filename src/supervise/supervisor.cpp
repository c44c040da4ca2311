#include <bgt/supervise/supervisor.hpp>

#include <bgt/base/overload.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/status_of.hpp>

#include <boost/asio/post.hpp>
#include <algorithm>
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr int max_messages = 64;
constexpr int max_refused = 4; ///< of one turn; more of them are a flood
constexpr auto flood_pause = std::chrono::milliseconds(50);
constexpr auto owner_look = std::chrono::seconds(1);

} // namespace

Supervisor::Supervisor(SupervisorResources resources, bool adopted)
    : resources_(std::move(resources)), io_(resources_.sources->io), signals_(resources_.sources->signals), out_(resources_.sources->out),
      err_(resources_.sources->err), control_(resources_.sources->control), adopted_(adopted),
      observer_(resources_.task.fd(), resources_.spec), owner_(io_), ready_(io_), timer_(io_), owner_timer_(io_), progress_timer_(io_),
      stage_timer_(io_), control_timer_(io_)
{
    if (resources_.stdin_keeper > 0) helpers_.insert(resources_.stdin_keeper);
}

Supervisor::Supervisor(SupervisorResources resources, std::int32_t main_pid) : Supervisor(std::move(resources), false)
{
    tree_ = std::make_unique<OwnTree>(helpers_, main_pid);
    members_elsewhere_ = [self = getpid()] { return os::descendants_of(self); };
    const Instant started = *resources_.recorder.status().started_at;
    state_ = core::step(resources_.spec.policy, {}, core::Started{}, started).state; // which is on record already
    observer_.begin(started);
}

Supervisor::Supervisor(SupervisorResources resources, Adopt, os::TreeMarks marks) : Supervisor(std::move(resources), true)
{
    // The command can't be started again: its environment was known to the one before only.
    core::Policy& rules = resources_.spec.policy;
    rules.restart_policy = {};
    if (rules.hang.on_hang == core::OnHang::restart) rules.hang.on_hang = core::OnHang::kill;
    const store::Status& status = resources_.recorder.status();
    const bool main_end_known = status.outcome.kind != core::OutcomeKind::none;
    tree_ = std::make_unique<AdoptedTree>(helpers_, io_, marks, main_end_known, [this] { dispatch(core::Tick{}); });
    members_elsewhere_ = [marks, self = getpid()] { return os::find_marked(marks, {self, getpid()}); };
    state_ = core::take_over(rules, state_of(status, os::now()), status.ready, status.attempt, os::now());
}

int Supervisor::run()
{
    watch_signals();
    watch_output(out_, resources_.out);
    if (resources_.err) watch_output(err_, *resources_.err);
    watch_control();
    watch_owner();
    watch_readiness();
    dispatch(core::Tick{}); // arms the timer, and sees what ended meanwhile
    os::give_back_memory(); // what the caller of fork() had taken
    io_.run();
    return 0;
}

void Supervisor::watch_signals()
{
    signals_.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        on_signals();
        watch_signals();
    });
}

void Supervisor::on_signals()
{
    bool told_to_end = false;
    signalfd_siginfo info{};
    while (read(signals_.native_handle(), &info, sizeof info) == sizeof info)
        told_to_end |= info.ssi_signo == SIGTERM;
    if (told_to_end && adopted_) {
        // Its tree are not our children: they lose nothing with us, and the next verb takes over again.
        io_.stop();
        return;
    }
    if (told_to_end) dispatch(core::StopRequested{core::Reason::shutdown, false, std::nullopt});
    else dispatch(core::Tick{});
}

void Supervisor::watch_control()
{
    control_.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        int refused = 0;
        // A bound, so that a flood of messages keeps neither output nor timers waiting.
        for (int i = 0; i < max_messages; ++i) {
            const std::optional<os::Datagram> message = resources_.control.receive();
            if (!message) break;
            if (!take_message(*message)) ++refused;
        }
        if (refused < max_refused && !resources_.control.was_flooded()) return watch_control();
        // Strangers write without end. The kernel keeps a few messages and makes their senders wait.
        control_timer_.expires_after(flood_pause);
        control_timer_.async_wait([this](auto stopped) {
            if (!stopped) watch_control();
        });
    });
}

/// False: it is a stranger's.
bool Supervisor::take_message(const os::Datagram& message)
{
    // Anybody who finds the socket can write to it; only this user and root are heard.
    if (message.uid != geteuid() && message.uid != 0) return false;
    if (!message.bytes.starts_with('{')) return take_notification(message);
    const Result<Request> request = decode_request(message.bytes);
    const Answer reply = request ? answer(*request) : Answer{request.error().message, 0};
    resources_.control.reply(message, encode_answer(reply));
    return true;
}

void Supervisor::watch_owner()
{
    if (!resources_.spec.owner) return;
    std::optional<Fd> owner = os::open_pidfd(*resources_.spec.owner);
    const auto gone = [this] { dispatch(core::StopRequested{core::Reason::owner_gone, false, std::nullopt}); };
    boost::system::error_code refused;
    if (owner) owner_.assign(owner->get(), refused);
    if (refused || (!owner && os::is_alive(*resources_.spec.owner))) {
        // No pidfd to be had or to be waited for: a sandbox, or no descriptor left.
        owner_timer_.expires_after(owner_look);
        owner_timer_.async_wait([this](auto error) {
            if (!error) watch_owner();
        });
        return;
    }
    if (!owner) {
        boost::asio::post(io_, gone);
        return;
    }
    owner->release();
    owner_.async_wait(Stream::wait_read, [gone](auto error) {
        if (!error) gone();
    });
}

void Supervisor::end_ready_watch()
{
    boost::system::error_code none; // it is closed whatever close says (man 2 close)
    if (ready_.is_open()) ready_.close(none);
    if (!ready_watch_) return;
    const Duration before = os::reaped_cpu();
    helpers_.erase(ready_watch_->pid());
    ready_watch_.reset();
    observer_.leave_out(os::reaped_cpu() - before);
}

void Supervisor::watch_readiness()
{
    end_ready_watch();
    if (core::lifecycle(state_) != core::Lifecycle::running || state_.hang_state.ready || !resources_.spec.policy.awaits_ready) return;
    const store::Status& status = resources_.recorder.status();
    ReadyWatch::What what;
    for (const std::string& condition : resources_.spec.ready)
        if (condition != notify_condition) what.conditions.push_back(condition);
    conditions_hold_ = what.conditions.empty();
    notified_ready_ = std::ranges::find(resources_.spec.ready, notify_condition) == resources_.spec.ready.end();
    if (conditions_hold_) return;
    what.cwd = resources_.spec.cwd;
    what.out_from = adopted_ ? status.freed_bytes : attempt_from_.first;
    what.err_from = adopted_ ? status.freed_err_bytes : attempt_from_.second;
    what.freed_out = status.freed_bytes;
    what.freed_err = status.freed_err_bytes;
    what.members = members_elsewhere_;
    Result<ReadyWatch> watch = ReadyWatch::start(resources_.task, what);
    if (!watch) return never_ready(watch.error().message);
    ready_watch_.emplace(std::move(*watch));
    helpers_.insert(ready_watch_->pid());
    Fd answer(dup(ready_watch_->fd()));
    boost::system::error_code refused;
    ready_.assign(answer.get(), refused);
    if (refused) return never_ready(refused.message());
    answer.release();
    ready_.async_wait(Stream::wait_read, [this](auto error) {
        if (!error) on_ready_answer();
    });
}

void Supervisor::on_ready_answer()
{
    const ReadyWatch::Answer answer = ready_watch_->answer();
    end_ready_watch();
    switch (answer.kind) {
    case ReadyWatch::Answer::Kind::ready:
        conditions_hold_ = true;
        return check_ready();
    case ReadyWatch::Answer::Kind::never:
    case ReadyWatch::Answer::Kind::failed:
        return never_ready(answer.text);
    }
}

/// Nobody will ever see it ready: who waits for that must not wait for ever.
void Supervisor::never_ready(const std::string& why)
{
    end_ready_watch();
    resources_.recorder.event("ready-watch", {{"error", why}});
    dispatch(core::NeverReady{});
}

void Supervisor::check_ready()
{
    if (conditions_hold_ && notified_ready_) dispatch(core::Ready{});
}

/// Passes an event to the core, performs what it says, and whatever follows from that, until all is quiet.
void Supervisor::dispatch(core::Event first)
{
    std::deque<core::Event> events;
    look(events);
    events.push_back(std::move(first));
    while (!events.empty()) {
        const core::Event event = std::move(events.front());
        events.pop_front();
        core::StepResult result = core::step(resources_.spec.policy, std::move(state_), event, os::now());
        state_ = std::move(result.state);
        for (const core::Action& action : result.actions) perform(action, events);
    }
    arm_timer();
}

void Supervisor::look(std::deque<core::Event>& events)
{
    const Tree::Sight sight = tree_->look();
    observer_.leave_out(sight.helpers_cpu);
    if (sight.main_end) events.push_back(core::MainEnded{*sight.main_end});
    if (sight.empty) events.push_back(core::TreeEmpty{});
}

void Supervisor::perform(const core::Action& action, std::deque<core::Event>& events)
{
    std::visit(Overload{
                   [&](const core::SaveStatus&) { save_state(); },
                   [&](const core::CheckTree&) {
                       const std::size_t before = events.size();
                       look(events);
                       if (events.size() == before)
                           events.push_back(core::TreeLives{static_cast<std::uint32_t>(tree_->members().size())});
                   },
                   [&](const core::SignalTree& what) { sweep(what.signal, events); },
                   [&](const core::KillTree&) { kill_sweep(events); },
                   [&](const core::PauseTree&) { pause(); },
                   [&](const core::ResumeTree&) { signal_all(tree_->members(), SIGCONT); },
                   [&](const core::TakeSample&) { events.push_back(core::Sampled{take_liveness()}); },
                   [&](const core::GatherReport& what) { write_report(what.rule); },
                   [&](const core::RunHook& what) { run_hook(what.rule); },
                   [&](const core::EndAttempt& what) { end_attempt(what.outcome); },
                   [&](const core::StartAgain&) { start_again(events); },
                   [&](const core::Finish&) { finish(); },
                   [&](const core::Release&) { release(); },
                   [&](const core::Note& what) { note(what); },
               },
               action);
}

void Supervisor::save_state()
{
    store::Status& status = resources_.recorder.status();
    const auto* waiting = std::get_if<core::BackingOff>(&state_.phase);
    status.next_attempt.reset();
    if (waiting) status.next_attempt = os::wall_now() + std::max<Duration>(waiting->until - os::now(), Duration::zero());
    if (state_.hang_state.ready && !status.ready_at) status.ready_at = os::wall_now();
    if (!state_.hang_state.ready) status.ready_at.reset();
    resources_.recorder.save(state_);
}

void Supervisor::arm_timer()
{
    const std::optional<Instant> deadline = core::next_deadline(resources_.spec.policy, state_);
    if (deadline == armed_) return;
    armed_ = deadline;
    timer_.cancel();
    if (!deadline) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(deadline->time_since_epoch()));
    timer_.async_wait([this](auto error) {
        if (error) return;
        armed_.reset();
        dispatch(core::Tick{});
    });
}

} // namespace bgt::supervise
