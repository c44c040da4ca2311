#pragma once
/// Whether a sleeping process waits for somebody to type (man 5 proc: /proc/PID/syscall).
#include "sample_text.hpp"

#include <bgt/os/sample.hpp>

namespace bgt::os {

/// `folder` is an open /proc/PID. What may not be read counts as `other`. Reads, and polls of
/// nothing but one such descriptor without end, are `input`; polls of more, or that end by
/// themselves, are `maybe_input`. Other threads than the main one (at most 64) are looked at where
/// there is a terminal, or descriptor 0 is an input. A descriptor that only the process itself can
/// make ready (an event counter, a pipe or a pair of sockets that it has to itself) is not counted
/// among those that it polls, and a terminal that gives each key at once is an `input` beside
/// others, too. `sleep`: nanosleep, or a poll of nothing with a time limit. Hazard: a 32-bit
/// process counts system calls differently; what it waits for is not known, or taken for another
/// call.
core::WaitsFor waits_for(int folder, std::int32_t pid, const LifeStat&, const StdinFifo&);

/// Whether this open descriptor is a terminal that gives each key at once.
bool is_raw_terminal(int fd);

/// Whether a process in state D is in vfork, or in a clone(2) of that kind: until its child
/// executes a program, or ends.
bool is_forking(int folder);

} // namespace bgt::os
