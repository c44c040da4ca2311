#include <bgt/core/step.hpp>

#include "stop_ladder.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bgt::core {

namespace {

Outcome outcome_of(const std::optional<RootEnd>& root, Reason reason)
{
    Outcome outcome{OutcomeKind::lost, 0, 0, reason, 0};
    if (!root) return outcome;
    if (const auto* exited = std::get_if<Exited>(&*root)) {
        outcome.kind = OutcomeKind::exited;
        outcome.code = exited->code;
    } else if (const auto* signaled = std::get_if<Signaled>(&*root)) {
        outcome.kind = OutcomeKind::signaled;
        outcome.signal = signaled->signal;
    }
    return outcome;
}

std::optional<Instant> timeout_at(const Spec& spec, Instant started)
{
    if (!spec.timeout) return std::nullopt;
    return later(started, *spec.timeout);
}

std::optional<Instant> leftover_at(const Spec& spec, const LeftBehind& left)
{
    if (spec.leftover != Leftover::kill) return std::nullopt;
    return later(left.since, spec.leftover_wait);
}

/// One call of step(): a handler for each state and event that matters; every other pair changes nothing.
class Step {
public:
    Step(const Spec& spec, State state, Instant now) : spec_(spec), now_(now), result_{std::move(state), {}} {}

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
    {
    }

    void on(Starting& starting, const Started&)
    {
        act(SaveStatus{});
        Running running{now_};
        if (starting.wanted) return stop_for(*starting.wanted, running.started, std::nullopt, 0);
        enter(running);
    }
    void on(Starting&, const StartFailed&)
    {
        enter(Ended{{OutcomeKind::failed_to_start, 0, 0, Reason::self, 0}, false, {}, {}});
        act(Finish{});
        act(Release{});
    }
    void on(Starting& starting, const StopRequested& request)
    {
        if (!starting.wanted) {
            starting.wanted = request;
        } else if (request.now || request.reason == Reason::killed) {
            starting.wanted->now = true;
        }
    }

    void on(Running& running, const RootEnded& end)
    {
        enter(LeftBehind{running.started, end.how, now_, 0});
        act(LookAtTree{});
    }
    void on(Running&, const TreeEmpty&) { end(outcome_of(std::nullopt, Reason::self), {}); }
    void on(Running& running, const StopRequested& request) { stop_for(request, running.started, std::nullopt, 0); }
    void on(Running& running, const Tick&)
    {
        if (is_due(timeout_at(spec_, running.started))) stop_for_timeout(running.started, std::nullopt, 0);
    }
    void on(Running&, const PauseRequested&) { pause(); }
    void on(Running&, const ResumeRequested&) { resume(); }

    void on(LeftBehind& left, const TreeEmpty&) { end(outcome_of(left.root, Reason::self), {}); }
    void on(LeftBehind& left, const TreeLives& look)
    {
        left.living = look.count;
        // A supervisor that is killed from here on has put on record how the root process ended.
        if (spec_.leftover != Leftover::keep) return act(SaveStatus{});
        enter(Ended{outcome_of(left.root, Reason::self), true, {}, {}});
        act(Finish{});
    }
    void on(LeftBehind& left, const StopRequested& request)
    {
        stop_for(request, left.started, left.root, left.living);
    }
    void on(LeftBehind& left, const Tick&)
    {
        const auto timeout = timeout_at(spec_, left.started);
        const auto leftover = leftover_at(spec_, left);
        // A late tick may find both due: what was due first is what happened.
        const bool timeout_first = timeout && (!leftover || *timeout <= *leftover);
        if (timeout_first) {
            if (is_due(timeout)) stop_for_timeout(left.started, left.root, left.living);
        } else if (is_due(leftover)) {
            Stopping stop = new_stop(Reason::self, left.started, left.root, left.living);
            stop.for_leftover = true;
            set_off(std::move(stop), "leftover", false);
        }
    }
    void on(LeftBehind&, const PauseRequested&) { pause(); }
    void on(LeftBehind&, const ResumeRequested&) { resume(); }

