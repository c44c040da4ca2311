#pragma once
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>

namespace bgt {

/// A descriptor (close-on-exec, non-blocking) that becomes readable once the time of set_timer()
/// has passed, by the monotonic clock (man 2 timerfd_create). Until then it never does.
Result<Fd> make_timer();
/// `after` is counted from now; what is not above zero comes at once.
Result<void> set_timer(const Fd& timer, Duration after);

} // namespace bgt
