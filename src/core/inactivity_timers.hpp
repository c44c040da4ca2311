#pragma once
/// The hang rules of one attempt: when to take a sample, and what a sample says.
#include <bgt/core/step.hpp>

namespace bgt::core {

/// A new attempt: all clocks begin now.
void start_clocks(const Policy&, HangState&, Instant now);
/// The clocks begin again, the notices stay: nobody knows what happened meanwhile.
void restart_clocks(const Policy&, HangState&, Instant now);
/// Whether the sample that was due comes so late that the supervisor, or the machine, did not run.
bool is_starved(const Policy&, const HangState&, Instant now);

/// When the next sample is due, for rules, notices and the watchdog.
std::optional<Instant> plan_sample(const Policy&, const HangState&, Instant now);
/// When `--ready-timeout` passes.
std::optional<Instant> ready_at_latest(const Policy&, const HangState&);

/// Resets the clocks by what was found.
void take_liveness(HangState&, const Liveness&, Instant now);
/// Whether the tree has used the CPU time that it was given.
bool is_cpu_used_up(const Policy&, const HangState&);
/// The rule that has fired, the earliest first; at most once for each silence.
std::optional<Reason> fired_rule(const Policy&, HangState&, Instant now);
/// Notices that began, and `moving` when the last one ended.
std::vector<Happening> update_notices(const Policy&, HangState&, Instant now);

} // namespace bgt::core
