#include <bgt/os/local_time.hpp>

#include <ctime>
#include <fmt/format.h>

namespace bgt::os {

std::chrono::seconds utc_offset(WallTime time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
    const auto clock = static_cast<std::time_t>(seconds.count());
    std::tm local{};
    return localtime_r(&clock, &local) != nullptr ? std::chrono::seconds(local.tm_gmtoff)
                                                  : std::chrono::seconds(0);
}

WallTime from_local(WallTime local)
{
    return core::from_local(local, OwnZone());
}

std::string format_local(WallTime time)
{
    const std::chrono::seconds offset = utc_offset(time);
    std::string text = format_rfc3339(time + offset);
    if (offset == std::chrono::seconds(0)) return text;
    text.pop_back();
    const auto minutes =
        std::chrono::abs(std::chrono::duration_cast<std::chrono::minutes>(offset)).count();
    return text +
           fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

} // namespace bgt::os
