#pragma once
#include <cstdint>

namespace bgt::core {

/// Between the places of two tasks that were submitted one after the other, for those that are
/// moved in between.
constexpr std::int64_t order_step = std::int64_t{1} << 20;

} // namespace bgt::core
