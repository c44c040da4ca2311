#include "status_of.hpp"

#include <bgt/base/overload.hpp>

#include <algorithm>

namespace bgt::supervise {
namespace {

void put_main_end(const core::MainEnd& end, core::Outcome& outcome)
{
    std::visit(Overload{
                   [&](core::Exited e) {
                       outcome.kind = core::OutcomeKind::exited, outcome.code = e.code;
                   },
                   [&](core::Signaled s) {
                       outcome.kind = core::OutcomeKind::signaled, outcome.signal = s.signal;
                   },
                   [&](core::Unseen) { outcome.kind = core::OutcomeKind::lost; },
               },
               end);
}

std::optional<core::MainEnd> main_end_of(const core::Outcome& outcome)
{
    switch (outcome.kind) {
    case core::OutcomeKind::exited: return core::Exited{outcome.code};
    case core::OutcomeKind::signaled: return core::Signaled{outcome.signal};
    case core::OutcomeKind::lost: return core::Unseen{};
    case core::OutcomeKind::none:
    case core::OutcomeKind::failed_to_start:
    case core::OutcomeKind::not_started: break;
    }
    return std::nullopt;
}

void put_tally(const std::vector<core::StepTally>& tally, store::Status& status)
{
    status.tally.clear();
    for (const core::StepTally& row : tally)
        status.tally.push_back({row.signal, row.found, row.ended});
}

std::vector<core::StepTally> tally_of(const store::Status& status)
{
    std::vector<core::StepTally> tally;
    for (const store::TallyRow& row : status.tally)
        tally.push_back({row.signal, row.found, row.ended});
    return tally;
}

core::Stopping stopping_of(const store::Status& status, Instant now)
{
    core::Stopping stopping;
    stopping.started = status.started_at.value_or(now);
    stopping.main_end = main_end_of(status.outcome);
    stopping.reason = status.outcome.reason;
    stopping.for_leftover = stopping.reason == core::Reason::self;
    stopping.since = now;
    // The stop signal was sent by the one before; what is left of the ladder is the wait until
    // SIGKILL.
    stopping.rung_ends = status.kill_by.value_or(now);
    stopping.ladder = {core::StopStep{15, std::max(Duration{0}, stopping.rung_ends - now)}};
    stopping.tally = tally_of(status);
    return stopping;
}

} // namespace

void put_state(const core::State& state, store::Status& status)
{
    status.lifecycle = core::lifecycle(state);
    status.paused = state.paused;
    status.kill_by = core::kill_by(state);
    status.attempt = state.attempts.number;
    const bool alive = status.lifecycle == core::Lifecycle::running;
    status.activity = alive ? state.hang_state.activity : core::Activity::unknown;
    status.quiet = alive && state.hang_state.quiet;
    status.stalled = alive && state.hang_state.stalled;
    const bool goes_on = alive || status.lifecycle == core::Lifecycle::starting ||
                         status.lifecycle == core::Lifecycle::backing_off;
    status.crash_loop = goes_on && state.attempts.crash_loop;
    status.ready = state.hang_state.ready;
    status.cpu_used = state.hang_state.cpu.used;
    status.never_ready = state.hang_state.never_ready;
    status.tree_lives = false;
    std::visit(Overload{
                   // Of an attempt before, nothing is left in the record.
                   [&](const core::Starting&) { status.outcome = {}; },
                   [&](const core::Running&) { status.outcome = {}; },
                   [&](const core::MainExited& s) { put_main_end(s.main_end, status.outcome); },
                   [&](const core::Stopping& s) {
                       if (s.main_end) put_main_end(*s.main_end, status.outcome);
                       status.outcome.reason = s.reason;
                       put_tally(s.tally, status);
                   },
                   [&](const core::BackingOff& s) {
                       status.outcome = s.last;
                       status.tally.clear();
                   },
                   [&](const core::Ended& s) {
                       status.outcome = s.outcome;
                       status.tree_lives = s.tree_lives;
                       put_tally(s.tally, status);
                   },
               },
               state.phase);
}

core::State state_of(const store::Status& status, Instant now)
{
    core::State state;
    state.paused = status.paused;
    state.hang_state.cpu.used = status.cpu_used;
    const Instant started = status.started_at.value_or(now);
    switch (status.lifecycle) {
    case core::Lifecycle::queued:
    case core::Lifecycle::backing_off:
    case core::Lifecycle::starting:
    case core::Lifecycle::running: {
        const std::optional<core::MainEnd> end = main_end_of(status.outcome);
        if (end) state.phase = core::MainExited{started, *end, now};
        else state.phase = core::Running{started};
        break;
    }
    case core::Lifecycle::stopping: state.phase = stopping_of(status, now); break;
    case core::Lifecycle::ended: {
        core::Ended ended;
        ended.outcome = status.outcome;
        ended.tree_lives = true;
        ended.tally = tally_of(status);
        if (status.kill_by) ended.leftover_stop = stopping_of(status, now);
        state.phase = ended;
        break;
    }
    }
    return state;
}

} // namespace bgt::supervise
