#pragma once
/// The history, history/ in the state root: what remains of tasks that are over once their folders
/// are gone. Each task appends one record with a checksum, in one write that is not synced. Records
/// are in history/current, and in older files with numbers for names; when there are too many, the
/// oldest are counted in history/totals and dropped. A task that two processes put on record, its
/// supervisor and who recovered it, counts once. Bytes that are damaged are passed over, and
/// counted.
#include <bgt/core/past_run.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/spec.hpp>
#include <bgt/store/status.hpp>
#include <functional>

namespace bgt::store {

/// What the record of a task does not tell.
struct PastUsage {
    std::optional<Duration> cpu = {}; ///< of the whole tree
    std::uint64_t max_memory = 0;     ///< bytes; 0: not known
    std::uint32_t hangs = 0;          ///< how often a hang rule fired
};

/// Puts a task that is over on record. Does nothing for one that is to leave nothing
/// (TaskSpec::keeps_history), and for a copy. `now` is the end of one of which nobody saw the end.
/// Error: no space, no access; nothing is lost but the record.
Result<void> append_history(const Root&, const TaskSpec&, const Status&, WallTime now,
                            const PastUsage& = {});

struct History {
    std::uint64_t records = 0;        ///< that were handed over
    std::uint64_t damaged_places = 0; ///< and passed over
    std::uint64_t damaged_bytes = 0;
    std::uint64_t from_newer = 0;     ///< records that only a newer bgt can read
    std::uint64_t unread_bytes = 0;   ///< the oldest, where there are more than `max_bytes`
    core::RunTotals trimmed;          ///< of the records that were dropped
    std::uint64_t damaged_before = 0; ///< places in files that were dropped
    std::string problem;              ///< with the totals, or what is too large; empty: none
};
using TakeRun = std::function<void(const core::PastRun&)>;
/// Hands over each record once, as a rule in the order of the ends. The texts of a record last only
/// as long as the call. Somebody waits for the answer, so of more than `max_bytes` the newest are
/// read; holes of a file cost nothing. Error: no access; somebody keeps the history locked.
Result<History> read_history(const Root&, const TakeRun&, std::uint64_t max_bytes = 256u << 20);

struct HistoryKeep {
    std::size_t most = 0;               ///< the newest records that stay
    std::optional<WallTime> since = {}; ///< those of ends before that do not
};
struct HistoryTrimmed {
    std::uint64_t removed = 0;
    std::uint64_t kept = 0;
    std::uint64_t damaged_places = 0; ///< that went with them
    /// What else is to be known: damaged totals were put aside, or nothing was dropped, as a newer
    /// bgt has written some of it. Empty: nothing.
    std::string problem = {};
};
/// Drops records, which then count in the totals only. `dry_run` tells what it would do. Error: no
/// access, no space; somebody keeps the history locked; a file has more than 1 GiB (EFBIG). Then
/// nothing was dropped.
Result<HistoryTrimmed> trim_history(const Root&, const HistoryKeep&, bool dry_run = false);

/// The same in passing, where so much has been appended that it may be worth it: one system call
/// otherwise. What goes wrong is for the next one to mend.
void tidy_history(const Root&, std::size_t most);

} // namespace bgt::store
