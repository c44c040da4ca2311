#include <bgt/core/step.hpp>

#include "deadlines.hpp"
#include "inactivity_timers.hpp"
#include "restart_policy.hpp"
#include "stop_ladder.hpp"
#include <bgt/core/hang_rules.hpp>

#include <concepts>
#include <numeric>
#include <tuple>
#include <utility>

namespace bgt::core {

namespace {

Outcome outcome_of(const std::optional<MainEnd>& main_end, Reason reason)
{
    Outcome outcome{OutcomeKind::lost, 0, 0, reason, 0};
    if (!main_end) return outcome;
    if (const auto* exited = std::get_if<Exited>(&*main_end)) {
        outcome.kind = OutcomeKind::exited;
        outcome.code = exited->code;
    } else if (const auto* signaled = std::get_if<Signaled>(&*main_end)) {
        outcome.kind = OutcomeKind::signaled;
        outcome.signal = signaled->signal;
    }
    return outcome;
}

/// Its tree lives, and nobody wants it ended.
template <class Phase>
concept Alive = std::same_as<Phase, Running> || std::same_as<Phase, MainExited>;

/// One call of step(): a handler for each state and event that matters; every other pair changes
/// nothing.
class Step {
public:
    Step(const Policy& spec, State state, Instant now)
        : spec_(spec), now_(now), result_{std::move(state), {}}
    {}

    StepResult run(const Event& event) &&
    {
        // Taken out of the state for the call: a handler may replace the phase that it was given.
        auto phase = std::move(result_.state.phase);
        std::visit([this](auto& in, const auto& what) { on(in, what); }, phase, event);
        if (!moved_) result_.state.phase = std::move(phase);
        return std::move(result_);
    }

private:
    // What no handler below takes.
    template <class Phase, class What>
    void on(Phase&, const What&)
    {}

    void on(Starting& starting, const Started&)
    {
        start_clocks(spec_, hang_state(), now_);
        act(SaveStatus{});
        Running running{starting.first.value_or(now_)};
        if (starting.wanted) return stop_for(*starting.wanted, running);
        enter(running);
    }
    void on(Starting& starting, const StartFailed& failure)
    {
        const Outcome outcome{OutcomeKind::failed_to_start, failure.code, 0, Reason::self, 0};
        // What is being built may be missing for a moment. Of a first start, the caller is told.
        if (spec_.awaits_changes && starting.first && !is_to_end(starting))
            return await_change(*starting.first, outcome);
        enter(Ended{outcome, false, {}, {}});
        act(Finish{});
        act(Release{});
    }
    void on(Starting& starting, const StopRequested& request)
    {
        if (!starting.wanted) {
            starting.wanted = request;
            return;
        }
        if (request.now || (request.reason == Reason::killed && !request.no_escalation))
            starting.wanted->now = true;
        if (!request.again)
            starting.wanted->again = false; // whoever wants it ended has the last word
    }

    void on(Running& running, const MainEnded& end)
    {
        enter(MainExited{running.started, end.how, now_, 0});
        act(CheckTree{});
    }
    void on(Running&, const TreeEmpty&)
    {
        end_attempt(outcome_of(std::nullopt, Reason::self), {}, {}, Afterwards::never);
    }
    void on(Running& running, const Tick&)
    {
        if (is_due(timeout_at(spec_, running.started))) return stop_for_timeout(running);
        tick_rules(running);
    }

