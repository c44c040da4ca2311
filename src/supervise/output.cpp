// What a supervisor does with the output of its task.
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/supervisor.hpp>

#include <array>
#include <poll.h>
#include <utility>

namespace bgt::supervise {
namespace {

/// Output is read for progress this long after it came: once for all that came meanwhile.
constexpr auto progress_pause = std::chrono::milliseconds(250);
/// A command that has been calm for so long has no need of a stage.
constexpr auto calm = std::chrono::seconds(1);

} // namespace

void Supervisor::watch_output(Stream& stream, os::LogPump& pump)
{
    stream.async_wait(Stream::wait_read, [this, &stream, &pump](auto error) {
        if (error) return;
        on_output(pump);
        watch_output(stream, pump);
    });
}

std::vector<os::LogPump*> Supervisor::pumps()
{
    std::vector<os::LogPump*> all{&resources_.out};
    if (resources_.err) all.push_back(&*resources_.err);
    return all;
}

os::LogPump::Moved Supervisor::take_output(os::LogPump& pump)
{
    if (pump.keeper() > 0 && !helpers_.contains(pump.keeper())) pump.end_stage(); // somebody killed it
    const os::LogPump::Moved moved = pump.pump(os::wall_now());
    account(moved);
    if (moved.bytes + moved.dropped > 0) observer_.output_came(os::now());
    if (pump.wants_stage()) begin_stage(pump);
    return moved;
}

void Supervisor::begin_stage(os::LogPump& pump)
{
    const pid_t keeper = pump.begin_stage(resources_.task.lock_fd());
    if (keeper == 0) return;
    helpers_.insert(keeper);
    end_stages_when_idle();
}

void Supervisor::end_stages_when_idle()
{
    stage_timer_.expires_after(calm);
    stage_timer_.async_wait([this](auto error) {
        if (error) return;
        bool some = false;
        for (os::LogPump* pump : pumps()) {
            if (pump->keeper() > 0 && pump->has_become_idle()) end_stage(*pump);
            some |= pump->keeper() > 0;
        }
        if (some) end_stages_when_idle();
    });
}

void Supervisor::end_stage(os::LogPump& pump)
{
    if (pump.keeper() == 0) return;
    const Duration before = os::reaped_cpu();
    helpers_.erase(pump.keeper());
    pump.end_stage();
    observer_.leave_out(os::reaped_cpu() - before);
}

/// Of all streams, until a descriptor is readable (-1: none) or that date has come.
void Supervisor::take_output_until(int descriptor, Instant end)
{
    const std::vector<os::LogPump*> all = pumps();
    for (Instant now = os::now(); now < end; now = os::now()) {
        std::array<pollfd, 3> wakes{{{descriptor, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
        for (std::size_t i = 0; i < all.size(); ++i) wakes[i + 1].fd = all[i]->fifo();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now).count();
        if (poll(wakes.data(), wakes.size(), static_cast<int>(left)) <= 0) continue;
        for (os::LogPump* pump : all) take_output(*pump);
        if (wakes[0].revents != 0) return;
    }
}

void Supervisor::on_output(os::LogPump& pump)
{
    take_output(pump);
    if (!resources_.spec.progress_pattern.empty()) read_progress_soon();
    if (core::waits_for_output(state_)) dispatch(core::SampleRequested{});
}

void Supervisor::read_progress_soon()
{
    if (std::exchange(progress_is_due_, true)) return;
    progress_timer_.expires_after(progress_pause);
    progress_timer_.async_wait([this](auto error) {
        if (error) return;
        progress_is_due_ = false;
        observer_.read_output(os::now());
        if (const auto progress = observer_.take_progress(); progress && put_progress(*progress)) resources_.recorder.save();
    });
}

void Supervisor::account(const os::LogPump::Moved& moved)
{
    if (moved.dropped == 0 && !moved.freed) return;
    store::Status& status = resources_.recorder.status();
    status.dropped_bytes += moved.dropped;
    status.freed_bytes = resources_.out.freed_bytes();
    if (resources_.err) status.freed_err_bytes = resources_.err->freed_bytes();
    resources_.recorder.save();
}

} // namespace bgt::supervise
