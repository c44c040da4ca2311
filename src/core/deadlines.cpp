// What can be read off a state, and the state of one who takes over.
#include "deadlines.hpp"

#include "inactivity_timers.hpp"
#include "stop_ladder.hpp"

#include <initializer_list>

namespace bgt::core {

std::optional<Instant> timeout_at(const Policy& spec, Instant started)
{
    if (!spec.timeout) return std::nullopt;
    return saturating_add(started, *spec.timeout);
}

std::optional<Instant> leftover_at(const Policy& spec, const MainExited& left)
{
    if (spec.leftover != Leftover::kill) return std::nullopt;
    return saturating_add(left.since, spec.leftover_wait);
}

std::optional<Instant> loop_over_at(const State& state)
{
    if (!state.attempts.crash_loop) return std::nullopt;
    return saturating_add(state.hang_state.since, loop_period);
}

namespace {

std::optional<Instant> earliest(std::initializer_list<std::optional<Instant>> dates)
{
    std::optional<Instant> first;
    for (const auto& date : dates)
        if (date && (!first || *date < *first)) first = date;
    return first;
}

/// The stop under way, if any.
const Stopping* stop_of(const State& state)
{
    if (const auto* stop = std::get_if<Stopping>(&state.phase)) return stop;
    const auto* ended = std::get_if<Ended>(&state.phase);
    return ended && ended->leftover_stop ? &*ended->leftover_stop : nullptr;
}

} // namespace

State take_over(const Policy& spec, State state, bool ready, std::uint32_t attempt, Instant now)
{
    start_clocks(spec, state.hang_state, now);
    state.hang_state.ready = ready;
    state.attempts.number = attempt;
    if (state.paused) state.hang_state.next_sample.reset();
    return state;
}

bool waits_for_output(const State& state)
{
    const bool lives = std::holds_alternative<Running>(state.phase) ||
                       std::holds_alternative<MainExited>(state.phase);
    return lives && !state.paused &&
           (state.hang_state.quiet || state.hang_state.waiting_input ||
            state.hang_state.output.is_told());
}

std::optional<Instant> kill_by(const State& state)
{
    const Stopping* stop = stop_of(state);
    if (!stop) return std::nullopt;
    return kill_date(*stop);
}

std::optional<Instant> next_deadline(const Policy& spec, const State& state)
{
    if (const Stopping* stop = stop_of(state)) return stop->rung_ends;
    const std::optional<Instant> rules =
        state.paused
            ? std::nullopt
            : earliest({ready_at_latest(spec, state.hang_state), state.hang_state.next_sample});
    const std::optional<Instant> loop = loop_over_at(state);
    if (const auto* running = std::get_if<Running>(&state.phase))
        return earliest({timeout_at(spec, running->started), rules, loop});
    if (const auto* waiting = std::get_if<BackingOff>(&state.phase))
        return earliest({timeout_at(spec, waiting->started), waiting->until});
    const auto* left = std::get_if<MainExited>(&state.phase);
    if (!left) return std::nullopt;
    return earliest({timeout_at(spec, left->started), leftover_at(spec, *left), rules, loop});
}

Lifecycle lifecycle(const State& state)
{
    struct Name {
        Lifecycle operator()(const Starting&) const { return Lifecycle::starting; }
        Lifecycle operator()(const Running&) const { return Lifecycle::running; }
        Lifecycle operator()(const MainExited&) const { return Lifecycle::running; }
        Lifecycle operator()(const Stopping&) const { return Lifecycle::stopping; }
        Lifecycle operator()(const BackingOff&) const { return Lifecycle::backing_off; }
        Lifecycle operator()(const Ended&) const { return Lifecycle::ended; }
    };
    return std::visit(Name{}, state.phase);
}

} // namespace bgt::core
