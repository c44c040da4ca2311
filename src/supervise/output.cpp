#include "output.hpp"

#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace bgt::supervise {
namespace {

/// Output is read for progress this long after it came: once for all that came meanwhile.
constexpr auto progress_pause = std::chrono::milliseconds(250);
/// Output that ends like a prompt, and then silence for so long: does it wait for input? A second
/// look follows, which tells what it does now from how its start went.
constexpr auto prompt_pause = std::chrono::milliseconds(750);
constexpr auto prompt_again = std::chrono::milliseconds(500);
/// A command that has been idle for so long has no need of a stage.
constexpr auto idle_time = std::chrono::seconds(1);

} // namespace

Output::Output(const Parts& parts)
    : with_(parts),
      pumps_{&parts.out},
      progress_timer_(parts.io),
      stage_timer_(parts.io),
      prompt_timer_(parts.io)
{
    if (parts.err) pumps_.push_back(parts.err);
}

void Output::watch()
{
    watch(with_.out_stream, with_.out);
    if (with_.err) watch(with_.err_stream, *with_.err);
}

void Output::watch(Stream& stream, LogPump& pump)
{
    stream.async_wait(Stream::wait_read, [this, &stream, &pump](auto error) {
        if (error) return;
        on_output(pump);
        watch(stream, pump);
    });
}

void Output::on_output(LogPump& pump)
{
    take(pump);
    if (with_.shows_progress) read_progress_soon();
    last_output_ = os::now();
    looked_for_prompt_ = false;
    if (!std::exchange(prompt_is_due_, true)) look_for_prompt_after(prompt_pause);
    if (core::waits_for_output(with_.sink.state())) with_.sink.dispatch(core::SampleRequested{});
}

LogPump::Moved Output::take(LogPump& pump)
{
    if (pump.keeper() > 0 && !with_.helpers.contains(pump.keeper()))
        pump.end_stage(); // somebody killed it
    const LogPump::Moved moved = pump.pump(os::wall_now());
    account(moved);
    if (moved.cannot_free != 0)
        with_.recorder.event(
            "log-max-off",
            {{"why", fmt::format("the file system of the log can't free its head: {}",
                                 std::strerror(moved.cannot_free))}});
    if (moved.bytes + moved.dropped > 0) with_.observer.output_came(os::now());
    if (pump.wants_stage()) begin_stage(pump);
    return moved;
}

void Output::take_all()
{
    for (LogPump* pump : pumps_) take(*pump);
}

void Output::drain(bool still_written)
{
    for (LogPump* pump : pumps_)
        while (take(*pump).more && !still_written) {}
}

void Output::begin_attempt()
{
    attempt_from_ = {with_.out.log_bytes(), with_.err ? with_.err->log_bytes() : 0};
}

TaskOutput::Ranges Output::attempt_ranges() const
{
    Ranges ranges{{attempt_from_.first, with_.out.log_bytes()}, std::nullopt};
    if (with_.err) ranges.err = Range{attempt_from_.second, with_.err->log_bytes()};
    return ranges;
}

void Output::begin_stage(LogPump& pump)
{
    const pid_t keeper = pump.begin_stage(with_.lock);
    if (keeper == 0) return;
    with_.helpers.insert(keeper);
    end_stages_when_idle();
}

void Output::end_stages_when_idle()
{
    stage_timer_.expires_after(idle_time);
    stage_timer_.async_wait([this](auto error) {
        if (error) return;
        bool some = false;
        for (LogPump* pump : pumps_) {
            if (pump->keeper() > 0 && pump->has_become_idle()) end_stage(*pump);
            some |= pump->keeper() > 0;
        }
        if (some) end_stages_when_idle();
    });
}

void Output::end_stages()
{
    for (LogPump* pump : pumps_) end_stage(*pump);
}

void Output::end_stage(LogPump& pump)
{
    if (pump.keeper() == 0) return;
    const Duration before = os::reaped_cpu();
    with_.helpers.erase(pump.keeper());
    pump.end_stage();
    with_.observer.leave_out(os::reaped_cpu() - before);
}

void Output::take_until(int descriptor, Instant end)
{
    do {
        const std::array<int, 3> fds{descriptor, with_.out.fifo(),
                                     with_.err ? with_.err->fifo() : -1};
        const os::Readable ready = os::await_readable(fds, end);
        if (ready.none()) continue;
        take_all();
        if (ready[0]) return;
    } while (os::now() < end);
}

void Output::read_progress_soon()
{
    if (std::exchange(progress_is_due_, true)) return;
    progress_timer_.expires_after(progress_pause);
    progress_timer_.async_wait([this](auto error) {
        if (error) return;
        progress_is_due_ = false;
        with_.observer.read_output(os::now());
        if (const auto progress = with_.observer.take_progress();
            progress && with_.recorder.put(*progress))
            with_.recorder.save();
    });
}

void Output::look_for_prompt_after(Duration pause)
{
    prompt_timer_.expires_after(pause);
    prompt_timer_.async_wait([this](auto error) {
        if (!error) look_for_prompt();
    });
}

/// One timer for all output that comes until it is due; none while there is no output.
void Output::look_for_prompt()
{
    const Duration silence = os::now() - last_output_;
    if (silence < prompt_pause) return look_for_prompt_after(prompt_pause - silence);
    prompt_is_due_ = false;
    const auto waits = [&] {
        return with_.sink.state().hang_state.activity == core::Activity::waiting_input;
    };
    const bool runs = core::lifecycle(with_.sink.state()) == core::Lifecycle::running;
    const auto is_prompt = [](const LogPump* pump) { return pump->ends_like_prompt(); };
    if (!runs || waits() || std::ranges::none_of(pumps_, is_prompt)) return;
    with_.sink.dispatch(core::SampleRequested{});
    if (waits() || std::exchange(looked_for_prompt_, true)) return;
    prompt_is_due_ = true;
    look_for_prompt_after(prompt_again);
}

void Output::account(const LogPump::Moved& moved)
{
    if (moved.dropped == 0 && !moved.freed) return;
    store::Status& status = with_.recorder.status();
    status.dropped_bytes += moved.dropped;
    status.freed_bytes = with_.out.freed_bytes();
    if (with_.err) status.freed_err_bytes = with_.err->freed_bytes();
    with_.recorder.save();
}

} // namespace bgt::supervise
