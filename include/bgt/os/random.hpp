#pragma once
#include <cstddef>

namespace bgt::os {

/// Random bytes, fit for secrets (man 2 getrandom; /dev/urandom where a sandbox refuses that call).
/// False: there are none, and errno says why.
bool fill_random(void* bytes, std::size_t size);

} // namespace bgt::os
