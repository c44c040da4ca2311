#include "watcher.hpp"

#include <bgt/core/hang_rules.hpp>
#include <bgt/core/step.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace bgt::core {

using namespace std::chrono_literals;

std::uint64_t sim_seed()
{
    static const std::uint64_t seed = [] {
        const char* given = std::getenv("BGT_SIM_SEED");
        const std::uint64_t value =
            given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
        std::cout << "BGT_SIM_SEED=" << value << std::endl;
        return value;
    }();
    return seed;
}

std::vector<StopStep> random_ladder(Dice& dice)
{
    std::vector<StopStep> ladder(dice.below(5));
    for (StopStep& rung : ladder)
        rung = {dice.one_in(2) ? 15 : static_cast<int>(dice.below(64)) + 1, dice.duration()};
    if (!ladder.empty() && dice.one_in(20))
        ladder.front().wait = dice.one_in(2) ? Duration::max() : Duration::min();
    return ladder;
}

namespace {

std::optional<Duration> random_limit(Dice& dice)
{
    if (dice.one_in(2)) return std::nullopt;
    return dice.one_in(30) ? Duration::max() : dice.duration();
}

HangRules random_rules(Dice& dice)
{
    return {random_limit(dice), random_limit(dice), random_limit(dice),
            random_limit(dice), random_limit(dice), static_cast<OnHang>(dice.below(4)),
            random_limit(dice), random_limit(dice)};
}

RestartPolicy random_restart_policy(Dice& dice)
{
    RestartPolicy restart_policy;
    if (dice.one_in(2)) restart_policy.retries = static_cast<std::uint32_t>(dice.below(4));
    if (dice.one_in(4)) restart_policy.retry_on = {1, 75, 120};
    if (dice.one_in(2)) restart_policy.restart = static_cast<Restart>(dice.below(4));
    restart_policy.max_restarts = static_cast<std::uint32_t>(1 + dice.below(4));
    restart_policy.max_period = dice.one_in(3) ? dice.duration() : Duration::max();
    restart_policy.backoff_min = dice.duration();
    restart_policy.backoff_max = dice.one_in(20) ? Duration::max() : dice.duration();
    restart_policy.seed = dice.below(1000);
    return restart_policy;
}

} // namespace

Policy random_spec(Dice& dice)
{
    Policy spec;
    spec.kind = static_cast<Kind>(dice.below(2));
    spec.awaits_ready = dice.one_in(3);
    if (dice.one_in(2)) spec.hang = random_rules(dice);
    if (dice.one_in(3)) spec.restart_policy = random_restart_policy(dice);
    spec.stop_ladder = random_ladder(dice);
    if (dice.one_in(2)) spec.timeout = dice.one_in(30) ? Duration::max() : dice.duration();
    spec.leftover = static_cast<Leftover>(dice.below(3));
    spec.leftover_wait = dice.one_in(30) ? Duration::max() : dice.duration();
    return spec;
}

StopRequested random_stop(Dice& dice)
{
    StopRequested request{static_cast<Reason>(1 + dice.below(9)), dice.one_in(5), {}};
    if (dice.one_in(3)) request.ladder = random_ladder(dice);
    request.again = dice.one_in(4);
    return request;
}

namespace {

template <class A>
bool has(const std::vector<Action>& actions)
{
    return std::any_of(actions.begin(), actions.end(),
                       [](const Action& a) { return std::holds_alternative<A>(a); });
}

bool stopping(const State& state)
{
    const auto* ended = std::get_if<Ended>(&state.phase);
    return std::holds_alternative<Stopping>(state.phase) || (ended && ended->leftover_stop);
}

} // namespace

std::vector<Action> Watcher::operator()(const Event& event, Instant now)
{
    ++steps_;
    const State before = state_;
    const auto due_before = due();
    auto [after, actions] = step(spec_, state_, event, now);
    INFO("event " << event.index() << " in phase " << before.phase.index() << " gave phase "
                  << after.phase.index() << ": " << text_of(actions));
    state_ = std::move(after);
    const bool tick = std::holds_alternative<Tick>(event);
    if (tick && (!due_before || now < *due_before)) {
        // A stale timer does nothing.
        REQUIRE(state_ == before);
        REQUIRE(actions.empty());
    }
    if (tick && due_before && now >= *due_before) REQUIRE_FALSE(actions.empty());
    check_signals(before, actions);
    check_dates(before, actions, tick, now);
    check_what_stays(before);
    check_tally();
    check_attempts(before, event, actions);
    if (has<Release>(actions)) {
        REQUIRE_FALSE(released_);
        released_ = true;
    }
    if (released_) REQUIRE_FALSE(due());
    const auto* ended = std::get_if<Ended>(&state_.phase);
    REQUIRE(released_ == (ended && !ended->tree_lives));
    REQUIRE(has<Finish>(actions) == (ended && !std::holds_alternative<Ended>(before.phase)));
    // The same arguments, the same answer.
    if (steps_ % 16 == 0) REQUIRE(step(spec_, before, event, now).state == state_);
    return actions;
}

