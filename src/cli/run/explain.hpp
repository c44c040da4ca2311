#pragma once
/// `bgt run --explain`: what would be in force, and where it comes from.
#include "run_options.hpp"

namespace bgt::cli {

/// The answer as aligned lines, or as JSON. `options` have been planned: a rule has filled in what
/// it may.
std::string explain(const RunOptions& options, const RunPlan& plan, const config::Loaded& config);

} // namespace bgt::cli