    // What is done about a tree that lives, with its main process or without.
    void on(Alive auto& phase, const StopRequested& request) { stop_for(request, phase); }
    void on(Alive auto&, const PauseRequested&) { pause(); }
    void on(Alive auto&, const ResumeRequested&) { resume(); }
    void on(Alive auto&, const SampleRequested&) { act(TakeSample{}); }
    void on(Alive auto& phase, const Sampled& sample)
    {
        // A stopped tree gives no sign of life; its clocks begin again when it goes on.
        if (result_.state.paused) return;
        const HangState before = hang_state();
        take_liveness(hang_state(), sample.liveness, now_);
        if (is_cpu_used_up(spec_, hang_state())) return end_at_limit(phase, Reason::cpu_limit);
        const std::optional<Reason> rule = fired_rule(spec_, hang_state(), now_);
        if (rule) return hang(phase, *rule);
        tell_notices(before);
    }
    void on(Alive auto&, const Ready&)
    {
        if (!spec_.awaits_ready || hang_state().ready) return;
        hang_state().ready = true;
        act(SaveStatus{});
        act(Note{Happening::ready, Reason::self, 0, 0});
    }
    void on(Alive auto&, const NeverReady&)
    {
        if (hang_state().ready || hang_state().never_ready) return;
        hang_state().never_ready = true;
        act(SaveStatus{});
        act(Note{Happening::never_ready, Reason::self, 0, 0});
    }
    void on(Alive auto&, const ReadyLost&)
    {
        if (!hang_state().ready) return;
        hang_state().ready = false;
        hang_state().ready_once = true;
        act(SaveStatus{});
        act(Note{Happening::ready_lost, Reason::self, 0, 0});
    }
    void on(Alive auto&, const Extended& more)
    {
        hang_state().not_before = saturating_add(now_, more.by);
        hang_state().next_sample = plan_sample(spec_, hang_state(), now_);
    }
    void on(Alive auto&, const WatchdogSet& set)
    {
        hang_state().watchdog =
            set.interval > Duration::zero() ? std::optional(set.interval) : std::nullopt;
        hang_state().heartbeat = InactivityTimer{now_, std::nullopt};
        hang_state().next_sample = plan_sample(spec_, hang_state(), now_);
    }
    void on(Alive auto& phase, const HangReported&) { hang(phase, Reason::progress_timeout); }

    void on(MainExited& left, const TreeEmpty&)
    {
        end_attempt(outcome_of(left.main_end, Reason::self), {}, left.started,
                    Afterwards::as_ruled);
    }
    void on(MainExited& left, const TreeLives& tree)
    {
        left.living = tree.count;
        // A supervisor that is killed from here on has put on record how the main process ended.
        if (spec_.leftover != Leftover::keep) return act(SaveStatus{});
        enter(Ended{outcome_of(left.main_end, Reason::self), true, {}, {}});
        act(Finish{});
    }
    void on(MainExited& left, const Tick&)
    {
        const auto timeout = timeout_at(spec_, left.started);
        const auto leftover = leftover_at(spec_, left);
        // A late tick may find both due: what was due first is what happened.
        const bool timeout_first = timeout && (!leftover || *timeout <= *leftover);
        if (timeout_first && is_due(timeout)) return stop_for_timeout(left);
        if (!timeout_first && is_due(leftover)) {
            Stopping stop = new_stop(Reason::self, left);
            stop.for_leftover = true;
            return set_off(std::move(stop), Happening::leftover, false);
        }
        tick_rules(left);
    }

    void on(Stopping& stop, const MainEnded& end)
    {
        if (stop.main_end) return;
        stop.main_end = end.how;
        act(CheckTree{});
    }
    void on(Stopping& stop, const TreeEmpty&)
    {
        close_tally(stop);
        Outcome outcome = outcome_of(stop.main_end, stop.for_leftover ? Reason::self : stop.reason);
        if (stop.for_leftover) {
            outcome.leftover_killed = std::accumulate(
                stop.tally.begin(), stop.tally.end(), std::uint32_t{0},
                [](std::uint32_t sum, const StepTally& row) { return sum + row.ended; });
        }
        end_attempt(outcome, std::move(stop.tally), stop.started, stop.afterwards);
    }
    void on(Stopping& stop, const TreeLives& tree)
    {
        stop.living = tree.count;
        if (stop.main_end) act(SaveStatus{});
    }
    void on(Stopping& stop, const Swept& sweep) { count(stop, sweep.found); }
    void on(Stopping& stop, const StopRequested& request)
    {
        // Whoever wants it ended has the last word: no attempt follows, whatever the stop was for.
        if (!request.again) stop.afterwards = Afterwards::never;
        escalate(stop, request, now_, result_.actions);
    }
    void on(Stopping& stop, const Tick&) { advance(stop, now_, result_.actions); }

    void on(BackingOff& waiting, const StopRequested& request)
    {
        if (request.again) {
            forget_attempts();
            return start_again(waiting);
        }
        Outcome outcome = waiting.last;
        outcome.reason = request.reason;
        finish(outcome, {});
    }
    void on(BackingOff& waiting, const Tick&)
    {
        if (is_due(timeout_at(spec_, waiting.started))) {
            Outcome outcome = waiting.last;
            outcome.reason = Reason::timeout;
            return finish(outcome, {});
        }
        if (is_due(waiting.until)) start_again(waiting);
    }

