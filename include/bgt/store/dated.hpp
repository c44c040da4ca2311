#pragma once
#include <bgt/base/time.hpp>

namespace bgt::store {

/// False of a date that a machine gave which did not know the time yet: its clock began in 1970. No
/// age follows from it.
inline bool is_dated(WallTime when)
{
    return when >= WallTime(std::chrono::seconds(946'684'800));
} // 2000-01-01

} // namespace bgt::store
