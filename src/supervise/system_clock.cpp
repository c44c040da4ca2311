#include "system_clock.hpp"

#include <bgt/os/clock.hpp>

namespace bgt::supervise {

Instant SystemClock::now() const
{
    return os::now();
}

WallTime SystemClock::wall_now() const
{
    return os::wall_now();
}

void SystemClock::wake_at(std::optional<Instant> date)
{
    if (date == armed_) return;
    armed_ = date;
    timer_.cancel();
    if (!date) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(date->time_since_epoch()));
    timer_.async_wait([this](auto error) {
        if (error) return;
        armed_.reset();
        sink_.dispatch(core::Tick{});
    });
}

} // namespace bgt::supervise
