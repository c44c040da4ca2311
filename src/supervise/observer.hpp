#pragma once
/// The signs of life of one task: what step() gets to know of them, and what a report tells.
#include <bgt/base/fd.hpp>
#include <bgt/core/activity.hpp>
#include <bgt/core/hang_state.hpp>
#include <bgt/core/new_text.hpp>
#include <bgt/core/pattern.hpp>
#include <bgt/core/progress.hpp>
#include <bgt/os/sample.hpp>
#include <bgt/store/log_lines.hpp>
#include <bgt/store/task_dir.hpp>
#include <bgt/supervise/collaborators.hpp>
#include <optional>
#include <vector>

namespace bgt::supervise {

class Observer final : public LifeSigns {
public:
    /// `folder`: of the task, which must stay open. Nothing is read before the first sample.
    Observer(int folder, const store::TaskSpec&);

    /// A new attempt: what its tree uses from now on counts. Without this call (a supervisor that
    /// took over) the first sample has nothing to compare with.
    void begin(Instant now) override;
    void output_came(Instant now) { output_ = now; }
    void beat(Instant now) { beat_ = now; }
    /// What attempts before this supervisor used.
    void add_cpu(Duration used) { cpu_used_ += used; }
    /// Children that are no part of the tree (Helpers) used this much before they were waited for.
    void leave_out(Duration cpu) override;
    /// All of that.
    Duration left_out() const { return left_out_; }

    /// Takes a sample of the tree, compares it with the one before, and reads the output that came
    /// since (of a flood, its end).
    core::Liveness sample(const std::vector<os::ProcStat>& members, Instant now) override;
    /// Only the output: for progress that is printed.
    void read_output(Instant now);

    /// The newest progress that was printed, and not yet taken.
    std::optional<core::Progress> take_progress() override;

    /// The last look, or where that was taken just now the one before it: what was done since can
    /// be told.
    const std::optional<core::Sample>& sample_before(Instant now) const;
    /// When each sign was last seen; nullopt: never in this attempt.
    struct Signs {
        std::optional<Instant> byte, text, cpu, io, beat;
        Duration cpu_span{}, io_span{}; ///< since the look before the one that saw it
    };
    Signs signs() const { return {output_, text_, cpu_, io_, beat_, cpu_span_, io_span_}; }
    const os::StdinFifo& stdin_fifo() const { return stdin_fifo_; }

private:
    static constexpr std::size_t max_line =
        64 * 1024; ///< of a longer one it comes in pieces: a supervisor is small

    struct Stream {
        const char* name;
        Fd log;
        std::uint64_t at = 0;
        store::LineCutter cutter{store::LineText::rendered, max_line};
    };
    void read_stream(Stream&, Instant now);
    void take_line(std::string_view line, Instant now);

    int folder_;
    os::StdinFifo stdin_fifo_;
    std::vector<Stream> streams_;
    core::NewText new_text_;
    std::optional<core::Pattern> pattern_;
    core::ProgressReader progress_reader_;
    std::optional<core::Progress> progress_;
    std::optional<core::Sample> before_, earlier_;
    Duration cpu_used_{}; ///< by all attempts
    Duration left_out_{};
    std::optional<Instant> output_, text_, cpu_, io_, beat_;
    Duration cpu_span_{}, io_span_{};
    bool unfinished_line_ = false;
};

} // namespace bgt::supervise
