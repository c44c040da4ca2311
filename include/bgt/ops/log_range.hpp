#pragma once
/// Where in a log to begin to read.
#include <bgt/core/pattern.hpp>
#include <bgt/ops/attempt.hpp>
#include <bgt/store/log_file.hpp>
#include <bgt/store/status.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct LogOptions {
    store::WhichLog stream = store::WhichLog::out;
    bool timestamps = false;
    bool raw = false;
    Attempt attempt;
    std::optional<std::uint64_t> lines;     ///< only the last so many (of those that match)
    std::optional<std::uint64_t> cursor;    ///< only what comes at this byte and after it
    std::optional<std::uint64_t> before;    ///< only what comes before this byte
    std::optional<std::uint64_t> max_bytes; ///< of each task
    bool newest = false; ///< of what exceeds max_bytes the end, not the begin (read_log() only)
    std::optional<WallTime> since; ///< only lines that began at this time or later
    std::optional<core::Pattern> grep;
};

/// Where to begin to read, what of it is still there, and what must be said about the rest.
struct LogRange {
    std::uint64_t offset = 0;
    std::uint64_t skipped = 0;      ///< bytes asked for that were freed
    std::vector<std::string> notes; ///< one line each, for stderr
};
/// Finds the begin in [from, end). `label` names the task in messages. Error (usage): a cursor
/// beyond the end.
Result<LogRange> find_range(store::LogFile&, const store::TaskDir&, const store::Status&,
                            const LogOptions&, std::uint64_t end, const std::string& label,
                            std::uint64_t from = 0);

/// How much of what matches is wanted, from the end: both bounds hold, but one line is always
/// taken.
struct MatchBound {
    std::uint64_t lines = UINT64_MAX;
    std::uint64_t bytes = UINT64_MAX; ///< of the lines as rendered
};
/// Where the last lines of [begin, end) that match begin; `begin` when all of them are within the
/// bound. Reads backwards.
Result<std::uint64_t> last_matches(store::LogFile&, const core::Pattern&, MatchBound,
                                   std::uint64_t begin, std::uint64_t end);

} // namespace bgt::ops
