#pragma once
#include <string_view>

namespace bgt::cli {

/// Whether the path is that of a descriptor of this process: a pipe that the caller has opened, as
/// a shell does for `--env-file <(command)`. A FIFO in a folder may be anybody's.
bool is_own_descriptor(std::string_view path);

} // namespace bgt::cli
