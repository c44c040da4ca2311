#pragma once
/// Writing a log: its bytes, the index that dates them, and giving back its head.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/store/log_index.hpp>
#include <bgt/store/task_dir.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::store {

/// One writer per log: the holder of the task's lock. The place to go on is the log's size. A log
/// that can't take bytes (disk full, quota) costs the bytes, counted, never the task.
class LogWriter {
public:
    struct Moved {
        std::uint64_t bytes = 0;   ///< into the log
        std::uint64_t dropped = 0; ///< lost to a log that can't be written
        bool freed = false;        ///< the head of the log was given back: freed_bytes() has grown
        int cannot_free =
            0; ///< said once: the errno for which it never is, and the log outgrows `log_max`
        bool more = false; ///< the caller stopped at its bound; there may be more
    };

    LogWriter() = default;
    /// Opens the log at its end. `log_max`: bytes of the log that are kept, 0: all. `freed`: head
    /// bytes that were given back before.
    static Result<LogWriter> open(const TaskDir&, const char* log, const char* index,
                                  std::uint64_t log_max, std::uint64_t freed);

    /// Moves what one splice(2) of at most `max` bytes takes from a pipe into the log, so that
    /// there is no moment at which the bytes are in neither place. How many left the pipe; 0: it is
    /// empty.
    std::uint64_t take(int pipe, std::size_t max, WallTime now, Moved&);
    /// Gives back the oldest blocks once the log is a sixteenth over its bound.
    void free_head(Moved&);
    /// Another process has written to the log: goes on at its end.
    void go_on_at_end();

    /// The bytes go by splice(2), not through a buffer of this process.
    bool can_splice() const { return can_splice_; }
    std::uint64_t size() const { return offset_; }
    std::uint64_t freed_bytes() const { return freed_; }
    /// The last bytes, at most `max`; fewer also where they can't be read.
    std::string tail(std::size_t max) const;
    /// What take() needs open.
    std::vector<int> descriptors() const;

private:
    std::uint64_t copy_chunk(int pipe, WallTime now, Moved&);
    void count_drop(WallTime now, std::uint64_t dropped, Moved&);
    bool is_due(WallTime now, std::uint64_t value, bool dropped) const;
    void note(WallTime now, std::uint64_t value, bool dropped);
    bool append_entry(const IndexEntry&);

    Fd log_, index_;
    int folder_ = -1;
    const char* index_name_ = nullptr;
    std::int64_t index_at_ = 0;
    std::uint64_t offset_ = 0, max_ = 0, freed_ = 0;
    std::uint64_t undated_drop_ = 0; ///< dropped, and not yet in the index
    WallTime last_note_{};           ///< of the newest entry
    std::uint64_t last_value_ = 0;   ///< the size of the log then
    bool after_drop_ = false; ///< the newest entry is a drop: the next one tells where it was
    bool can_splice_ = true, can_free_ = true;
};

} // namespace bgt::store
