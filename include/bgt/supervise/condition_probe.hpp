#pragma once
/// Asking the question of a condition that observes core::Observation::probe.
#include <bgt/core/condition.hpp>

namespace bgt::supervise {

/// Whether the condition holds now. Takes at most about `timeout`. Hazard: `cmd` runs a command.
core::fact::Answered probe(const core::Condition&, Duration timeout);

} // namespace bgt::supervise
