#pragma once
#include <bgt/base/time.hpp>
#include <bgt/cli/context.hpp>
#include <functional>
#include <string>

namespace bgt::cli {

/// Shows what `draw` gives for so many columns, again each `interval` and when the terminal's size
/// changes; what does not fit is scrolled by arrow keys (or j, k, space, b, g, G) under the first
/// line. Until q, Ctrl-C, or a signal that ends it; the terminal is then as it was before. Needs a
/// terminal on stdout. Returns the exit code: 0, or 128+N of SIGTERM, SIGHUP and SIGQUIT. An error
/// of `draw` ends it.
Result<int> watch_screen(Context&, Duration interval,
                         const std::function<Result<std::string>(int width)>& draw);

} // namespace bgt::cli