void Watcher::check_signals(const State& before, const std::vector<Action>& actions)
{
    const auto* ended = std::get_if<Ended>(&before.phase);
    const bool nothing_left = ended && !ended->tree_lives;
    if (!stopping(before)) saved_ = false;
    for (const Action& action : actions) {
        if (std::holds_alternative<SaveStatus>(action)) saved_ = true;
        const bool ends =
            std::holds_alternative<SignalTree>(action) || std::holds_alternative<KillTree>(action);
        const bool signals = ends || std::holds_alternative<PauseTree>(action) ||
                             std::holds_alternative<ResumeTree>(action);
        if (!signals) continue;
        REQUIRE_FALSE(nothing_left);
        REQUIRE_FALSE(std::holds_alternative<Starting>(state_.phase));
        REQUIRE(saved_);
        REQUIRE(ends == stopping(state_));
    }
    if (nothing_left) REQUIRE(actions.empty());
}

void Watcher::check_dates(const State& before, const std::vector<Action>& actions, bool tick,
                          Instant now)
{
    REQUIRE(kill_by(state_).has_value() == stopping(state_));
    if (!stopping(state_)) return;
    const Instant date = *kill_by(state_);
    if (!stopping(before)) {
        kill_date_ = date;
        killed_ = false;
    }
    const bool killed_before = killed_;
    killed_ = killed_ || has<KillTree>(actions);
    // Announced once; only KILL itself ends the wait, and a late tick is the clock's doing.
    if (!killed_) REQUIRE(date == *kill_date_);
    if (killed_ && !killed_before) REQUIRE(date == now);
    if (killed_before) REQUIRE(date == *kill_by(before));
    if (tick && stopping(before) && now >= *kill_date_) REQUIRE(killed_);
    REQUIRE(due());
    if (tick)
        REQUIRE((*due() > now || (!killed_ && *due() <= *kill_date_) || now == Instant::max()));
    if (killed_) REQUIRE_FALSE(has<SignalTree>(actions));
    REQUIRE_FALSE(state_.paused);
}

void Watcher::check_what_stays(const State& before)
{
    const auto* stop = std::get_if<Stopping>(&before.phase);
    const auto* ended = std::get_if<Ended>(&state_.phase);
    if (stop) {
        const auto* still = std::get_if<Stopping>(&state_.phase);
        if (!still && !ended) return; // another attempt: check_attempts
        REQUIRE((still ? still->reason : ended->outcome.reason) == stop->reason);
        if (still) REQUIRE(still->for_leftover == stop->for_leftover);
        if (still && stop->main_end) REQUIRE(still->main_end == stop->main_end);
        REQUIRE((still ? still->tally : ended->tally).size() >= stop->tally.size());
        for (std::size_t i = 0; still && i < stop->tally.size(); ++i)
            REQUIRE(still->tally[i].found >= stop->tally[i].found);
        if (stop->for_leftover) REQUIRE(stop->reason == Reason::self);
    }
    if (const auto* was = std::get_if<Ended>(&before.phase)) {
        REQUIRE(ended);
        REQUIRE(ended->outcome == was->outcome);
        REQUIRE((was->tree_lives || !ended->tree_lives));
    }
}

void Watcher::check_attempts(const State& before, const Event& event,
                             const std::vector<Action>& actions)
{
    const auto* request = std::get_if<StopRequested>(&event);
    const bool living = !std::holds_alternative<Ended>(before.phase);
    if (request && !request->again && living) asked_to_end_ = true;
    REQUIRE(state_.attempts.number ==
            before.attempts.number + (has<EndAttempt>(actions) ? 1u : 0u));
    if (has<StartAgain>(actions)) {
        REQUIRE(std::holds_alternative<Starting>(state_.phase));
        REQUIRE_FALSE(asked_to_end_);
    }
    if (has<EndAttempt>(actions)) {
        REQUIRE_FALSE(asked_to_end_);
        REQUIRE(
            std::holds_alternative<TreeEmpty>(event)); // only then can the next one not overlap it
    }
    if (std::holds_alternative<BackingOff>(state_.phase)) REQUIRE(due());
    REQUIRE(state_.attempts.retries <= spec_.restart_policy.retries);
    // The evidence is gathered before the tree is touched.
    for (const Action& action : actions) {
        if (std::holds_alternative<GatherReport>(action)) break;
        const auto* stop = std::get_if<Stopping>(&state_.phase);
        if (std::holds_alternative<Stopping>(before.phase) || !stop ||
            !find_hang_rule(stop->reason) || request)
            break;
        if (std::holds_alternative<Started>(event)) break; // a request from before the start
        REQUIRE_FALSE((std::holds_alternative<SignalTree>(action) ||
                       std::holds_alternative<KillTree>(action)));
    }
}

void Watcher::check_tally() const
{
    const auto* stop = std::get_if<Stopping>(&state_.phase);
    const auto* ended = std::get_if<Ended>(&state_.phase);
    if (!stop && !ended) return;
    for (const StepTally& row : stop ? stop->tally : ended->tally) REQUIRE(row.ended <= row.found);
    if (ended) REQUIRE(ended->outcome.kind != OutcomeKind::none);
}

} // namespace bgt::core
