#pragma once
/// The stop ladder as operations on Stopping: used for a task, and for the leftovers that an ended
/// one kept.
#include <bgt/core/step.hpp>

namespace bgt::core {

inline constexpr int kill_signal = 9;

/// `at` + `wait`; a negative wait is none, and nothing lies beyond the end of time.
Instant saturating_add(Instant at, Duration wait);

/// Sets off: appends `what` (its first line in the log), SaveStatus and the first signal. `stop`
/// has its reason, main_end and ladder already.
void begin(Stopping& stop, Happening what, bool kill_at_once, Instant now,
           std::vector<Action>& out);

/// A second request while this one is under way.
void escalate(Stopping& stop, const StopRequested& request, Instant now, std::vector<Action>& out);

/// Time has passed: the next rung, the next KILL sweep, or nothing.
void advance(Stopping& stop, Instant now, std::vector<Action>& out);

/// The answer to the last signal.
void count(Stopping& stop, std::uint32_t found);

/// The tree is empty: whoever was found last has ended.
void close_tally(Stopping& stop);

Instant kill_date(const Stopping& stop);

} // namespace bgt::core
