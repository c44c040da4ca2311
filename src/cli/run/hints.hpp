#pragma once
#include <string>
#include <vector>

namespace bgt::cli {

/// What may have been meant by a command that was not found: "npm run dev" as one word, `FOO=1
/// cmd`, `cd x`. Empty: nothing that shows.
std::string hint_for_missing(const std::vector<std::string>& command);

} // namespace bgt::cli
