#include <bgt/base/timer.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/timerfd.h>

namespace bgt {

Result<Fd> make_timer()
{
    Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    return timer ? Result<Fd>(std::move(timer)) : Error::system("a timer", errno);
}

Result<void> set_timer(const Fd& timer, Duration after)
{
    constexpr std::int64_t second = 1'000'000'000;
    const std::int64_t left = std::max<std::int64_t>(after.count(), 1); // 0 would stop it
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(left / second);
    when.it_value.tv_nsec = static_cast<long>(left % second);
    if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0)
        return Error::system("a timer", errno);
    return {};
}

} // namespace bgt
