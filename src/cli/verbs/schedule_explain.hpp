#pragma once
/// `bgt schedule explain`: when an expression happens, in words and dates.
#include <bgt/cli/context.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bgt::cli {

struct ExplainWords {
    std::vector<std::string> words; ///< the expression, which need not be one word
    std::optional<std::string> zone, from, count;
    bool json = false;
};

/// Prints the answer, or says what is wrong. It needs no state root. Returns the exit code.
int explain_schedule(Context&, const ExplainWords&);

} // namespace bgt::cli
