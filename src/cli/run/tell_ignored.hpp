#pragma once
/// What a bgt.toml that is not trusted would have changed about a start.
#include "run_options.hpp"

namespace bgt::cli {

/// Says it in one line on stderr. Precondition: the request or the plan of these options was made.
void tell_ignored(Context&, const RunOptions&);

} // namespace bgt::cli
