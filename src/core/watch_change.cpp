// When a change counts, and what follows it.
#include "stop_ladder.hpp"
#include <bgt/core/watch.hpp>

#include <algorithm>

namespace bgt::core {
namespace {

constexpr Duration max_gathering = std::chrono::seconds(30);
constexpr Duration max_of_git = std::chrono::minutes(10);
constexpr Duration pause_of_git = std::chrono::seconds(2);

} // namespace

void Debounce::seen(Instant now)
{
    if (!first_) first_ = now;
    last_ = now;
}

std::optional<Instant> Debounce::due(bool is_git_busy) const
{
    if (!first_) return std::nullopt;
    if (is_git_busy)
        return std::min(saturating_add(last_, std::max(quiet_, pause_of_git)),
                        saturating_add(*first_, std::max(quiet_, max_of_git)));
    const Duration most = std::max(max_gathering, quiet_ > max_gathering ? quiet_ : quiet_ * 10);
    return std::min(saturating_add(last_, quiet_), saturating_add(*first_, most));
}

std::string_view to_string(ChangeAction action)
{
    switch (action) {
    case ChangeAction::none: return "none";
    case ChangeAction::later: return "later";
    case ChangeAction::start: return "start";
    case ChangeAction::restart: return "restart";
    case ChangeAction::signal: return "signal";
    }
    return "none";
}

ChangeAction action_for(const WatchSpec& watch, const State& state)
{
    if (std::holds_alternative<Ended>(state.phase)) return ChangeAction::none;
    if (std::holds_alternative<BackingOff>(state.phase)) return ChangeAction::start;
    if (watch.on_change == OnChange::ignore) return ChangeAction::none;
    if (const auto* stop = std::get_if<Stopping>(&state.phase)) {
        // The next attempt begins after the change, or none does.
        return stop->afterwards == Afterwards::as_ruled ? ChangeAction::later : ChangeAction::none;
    }
    const bool runs = std::holds_alternative<Running>(state.phase) ||
                      std::holds_alternative<MainExited>(state.phase);
    if (!runs || state.paused) return ChangeAction::later;
    switch (watch.on_change) {
    case OnChange::restart: return ChangeAction::restart;
    case OnChange::queue: return ChangeAction::later;
    case OnChange::signal: return ChangeAction::signal;
    case OnChange::ignore: break;
    }
    return ChangeAction::none;
}

} // namespace bgt::core
