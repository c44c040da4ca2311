#pragma once
/// A command of the user's that must not last: with all that it starts, bounded in time and in what
/// is kept of its output.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

struct BoundedCommand {
    std::string text; ///< for /bin/sh -c
    std::vector<std::string> env;
    std::string cwd;
    mode_t umask = 077;
    Duration timeout{};       ///< of the command; then all of it is stopped
    Duration leftover_wait{}; ///< what it started and has not ended may go on for so long after it
    Duration grace{};         ///< between SIGTERM and SIGKILL
    Duration grace_when_told{}; ///< the same where this process was told to end
    std::size_t max_output = 0; ///< bytes that are kept of stdout and stderr: the last ones
};

enum class StoppedFor : std::uint8_t {
    nothing, ///< it ended by itself
    timeout,
    told, ///< this process was told to end (SIGTERM)
};

struct BoundedEnd {
    std::optional<int> code; ///< exit code, or 128+N of a signal; nullopt: it could not be ended
    StoppedFor stopped = StoppedFor::nothing;
    std::size_t leftovers = 0; ///< processes that it left and that were stopped
    std::size_t survivors = 0; ///< that SIGKILL did not end
    std::string output;
    std::uint64_t output_bytes = 0; ///< that it wrote, kept or not
};

/// Runs it with stdin on /dev/null, in a session of its own, and returns when nothing is left of it
/// but what SIGKILL does not end. Only tasks that it has started with bgt are not of it, and go on.
/// Error: /bin/sh can't be started. Hazard: for a process that does nothing else and has no
/// children: it becomes a child subreaper, reaps all, and blocks SIGCHLD, TERM, INT and HUP, of
/// which TERM, and nothing else, stops the command.
Result<BoundedEnd> run_bounded(const BoundedCommand&);

/// SIGKILL to all that descends from this process, but for processes of bgt and what is theirs,
/// until nothing is found: what a killed process of run_bounded() left to this one. How many are
/// left. Hazard: reaps all children.
std::size_t kill_descendants();

} // namespace bgt::os