    void on(Ended& ended, const TreeEmpty&)
    {
        if (!ended.tree_lives) return;
        ended.tree_lives = false;
        if (ended.leftover_stop) {
            close_tally(*ended.leftover_stop);
            ended.tally = std::move(ended.leftover_stop->tally);
            ended.leftover_stop.reset();
        }
        act(SaveStatus{});
        act(Release{});
    }
    void on(Ended& ended, const TreeLives& tree)
    {
        if (ended.leftover_stop) ended.leftover_stop->living = tree.count;
    }
    void on(Ended& ended, const Swept& sweep)
    {
        if (ended.leftover_stop) count(*ended.leftover_stop, sweep.found);
    }
    void on(Ended& ended, const StopRequested& request)
    {
        if (!ended.tree_lives) return;
        if (ended.leftover_stop)
            return escalate(*ended.leftover_stop, request, now_, result_.actions);
        ended.leftover_stop = new_stop(request.reason, Running{});
        ended.leftover_stop->main_only = false; // it has ended
        if (request.ladder) ended.leftover_stop->ladder = *request.ladder;
        result_.state.paused = false;
        begin(*ended.leftover_stop, Happening::stop, request.now, now_, result_.actions);
    }
    void on(Ended& ended, const Tick&)
    {
        if (ended.leftover_stop) advance(*ended.leftover_stop, now_, result_.actions);
    }

    template <Alive Phase>
    Stopping new_stop(Reason reason, const Phase& phase) const
    {
        Stopping stop;
        stop.started = phase.started;
        stop.reason = reason;
        stop.ladder = spec_.stop_ladder;
        stop.main_only = spec_.kill_mode == KillMode::mixed && std::same_as<Phase, Running>;
        if constexpr (std::same_as<Phase, MainExited>) {
            stop.main_end = phase.main_end;
            stop.living = phase.living;
        }
        return stop;
    }
    void set_off(Stopping stop, Happening what, bool kill_at_once)
    {
        result_.state.paused = false; // every signal of the ladder is followed by CONT
        begin(stop, what, kill_at_once, now_, result_.actions);
        enter(std::move(stop));
    }
    void stop_for(const StopRequested& request, const Alive auto& phase)
    {
        Stopping stop = new_stop(request.reason, phase);
        if (request.ladder) stop.ladder = *request.ladder;
        stop.afterwards = request.again ? Afterwards::again : Afterwards::never;
        set_off(std::move(stop), Happening::stop, request.now);
    }
    void stop_for_timeout(const Alive auto& phase)
    {
        set_off(new_stop(Reason::timeout, phase), Happening::stop, false);
    }

    void tick_rules(const Alive auto& phase)
    {
        if (is_due(loop_over_at(result_.state))) end_crash_loop();
        if (is_due(ready_at_latest(spec_, hang_state())) && !result_.state.paused)
            return hang(phase, Reason::ready_timeout);
        sample_when_due();
    }
    void end_at_limit(const Alive auto& phase, Reason rule)
    {
        act(GatherReport{rule});
        set_off(new_stop(rule, phase), Happening::stop, false);
    }
    /// A rule has fired: the evidence first, then what the user wants done about it.
    void hang(const Alive auto& phase, Reason rule)
    {
        act(GatherReport{rule});
        const OnHang what = spec_.hang.on_hang;
        if (what == OnHang::kill || what == OnHang::restart)
            return set_off(new_stop(rule, phase), Happening::stop, false);
        hang_state().never_ready |= rule == Reason::ready_timeout; // or it would fire again at once
        act(Note{Happening::hang, rule, 0, 0});
        if (what == OnHang::exec) act(RunHook{rule});
        tell_notices(hang_state(), true); // saves the record
    }
    void tell_notices(const HangState& before, bool reported = false)
    {
        const auto recorded = [](const HangState& hang) {
            return std::tuple(hang.quiet, hang.stalled, hang.waiting_input, hang.activity);
        };
        const auto told = recorded(before);
        const bool used_cpu = spec_.hang.cpu && hang_state().cpu.used != before.cpu.used;
        const std::vector<Happening> changes = update_notices(spec_, hang_state(), now_);
        hang_state().next_sample = plan_sample(spec_, hang_state(), now_);
        for (const Happening change : changes) {
            if (!reported && (change == Happening::stalled || change == Happening::waiting_input))
                act(GatherReport{});
            act(Note{change, Reason::self, 0, 0});
        }
        if (recorded(hang_state()) != told || used_cpu || reported) act(SaveStatus{});
    }
    void sample_when_due()
    {
        if (!is_due(hang_state().next_sample) || result_.state.paused) return;
        if (is_starved(spec_, hang_state(), now_)) {
            restart_clocks(spec_, hang_state(), now_);
            act(Note{Happening::clocks_restarted, Reason::self, 0, 0});
        }
        act(TakeSample{});
    }

