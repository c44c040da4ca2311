#pragma once
#include "toml.hpp"

namespace bgt::config {

/// The alert that a table of a file describes. Error (usage): a key is missing, unknown or wrong,
/// with its place.
Result<Alert> alert_of(const RuleTable&, const std::string& file, Origin);

} // namespace bgt::config
