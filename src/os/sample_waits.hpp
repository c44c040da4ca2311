#pragma once
/// Whether a sleeping process waits for somebody to type (man 5 proc: /proc/PID/syscall).
#include "sample_text.hpp"

#include <bgt/os/sample.hpp>

namespace bgt::os {

/// `folder` is an open /proc/PID. What may not be read counts as `other`. Reads, and polls of nothing but one such
/// descriptor without end, are `input`; polls of more, or that end by themselves, are `maybe_input`. Other threads
/// than the main one (at most 64) are looked at where there is a terminal, or descriptor 0 is an input.
/// Hazard: a 32-bit process counts system calls differently; what it waits for is not known, or taken for another call.
core::WaitsFor waits_for(int folder, std::int32_t pid, const LifeStat&, const StdinFifo&);

} // namespace bgt::os