    void on(Stopping& stop, const RootEnded& end)
    {
        if (stop.root) return;
        stop.root = end.how;
        act(LookAtTree{});
    }
    void on(Stopping& stop, const TreeEmpty&)
    {
        close_tally(stop);
        Outcome outcome = outcome_of(stop.root, stop.for_leftover ? Reason::self : stop.reason);
        if (stop.for_leftover) {
            outcome.leftover_killed = std::accumulate(stop.tally.begin(), stop.tally.end(), std::uint32_t{0},
                [](std::uint32_t sum, const StepTally& row) { return sum + row.ended; });
        }
        end(outcome, std::move(stop.tally));
    }
    void on(Stopping& stop, const TreeLives& look)
    {
        stop.living = look.count;
        if (stop.root) act(SaveStatus{});
    }
    void on(Stopping& stop, const Swept& sweep) { count(stop, sweep.found); }
    void on(Stopping& stop, const StopRequested& request) { quicken(stop, request, now_, result_.actions); }
    void on(Stopping& stop, const Tick&) { advance(stop, now_, result_.actions); }

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
    void on(Ended& ended, const TreeLives& look)
    {
        if (ended.leftover_stop) ended.leftover_stop->living = look.count;
    }
    void on(Ended& ended, const Swept& sweep)
    {
        if (ended.leftover_stop) count(*ended.leftover_stop, sweep.found);
    }
    void on(Ended& ended, const StopRequested& request)
    {
        if (!ended.tree_lives) return;
        if (ended.leftover_stop) return quicken(*ended.leftover_stop, request, now_, result_.actions);
        ended.leftover_stop = new_stop(request.reason, {}, std::nullopt, 0);
        if (request.ladder) ended.leftover_stop->ladder = *request.ladder;
        result_.state.paused = false;
        begin(*ended.leftover_stop, "stop", request.now, now_, result_.actions);
    }
    void on(Ended& ended, const Tick&)
    {
        if (ended.leftover_stop) advance(*ended.leftover_stop, now_, result_.actions);
    }

    Stopping new_stop(Reason reason, Instant started, std::optional<RootEnd> root, std::uint32_t living) const
    {
        Stopping stop;
        stop.started = started;
        stop.root = root;
        stop.reason = reason;
        stop.ladder = spec_.stop_ladder;
        stop.living = living;
        return stop;
    }
    void set_off(Stopping stop, std::string_view what, bool kill_at_once)
    {
        result_.state.paused = false; // every signal of the ladder is followed by CONT
        begin(stop, what, kill_at_once, now_, result_.actions);
        enter(std::move(stop));
    }
    void stop_for(const StopRequested& request, Instant started, std::optional<RootEnd> root, std::uint32_t living)
    {
        Stopping stop = new_stop(request.reason, started, root, living);
        if (request.ladder) stop.ladder = *request.ladder;
        set_off(std::move(stop), "stop", request.now);
    }
    void stop_for_timeout(Instant started, std::optional<RootEnd> root, std::uint32_t living)
    {
        set_off(new_stop(Reason::timeout, started, root, living), "stop", false);
    }

    void pause()
    {
        result_.state.paused = true;
        act(SaveStatus{});
        act(Note{"pause", Reason::self, 0, 0});
        act(PauseTree{});
    }
    void resume()
    {
        result_.state.paused = false;
        act(SaveStatus{});
        act(Note{"resume", Reason::self, 0, 0});
        act(ResumeTree{});
    }

    void end(const Outcome& outcome, std::vector<StepTally> tally)
    {
        result_.state.paused = false;
        enter(Ended{outcome, false, std::move(tally), {}});
        act(Finish{});
        act(Release{});
    }

    bool is_due(const std::optional<Instant>& date) const { return date && now_ >= *date; }
    void act(Action action) { result_.actions.push_back(action); }
    template <class Phase>
    void enter(Phase phase)
    {
        result_.state.phase = std::move(phase);
        moved_ = true;
    }

    const Spec& spec_;
    Instant now_;
    StepResult result_;
    bool moved_ = false;
};

/// The stop under way, if any.
const Stopping* stop_of(const State& state)
{
    if (const auto* stop = std::get_if<Stopping>(&state.phase)) return stop;
    const auto* ended = std::get_if<Ended>(&state.phase);
    return ended && ended->leftover_stop ? &*ended->leftover_stop : nullptr;
}

} // namespace

StepResult step(const Spec& spec, State state, const Event& event, Instant now)
{
    return Step(spec, std::move(state), now).run(event);
}

std::optional<Instant> kill_by(const State& state)
{
    const Stopping* stop = stop_of(state);
    if (!stop) return std::nullopt;
    return kill_date(*stop);
}

std::optional<Instant> next_deadline(const Spec& spec, const State& state)
{
    if (const Stopping* stop = stop_of(state)) return stop->rung_ends;
    if (const auto* running = std::get_if<Running>(&state.phase)) return timeout_at(spec, running->started);
    const auto* left = std::get_if<LeftBehind>(&state.phase);
    if (!left) return std::nullopt;
    const auto timeout = timeout_at(spec, left->started);
    const auto leftover = leftover_at(spec, *left);
    if (!timeout || !leftover) return timeout ? timeout : leftover;
    return std::min(*timeout, *leftover);
}

Lifecycle lifecycle(const State& state)
{
    struct Name {
        Lifecycle operator()(const Starting&) const { return Lifecycle::starting; }
        Lifecycle operator()(const Running&) const { return Lifecycle::running; }
        Lifecycle operator()(const LeftBehind&) const { return Lifecycle::running; }
        Lifecycle operator()(const Stopping&) const { return Lifecycle::stopping; }
        Lifecycle operator()(const Ended&) const { return Lifecycle::ended; }
    };
    return std::visit(Name{}, state.phase);
}

} // namespace bgt::core
