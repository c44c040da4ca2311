#pragma once
#include <bgt/base/process_key.hpp>
#include <bgt/base/time.hpp>

namespace bgt::os {

Instant now();       ///< CLOCK_MONOTONIC
WallTime wall_now(); ///< CLOCK_REALTIME
/// /proc/sys/kernel/random/boot_id (man 5 proc); read once a process. All zero where it can't be
/// read.
const BootId& boot_id();

} // namespace bgt::os
