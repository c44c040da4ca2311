#pragma once
/// Between the core's state and the record on disk.
#include <bgt/core/step.hpp>
#include <bgt/store/status.hpp>

namespace bgt::supervise {

/// Writes into `status` what the state says: lifecycle, outcome (from the moment the main process
/// has ended), reason, tally, kill_by, paused, tree_lives. Times and keys are the caller's.
void put_state(const core::State&, store::Status& status);

/// The state from which a supervisor that takes over goes on. A stop that was under way keeps its
/// date for SIGKILL.
core::State state_of(const store::Status&, Instant now);

} // namespace bgt::supervise
