#pragma once
/// From what a command writes to, into its log.
#include <bgt/os/output_fifo.hpp>
#include <bgt/os/output_stage.hpp>
#include <bgt/store/log_writer.hpp>
#include <memory>

namespace bgt::supervise {

/// What reads (os::OutputFifo), what writes (store::LogWriter), and for a command of high
/// throughput the stage between them (os::OutputStage). None of the bytes is held in a buffer that
/// would die with the supervisor.
class LogPump {
public:
    struct Files {
        const char* fifo;
        const char* log;
        const char* index;
        const char* stage; ///< there while bytes may be in a stage
    };
    static constexpr Files out_files{store::file::out_fifo, store::file::out_log,
                                     store::file::out_index, store::file::out_stage};
    static constexpr Files err_files{store::file::err_fifo, store::file::err_log,
                                     store::file::err_index, store::file::err_stage};
    static constexpr std::size_t high_throughput_capacity =
        os::OutputFifo::high_throughput_capacity;
    using Moved = store::LogWriter::Moved;

    LogPump() = default;
    /// Makes the FIFO (or takes the one that is there) and opens the log at its end. `log_max`,
    /// `freed`: as of LogWriter.
    static Result<LogPump> open(const store::TaskDir&, const Files&, std::uint64_t log_max,
                                std::uint64_t freed);

    /// A descriptor for the command's side.
    Result<Fd> writer() const { return fifo_.writer(); }
    /// By which the command's side holds the FIFO for reading (os::SpawnRequest::held_fifos).
    const std::string& fifo_path() const { return fifo_.path(); }
    /// Becomes readable when there is output.
    int fifo() const { return fifo_.fd(); }

    /// Moves what is there, up to 16 MiB in one call, so that a task of high throughput keeps
    /// nobody waiting. The stage, where there is one, is empty after it. Waits a tenth of a
    /// millisecond where such a command has just begun to fill its FIFO.
    Moved pump(WallTime now);

    /// The command has filled its FIFO again and again, or writes very fast: a stage would let it
    /// go on while its bytes are written.
    bool wants_stage() const { return wants_stage_; }
    /// Makes one. `lock`: the task's, for the keeper. The keeper is a child of the caller; 0: none
    /// was to be had, now or ever, and what is not staged is only slower.
    pid_t begin_stage(int lock);
    /// 0 without a stage.
    pid_t keeper() const { return stage_ ? stage_->keeper() : 0; }
    /// Whether the command has written little, by its standards, since this was asked last.
    bool has_become_idle() { return fifo_.has_become_idle(); }
    /// Ends the stage and its keeper, and makes the FIFO small again.
    void end_stage();
    /// Whether a supervisor and its keeper were both killed while bytes may have been in the stage:
    /// up to high_throughput_capacity of the newest are lost then. Says so once.
    static bool take_loss(const store::TaskDir&, const Files&);

    std::uint64_t freed_bytes() const { return log_.freed_bytes(); }
    std::uint64_t log_bytes() const { return log_.size(); }
    /// Whether the output so far ends as a prompt does: without the end of a line, or with a
    /// question or a colon.
    bool ends_like_prompt() const;

private:
    bool fill_stage();
    void save_stage(int stage);

    os::OutputFifo fifo_;
    store::LogWriter log_;
    std::unique_ptr<os::OutputStage> stage_;
    std::uint64_t staged_ = 0; ///< bytes in it
    const char* stage_name_ = nullptr;
    int folder_ = -1;
    bool can_stage_ = true;
    bool wants_stage_ = false;
};

} // namespace bgt::supervise
