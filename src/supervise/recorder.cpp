#include <bgt/supervise/recorder.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/supervise/status_of.hpp>

#include <chrono>
#include <fcntl.h>
#include <thread>
#include <tuple>

namespace bgt::supervise {
namespace {

constexpr int max_tries = 5;
constexpr auto between_tries = std::chrono::milliseconds(20);

} // namespace

Result<Recorder> Recorder::open(const store::TaskDir& task)
{
    Recorder recorder;
    Result<store::StatusWriter> writer = store::StatusWriter::open(task.fd(), &recorder.status_);
    if (!writer) return writer.error();
    recorder.writer_ = std::move(*writer);
    recorder.folder_ = task.fd();
    return recorder;
}

void Recorder::save(const core::State& state)
{
    put_state(state, status_);
    save();
}

void Recorder::save()
{
    // Overwrites what is allocated: as a rule only a broken disk can refuse, and then nobody is
    // left to tell. But file systems that copy on write may be out of space for a moment, and a
    // lost end could never be told again. A disk that refused all tries the last time is not waited
    // for again before the end.
    const int tries = status_.lifecycle == core::Lifecycle::ended || !refused_ ? max_tries : 1;
    refused_ = true;
    for (int i = 0; i < tries && refused_; ++i) {
        if (i > 0) std::this_thread::sleep_for(between_tries);
        if (writer_.write(status_)) refused_ = false;
    }
}

bool Recorder::put(const core::Progress& progress)
{
    const auto before = std::tuple(status_.progress, status_.step, status_.total_steps);
    if (progress.fraction) status_.progress = progress.fraction;
    if (!progress.step.empty()) status_.step = progress.step.substr(0, 63);
    if (progress.total_steps) status_.total_steps = *progress.total_steps;
    return before != std::tuple(status_.progress, status_.step, status_.total_steps);
}

void Recorder::event(std::string_view name, std::vector<store::EventField> fields)
{
    // Made with the first event, which is after the caller has been told that the command runs.
    if (!events_)
        events_ = store::open_file(folder_, store::file::events, O_RDWR | O_CREAT | O_APPEND);
    if (lost_events_ > 0) fields.push_back({"events_lost_before", lost_events_});
    const Result<void> written = store::append_event(events_.get(), os::wall_now(), name, fields);
    lost_events_ = written ? 0 : lost_events_ + 1;
}

} // namespace bgt::supervise
