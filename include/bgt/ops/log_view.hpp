#pragma once
/// The log of one task under the view that was asked for, now and while it grows.
#include <bgt/ops/answer.hpp>
#include <bgt/ops/log_piece.hpp>
#include <bgt/ops/log_printer.hpp>
#include <bgt/ops/log_range.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <memory>

namespace bgt::ops {

/// Where the text of logs goes. Both must be set.
struct LogSink {
    std::function<void(std::string_view)> print;
    std::function<void(const std::string&)>
        note; ///< a line of which the reader must know: what is missing, and why
};

/// One task of those that are printed.
class LogView {
public:
    static Result<LogView> open(store::Root&, store::TaskId, const LogOptions&);

    ops::TaskMonitor& task() { return task_; }
    const ops::TaskMonitor& task() const { return task_; }
    const LogOptions& options() const { return *options_; }
    /// Sets the style, and finds the begin. What the reader must know goes to LogSink::note.
    Result<void> begin(const LogSink&, LogStyle, SharedScreen&);
    /// Prints what is there, up to `most` bytes of it; true when there is more.
    Result<bool> print_some(const LogSink&, std::uint64_t most);
    /// Prints all that was there at begin().
    Result<void> print_all(const LogSink&);
    /// True when the attempt that is shown has ended, and all of it is printed.
    bool attempt_ended() const { return at_ >= within_.end; }
    /// For a terminal (LogStyle::live): whether there is an unfinished line to be shown, and
    /// showing it.
    bool hides_unfinished() const { return printer_->hides_unfinished(); }
    void show_unfinished(const LogSink&);
    /// Prints what is left of an unfinished line.
    void finish(const LogSink&);
    /// Bytes of the log that were written so far.
    std::uint64_t log_size() const { return file_.size(); }
    /// What a reader with a cursor gets.
    Result<LogPiece> piece(const LogStyle&);

    /// Makes this the view of the task that has taken the name of this one, in the same style, from
    /// its beginning. `options` must outlive it.
    Result<void> go_on_with(store::Root&, store::TaskId, const LogOptions& options, const LogSink&);
    /// The name by which the task was asked for; empty: by id or by a filter.
    std::string asked_name;

    /// Wakes `watch` when there is more to print.
    Result<void> watch_log(os::Watch&);
    void unwatch_log(os::Watch&);
    /// Opens a log that was not there before; looks at the index again. To be called after each
    /// wake.
    Result<void> renew(os::Watch&);

private:
    Result<LogRange> range(std::uint64_t end);
    Result<store::LogIndex> index() const;
    Result<store::LogIndex> settled_index() const;
    Result<std::uint64_t> print_upto(const LogSink&, std::uint64_t end);

    const LogOptions* options_ = nullptr;
    ops::TaskMonitor task_;
    store::LogFile file_;
    std::unique_ptr<LogPrinter> printer_;
    std::string text_;
    LogStyle style_; ///< and the screen, of begin()
    SharedScreen* screen_ = nullptr;
    AttemptBytes within_; ///< of the log
    std::uint64_t at_ = 0;
    std::uint64_t end_ = 0; ///< the size at begin()
    std::optional<int> token_;
    bool timestamps_ = false;
};

/// The tasks whose logs are asked for; none of them is opened. Error as of open_logs().
Result<Selected> select_logs(store::Root&, const Selection&, const LogOptions& options,
                             const OnMissing& = {});

/// The logs of those selected, all open, so that they can be followed together; the error of one
/// does not stop the others. `options` must outlive them. Error (usage): a cursor with several
/// tasks; or that of select_each().
Result<Each<LogView>> open_logs(store::Root&, const Selection&, const LogOptions& options,
                                const OnMissing& = {});

/// Prints the logs while they grow, line by line as they come, until every task is over and all is
/// printed. Where a task that was asked for by name is replaced (`run --replace`), the log of the
/// one that has the name now follows.
Result<void> follow_logs(store::Root&, std::vector<LogView>&, const LogSink&, Cancel = {});

/// A piece of each log, for a reader that goes on later from its cursor. Without LogOptions::raw it
/// is as a person would see it.
Result<Each<LogPiece>> read_log(store::Root&, const Selection&, const LogOptions&,
                                const OnMissing& = {});
/// That of one task, once there is some text in it, no more can come, or that time is over. Error
/// (usage): several tasks.
Result<LogPiece> await_log(store::Root&, const Selection&, LogOptions, Duration, Cancel = {});

} // namespace bgt::ops
