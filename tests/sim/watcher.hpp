#pragma once
/// A task whose every step is held against the promises of core/step.hpp.
#include "support/catch.hpp"
#include "support/steps.hpp"

#include <cstdint>
#include <random>

namespace bgt::core {

/// The seed of this run: BGT_SIM_SEED, or a new one; printed, so that a failure can be repeated.
std::uint64_t sim_seed();

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    /// 0 .. n-1.
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    /// All magnitudes from a nanosecond to minutes alike, zero among them.
    Duration duration()
    {
        return Duration(static_cast<Duration::rep>((engine_() % 100'000'000'000) >> below(38)));
    }

private:
    std::mt19937_64 engine_;
};

Policy random_spec(Dice&);
std::vector<StopStep> random_ladder(Dice&);
StopRequested random_stop(Dice&);

class Watcher {
public:
    explicit Watcher(Policy spec) : spec_(std::move(spec)) {}

    /// One step; checks it, and gives back what is to be done.
    std::vector<Action> operator()(const Event&, Instant now);

    const Policy& spec() const { return spec_; }
    const State& state() const { return state_; }
    std::optional<Instant> due() const { return next_deadline(spec_, state_); }
    bool released() const { return released_; }
    std::uint64_t steps() const { return steps_; }

private:
    void check_signals(const State& before, const std::vector<Action>&);
    void check_dates(const State& before, const std::vector<Action>&, bool tick, Instant now);
    void check_what_stays(const State& before);
    void check_tally() const;
    void check_attempts(const State& before, const Event&, const std::vector<Action>&);

    Policy spec_;
    State state_{Starting{}};
    std::optional<Instant> kill_date_; ///< as first announced for the stop under way
    bool killed_ = false;              ///< in the stop under way
    bool saved_ = false;               ///< since the stop under way was asked for
    bool released_ = false;
    bool asked_to_end_ = false; ///< by anybody: nothing is started again after that
    std::uint64_t steps_ = 0;
};

} // namespace bgt::core
