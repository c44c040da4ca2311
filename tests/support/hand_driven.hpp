#pragma once
#include "support/catch.hpp"
#include "support/steps.hpp"

namespace bgt::core {

/// A task driven by hand: `at` is the time since its start.
struct Task {
    Policy spec;
    State state{Starting{}};
    Instant zero{std::chrono::seconds(1000)};

    std::string operator()(Duration at, const Event& event)
    {
        auto result = step(spec, state, event, zero + at);
        state = std::move(result.state);
        return text_of(result.actions);
    }
    template <class Phase>
    const Phase& in() const
    {
        REQUIRE(std::holds_alternative<Phase>(state.phase));
        return std::get<Phase>(state.phase);
    }
    std::optional<Duration> due() const
    {
        const auto date = next_deadline(spec, state);
        return date ? std::optional<Duration>(*date - zero) : std::nullopt;
    }
    std::optional<Duration> killed_by() const
    {
        const auto date = kill_by(state);
        return date ? std::optional<Duration>(*date - zero) : std::nullopt;
    }
};

inline Task running(Policy spec = {})
{
    Task task{without_notices(std::move(spec))};
    task(Duration::zero(), Started{});
    return task;
}

} // namespace bgt::core
