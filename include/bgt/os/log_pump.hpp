#pragma once
/// From the FIFO that a command writes to, into its log.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/os/output_stage.hpp>
#include <bgt/store/log_index.hpp>
#include <bgt/store/task_dir.hpp>
#include <memory>
#include <utility>

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
        const char* stage; ///< there while bytes may be in a stage
    };
    static constexpr Files out_files{store::file::out_fifo, store::file::out_log, store::file::out_index,
                                     store::file::out_stage};
    static constexpr Files err_files{store::file::err_fifo, store::file::err_log, store::file::err_index,
                                     store::file::err_stage};
    /// The size of a loud command's FIFO and of its stage. Measured: 1 MiB is hardly faster and a user's pipe pages are
    /// few (man 7 pipe, pipe-user-pages-soft); with 256 KiB the two sides wait for each other now and then.
    static constexpr std::size_t high_throughput_capacity = 512u << 10;

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
    /// Moves what is there, up to 16 MiB in one call, so that a loud task keeps nobody waiting. The stage, where there is
    /// one, is empty after it. Waits a tenth of a millisecond where a loud command has just begun to fill its FIFO.
    Moved pump(WallTime now);

    /// The command has filled its FIFO again and again, or writes very fast: a stage would let it go on while its bytes are
    /// written.
    bool wants_stage() const { return wants_stage_; }
    /// Makes one. `lock`: the task's, for the keeper. The keeper is a child of the caller; 0: none was to be had, now or
    /// ever, and what is not staged is only slower.
    pid_t begin_stage(int lock);
    /// 0 without a stage.
    pid_t keeper() const { return stage_ ? stage_->keeper() : 0; }
    /// Whether the command has written little, by its standards, since this was asked last.
    bool has_become_idle();
    /// Ends the stage and its keeper, and makes the FIFO small again.
    void end_stage();
    /// Whether a supervisor and its keeper were both killed while bytes may have been in the stage: up to high_throughput_capacity
    /// of the newest are lost then. Says so once.
    static bool take_loss(const store::TaskDir&, const Files&);

    std::uint64_t freed_bytes() const { return freed_; }
    std::uint64_t log_bytes() const { return offset_; }

private:
    bool fill_stage();
    std::uint64_t move_chunk(int from, WallTime now, Moved&);
    std::uint64_t drop_chunk(int from, WallTime now, Moved&);
    std::uint64_t copy_chunk(int from, WallTime now, Moved&);
    void save_stage(int stage);
    void count_drop(WallTime now, std::uint64_t dropped, Moved&);
    bool is_due(WallTime now, std::uint64_t value, bool dropped) const;
    void note(WallTime now, std::uint64_t value, bool dropped);
    bool append_entry(const store::IndexEntry&);
    void grow_for_high_throughput(std::uint64_t chunk);
    void free_head(Moved&);

    static constexpr std::size_t quiet_capacity = 64u << 10; ///< what the kernel gives to each pipe

    std::string fifo_path_;
    Fd fifo_, log_, index_;
    const char *index_name_ = nullptr, *stage_name_ = nullptr;
    int folder_ = -1;
    std::int64_t index_at_ = 0;
    std::uint64_t offset_ = 0, max_ = 0, freed_ = 0;
    std::uint64_t undated_drop_ = 0;  ///< dropped, and not yet in the index
    WallTime last_note_{};            ///< of the newest entry
    std::uint64_t last_value_ = 0;    ///< the size of the log then
    bool after_drop_ = false;         ///< the newest entry is a drop: the next one tells where it was
    std::size_t capacity_ = quiet_capacity;
    unsigned full_chunks_ = 0;
    WallTime burst_began_{};
    std::uint64_t burst_ = 0; ///< bytes since then
    bool can_splice_ = true, can_free_ = true, can_stage_ = true;
    bool wants_stage_ = false;
    std::uint64_t recent_ = 0; ///< bytes taken since has_become_idle() was asked last
    std::unique_ptr<OutputStage> stage_;
    std::uint64_t staged_ = 0; ///< bytes in it
};

} // namespace bgt::os
