#pragma once
/// The output of a task on its way into the log, while its supervisor sleeps in between.
#include "log_pump.hpp"
#include "observer.hpp"
#include <array>
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bgt::supervise {

class Output final : public TaskOutput {
public:
    using Stream = boost::asio::posix::stream_descriptor;
    struct Parts {
        boost::asio::io_context& io;
        LogPump& out;
        LogPump* err; ///< --split
        Stream &out_stream, &err_stream;
        int lock;            ///< the task's, for the keeper of a stage
        bool shows_progress; ///< --progress-pattern: what is printed is read soon after it came
        Recorder& recorder;
        Observer& observer;
        Helpers& helpers;
        EventSink& sink;
    };
    explicit Output(const Parts&);

    /// Moves output as it comes.
    void watch();
    /// Their keepers hold the task's lock.
    void end_stages();
    /// Where the output of this attempt begins, in out.log and err.log.
    std::pair<std::uint64_t, std::uint64_t> attempt_from() const { return attempt_from_; }

    void take_all() override;
    void take_until(int descriptor, Instant end) override;
    void drain(bool still_written) override;
    void begin_attempt() override;
    Ranges attempt_ranges() const override;

private:
    void watch(Stream&, LogPump&);
    void on_output(LogPump&);
    LogPump::Moved take(LogPump&);
    void begin_stage(LogPump&);
    void end_stage(LogPump&);
    void end_stages_when_idle();
    void account(const LogPump::Moved&);
    void read_progress_soon();
    void look_for_prompt_after(Duration);
    void look_for_prompt();

    Parts with_;
    std::vector<LogPump*> pumps_;
    boost::asio::steady_timer progress_timer_, stage_timer_, prompt_timer_;
    bool progress_is_due_ = false;   ///< progress_timer_ runs
    bool prompt_is_due_ = false;     ///< prompt_timer_ runs
    bool looked_for_prompt_ = false; ///< since the last output
    Instant last_output_{};
    std::pair<std::uint64_t, std::uint64_t> attempt_from_{};
};

} // namespace bgt::supervise
