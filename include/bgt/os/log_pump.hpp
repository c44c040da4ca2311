#pragma once
/// From the FIFO that a command writes to, into its log.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/store/log_index.hpp>
#include <bgt/store/task_dir.hpp>

namespace bgt::os {

/// Moves bytes with splice(2), so that there is no moment at which they are in neither place, and none is held in a
/// buffer that would die with the supervisor. One writer per log: the holder of the task's lock. The place to go on is
/// the log's size. A log that can't take bytes (disk full, quota) costs the bytes, counted, never the task.
class LogPump {
public:
    struct Files {
        const char* fifo;
        const char* log;
        const char* index;
    };
    static constexpr Files out_files{store::file::out_fifo, store::file::out_log, store::file::out_index};
    static constexpr Files err_files{store::file::err_fifo, store::file::err_log, store::file::err_index};

    LogPump() = default;
    /// Makes the FIFO (or takes the one that is there) and opens the log at its end. `log_max`: bytes of the log that
    /// are kept, 0: all. `freed`: head bytes that were given back before.
    static Result<LogPump> open(const store::TaskDir&, const Files&, std::uint64_t log_max, std::uint64_t freed);

    /// A descriptor for the command's side: read-write (so that the FIFO never breaks), blocking.
    Result<Fd> writer() const;
    /// Becomes readable when there is output. Never at end-of-file: this side holds it open for writing too.
    int fifo() const { return fifo_.get(); }

    struct Moved {
        std::uint64_t bytes = 0;    ///< into the log
        std::uint64_t dropped = 0;  ///< lost to a log that can't be written
        bool freed = false;         ///< the head of the log was given back: freed_bytes() has grown
        bool more = false;          ///< stopped at the bound of one call; there may be more
    };
    /// Moves what is there, up to 16 MiB in one call, so that a loud task keeps nobody waiting.
    Moved pump(WallTime now);

    std::uint64_t freed_bytes() const { return freed_; }
    std::uint64_t log_bytes() const { return offset_; }

private:
    std::uint64_t move_chunk(WallTime now, Moved&);
    std::uint64_t drop_chunk(WallTime now, Moved&);
    std::uint64_t copy_chunk(WallTime now, Moved&);
    void count_drop(WallTime now, std::uint64_t dropped, Moved&);
    bool is_due(WallTime now, std::uint64_t value, bool dropped) const;
    void note(WallTime now, std::uint64_t value, bool dropped);
    bool append_entry(const store::IndexEntry&);
    void grow_when_busy(std::uint64_t chunk);
    void free_head(Moved&);

    std::string fifo_path_;
    Fd fifo_, log_, index_;
    const char* index_name_ = nullptr;
    int folder_ = -1;
    std::int64_t index_at_ = 0;
    std::uint64_t offset_ = 0, max_ = 0, freed_ = 0;
    std::uint64_t undated_drop_ = 0;  ///< dropped, and not yet in the index
    WallTime last_note_{};            ///< of the newest entry
    std::uint64_t last_value_ = 0;    ///< the size of the log then
    bool after_drop_ = false;         ///< the newest entry is a drop: the next one tells where it was
    std::size_t capacity_ = 64 * 1024;
    unsigned full_chunks_ = 0;
    bool can_splice_ = true, can_free_ = true;
};

} // namespace bgt::os
