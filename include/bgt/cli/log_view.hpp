#pragma once
/// What was asked of `bgt logs`, and the log of one task under that view.
#include <bgt/cli/context.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <bgt/cli/log_piece.hpp>
#include <bgt/cli/log_printer.hpp>

namespace bgt::cli {

struct LogOptions {
    store::WhichLog stream = store::WhichLog::out;
    bool follow = false;
    bool timestamps = false;
    bool raw = false;
    std::optional<std::uint64_t> lines;     ///< only the last so many (of those that match)
    std::optional<std::uint64_t> cursor;    ///< only what comes at this byte and after it
    std::optional<std::uint64_t> max_bytes; ///< of each task
    std::optional<WallTime> since;          ///< only lines that began at this time or later
    std::optional<core::Pattern> grep;
};

/// Where to begin to read, what of it is still there, and what must be said about the rest.
struct LogRange {
    std::uint64_t offset = 0;
    std::uint64_t skipped = 0;       ///< bytes asked for that were freed
    std::vector<std::string> notes;  ///< one line each, for stderr
};
/// Finds the begin in [0, end). `label` names the task in messages. Error (usage): a cursor beyond the end.
Result<LogRange> find_range(store::LogFile&, const store::TaskDir&, const store::Status&, const LogOptions&, std::uint64_t end,
                            const std::string& label);

/// Where the last `lines` lines of [begin, end) that match begin. Reads backwards.
Result<std::uint64_t> last_matches(store::LogFile&, const core::Pattern&, std::uint64_t lines, std::uint64_t begin, std::uint64_t end);

/// "web | ", padded to `width` columns and coloured by the task's place among the others.
std::string log_prefix(const ops::TaskMonitor&, std::size_t width, std::size_t place, bool color);

/// One task of those that are printed.
class LogView {
public:
    static Result<LogView> open(store::Root&, store::TaskId, const LogOptions&);

    ops::TaskMonitor& task() { return task_; }
    const ops::TaskMonitor& task() const { return task_; }
    /// Sets the style, and finds the begin. Notes go to stderr.
    Result<void> begin(Context&, LogStyle, SharedScreen&);
    /// Prints what is there, up to `most` bytes of it; true when there is more.
    Result<bool> print_some(Context&, std::uint64_t most);
    /// Prints all that was there at begin().
    Result<void> print_all(Context&);
    /// Prints what is left of an unfinished line.
    void finish(Context&);
    /// What a reader with a cursor gets.
    Result<LogPiece> piece(const LogStyle&);

    /// Wakes `watch` when there is more to print.
    Result<void> watch_log(os::Watch&);
    void unwatch_log(os::Watch&);
    /// Opens a log that was not there before; looks at the index again. To be called after each wake.
    Result<void> renew(os::Watch&);

private:
    Result<store::LogIndex> index() const;
    Result<store::LogIndex> settled_index() const;
    Result<std::uint64_t> print_upto(Context&, std::uint64_t end);

    const LogOptions* options_ = nullptr;
    ops::TaskMonitor task_;
    store::LogFile file_;
    std::unique_ptr<LogPrinter> printer_;
    std::string text_;
    std::uint64_t at_ = 0;
    std::uint64_t end_ = 0; ///< the size at begin()
    std::optional<int> token_;
    bool timestamps_ = false;
};

/// Prints the logs while they grow, line by line as they come, until every task is over and all is printed.
Result<void> follow_logs(Context&, store::Root&, std::vector<LogView>&);

} // namespace bgt::cli
