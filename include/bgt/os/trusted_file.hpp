#pragma once
#include <bgt/config/settings.hpp>

namespace bgt::os {

/// Reads the whole file if it, and each folder and symbolic link on the way to it, belong to `uid`
/// or root and nobody else may write them
/// (the user's private group may, see writers.hpp); else File::warning says why not. What is not
/// there is no error. Error: ours, and not readable, not a regular file, or above 1 MiB.
Result<config::File> read_trusted(const std::string& path, unsigned uid);

} // namespace bgt::os
