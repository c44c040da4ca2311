#pragma once
/// The caller's limits on the size of files and on CPU time (ulimit -f, -t) are for its commands. A
/// supervisor must be able to write the log, and may live for months.
namespace bgt::os {

/// Frees this process of both, as far as it may: the soft limit up to the hard one, the hard one
/// too where that is allowed. The first call remembers what they were, for this process and all
/// that it forks.
void lift_limits();
/// The same after the limits were set anew for the command: those of now are remembered, whatever
/// was before.
void lift_new_limits();
/// Sets them back, for a command. Nothing was lifted: does nothing. Async-signal-safe.
void restore_limits() noexcept;

} // namespace bgt::os