    void pause()
    {
        hang_state().next_sample.reset();
        result_.state.paused = true;
        act(SaveStatus{});
        act(Note{Happening::pause, Reason::self, 0, 0});
        act(PauseTree{});
    }
    void resume()
    {
        if (result_.state.paused) restart_clocks(spec_, hang_state(), now_);
        result_.state.paused = false;
        act(SaveStatus{});
        act(Note{Happening::resume, Reason::self, 0, 0});
        act(ResumeTree{});
    }

    /// An attempt is over and its tree empty.
    void end_attempt(const Outcome& outcome, std::vector<StepTally> tally, Instant first_start,
                     Afterwards afterwards)
    {
        if (afterwards == Afterwards::never) return finish(outcome, std::move(tally));
        Attempts& attempts = result_.state.attempts;
        const bool asked = afterwards == Afterwards::again;
        const NextAttempt next =
            next_attempt(spec_.restart_policy, spec_.hang.on_hang, attempts, outcome, asked, now_);
        if (next == NextAttempt::given_up)
            act(Note{Happening::restart_limit, Reason::self, 0, spec_.restart_policy.max_restarts});
        if (next == NextAttempt::none || next == NextAttempt::given_up) {
            const bool by_itself = outcome.reason == Reason::self || is_hang(outcome.reason);
            if (spec_.awaits_changes && by_itself) return await_change(first_start, outcome);
            return finish(outcome, std::move(tally));
        }
        act(EndAttempt{outcome});
        if (asked) forget_attempts();
        if (note_end(attempts, asked, now_))
            act(Note{Happening::crash_loop, Reason::self, 0, std::uint32_t{loop_attempts}});
        const Duration wait =
            begin_backoff(spec_.restart_policy, attempts, next, now_ - hang_state().since, now_);
        result_.state.paused = false;
        const BackingOff waiting{first_start, saturating_add(now_, wait), outcome};
        if (next == NextAttempt::now) return start_again(waiting);
        enter(waiting);
        act(SaveStatus{});
    }
    /// The attempt that follows has its number already, as after begin_backoff().
    void await_change(Instant first_start, const Outcome& outcome)
    {
        act(EndAttempt{outcome});
        ++result_.state.attempts.number;
        result_.state.paused = false;
        enter(BackingOff{first_start, std::nullopt, outcome});
        act(SaveStatus{});
    }
    /// Somebody wants a run: how those before it went does not count against it.
    void forget_attempts()
    {
        if (!spec_.awaits_changes) return;
        Attempts fresh;
        fresh.number = result_.state.attempts.number;
        result_.state.attempts = fresh;
    }
    static bool is_to_end(const Starting& starting)
    {
        return starting.wanted && !starting.wanted->again;
    }
    void start_again(const BackingOff& waiting)
    {
        enter(Starting{std::nullopt, waiting.started});
        act(SaveStatus{});
        act(StartAgain{});
    }
    void finish(const Outcome& outcome, std::vector<StepTally> tally)
    {
        result_.state.paused = false;
        enter(Ended{outcome, false, std::move(tally), {}});
        act(Finish{});
        act(Release{});
    }

    /// The attempt has lasted.
    void end_crash_loop()
    {
        result_.state.attempts.crash_loop = false;
        result_.state.attempts.ends.clear();
        act(SaveStatus{});
        act(Note{Happening::moving, Reason::self, 0, 0});
    }

    HangState& hang_state() { return result_.state.hang_state; }
    bool is_due(const std::optional<Instant>& date) const { return date && now_ >= *date; }
    void act(Action action) { result_.actions.push_back(action); }
    template <class Phase>
    void enter(Phase phase)
    {
        result_.state.phase = std::move(phase);
        moved_ = true;
    }

    const Policy& spec_;
    Instant now_;
    StepResult result_;
    bool moved_ = false;
};

} // namespace

StepResult step(const Policy& spec, State state, const Event& event, Instant now)
{
    return Step(spec, std::move(state), now).run(event);
}

} // namespace bgt::core
