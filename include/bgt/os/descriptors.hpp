#pragma once
#include <vector>

namespace bgt::os {

/// Closes every descriptor of this process but 0 to 2 and those in `keep` (man 2 close_range; by /proc/self/fd on
/// kernels before 5.9). For a process just forked: an owner (Fd) of one that is closed here must never run its end.
void close_all_but(std::vector<int> keep);

} // namespace bgt::os
