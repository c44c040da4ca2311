#include <bgt/os/clock.hpp>

#include <bgt/base/fd.hpp>
#include <bgt/os/proc_dir.hpp>

#include <ctime>
#include <fcntl.h>
#include <optional>

namespace bgt::os {

namespace {

Duration read_clock(clockid_t clock)
{
    timespec ts{};
    ::clock_gettime(clock, &ts);
    return std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec);
}

std::optional<std::uint8_t> hex_digit(char c)
{
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

BootId read_boot_id()
{
    const Fd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (!fd) return {};
    char buffer[64];
    BootId id{};
    std::size_t digits = 0;
    for (const char c : read_some(fd.get(), buffer)) {
        const auto digit = hex_digit(c);
        if (!digit || digits == 2 * id.size()) continue;
        auto& byte = id[digits++ / 2];
        byte = static_cast<std::uint8_t>((byte << 4) | *digit);
    }
    // Half an id could equal half of another one: better none.
    return digits == 2 * id.size() ? id : BootId{};
}

} // namespace

Instant now()
{
    return Instant(read_clock(CLOCK_MONOTONIC));
}

WallTime wall_now()
{
    return WallTime(read_clock(CLOCK_REALTIME));
}

const BootId& boot_id()
{
    static const BootId id = read_boot_id();
    return id;
}

} // namespace bgt::os
