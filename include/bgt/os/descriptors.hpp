#pragma once
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cstddef>
#include <vector>

namespace bgt::os {

/// Closes every descriptor of this process but 0 to 2 and those in `keep` (man 2 close_range; by
/// /proc/self/fd on kernels before 5.9). For a process just forked: an owner (Fd) of one that is
/// closed here must never run its end.
void close_all_but(std::vector<int> keep);

/// Another descriptor of the same file, close-on-exec; empty: none was to be had.
Fd duplicate(int fd);

/// Raises the soft limit to the hard one (man 2 setrlimit, RLIMIT_NOFILE) where `wanted`
/// descriptors are more than it.
void allow_descriptors(std::size_t wanted);

/// A supervisor opens more than it holds at its start: for its streams, and for each listing of its
/// tree. One that lacked them could not end its task. Error: they are not to be had (man 2
/// getrlimit, RLIMIT_NOFILE).
Result<void> check_spare_descriptors();

} // namespace bgt::os
