#pragma once
/// Helper programs that bgt runs for itself, each bounded in time. (Boost.Process)
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bgt::os {

struct HelperEnd {
    std::optional<int>
        code; ///< exit code, or 128+N of a signal; nullopt: killed because the timeout passed
    std::string output; ///< what it wrote to stdout, when asked for: at most 64 KiB
};

/// Runs `executable` (a path) with these arguments, `input` or nothing as its stdin, stderr on
/// /dev/null, stdout kept or on /dev/null, with default signal dispositions, an empty signal mask
/// and a process group of its own. When the timeout passes the group gets SIGKILL. No other
/// descriptor of the caller is inherited. Error: it can't be started. Hazard: the child is reaped
/// here; a caller that reaps all children (waitid P_ALL) in another thread takes its status away.
Result<HelperEnd> run_helper(const std::string& executable,
                             const std::vector<std::string>& arguments, bool keep_output,
                             Duration timeout, std::string_view input = {});

/// The path of a program; empty: it is not in $PATH.
std::string find_program(std::string_view name);

} // namespace bgt::os
