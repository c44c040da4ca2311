#pragma once
#include <bgt/base/fd.hpp>

namespace bgt {

/// Another descriptor for the same open file: close-on-exec, and none of 0 to 2. Not set where it
/// can't be made (errno).
Fd duplicate(int descriptor);

} // namespace bgt
