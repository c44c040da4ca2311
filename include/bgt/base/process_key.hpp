#pragma once
/// What tells a process and a boot from all others.
#include <array>
#include <compare>
#include <cstdint>

namespace bgt {

/// A process that can't be mistaken for another: its pid, and its start time in clock ticks since
/// boot (field 22 of man 5 proc /proc/pid/stat), which a later process with the same pid does not
/// share.
struct ProcessKey {
    std::int32_t pid = 0;
    std::uint64_t start_ticks = 0;
    auto operator<=>(const ProcessKey&) const = default;
};

using BootId = std::array<std::uint8_t, 16>; ///< /proc/sys/kernel/random/boot_id as bytes

} // namespace bgt
