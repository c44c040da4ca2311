#pragma once
#include <bgt/base/time.hpp>

namespace bgt::core {

/// Of a shorter time no share is made, and nothing counts as work: a tick of CPU (10 ms) is more
/// than such a time holds.
inline constexpr Duration min_share_span = std::chrono::milliseconds(200);

} // namespace bgt::core
