#include <bgt/supervise/recorder.hpp>

#include "status_of.hpp"
#include <bgt/base/duplicate.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/supervise/task_evidence.hpp>

#include <chrono>
#include <fcntl.h>
#include <thread>
#include <tuple>

namespace bgt::supervise {
namespace {

constexpr int max_tries = 5;
constexpr auto between_tries = std::chrono::milliseconds(20);
/// The stream is shared by all tasks: one that reports at each percent must not fill it. Steps are
/// told at once, as long as they are not more than this on the average.
constexpr auto between_progress = std::chrono::seconds(1);
constexpr std::int64_t steps_at_once = 100;
/// Of each kind of event that a task can cause by saying so.
constexpr std::int64_t events_at_once = 20;
constexpr auto between_events = std::chrono::minutes(1);
constexpr std::size_t max_unpublished = 16;
constexpr std::size_t lines_told = 5;
constexpr std::uint64_t tail_bytes = 4096;

store::RootEvent root_event(const core::EventType& type, WallTime at,
                            std::vector<store::EventField> fields)
{
    store::RootEvent event;
    event.at = at;
    event.type = type.word;
    event.level = type.level;
    for (store::EventField& field : fields)
        event.data.emplace_back(field.key, std::move(field.value));
    return event;
}

/// A failure is told with the last lines of the output.
void describe_end(store::RootEvent& event, const core::Outcome& outcome, const store::TaskDir& task)
{
    event.level = core::level_of(outcome);
    if (event.level != core::EventLevel::error) return;
    std::string tail;
    for (const std::string& line : last_lines(task, lines_told, tail_bytes))
        tail += (tail.empty() ? "" : "\n") + line;
    if (!tail.empty()) event.data.emplace_back("tail", std::move(tail));
}

/// A task says itself how severe its message is.
void take_level(store::RootEvent& event)
{
    const std::string* word = event.text("level");
    if (const auto level = core::parse_event_level(word != nullptr ? *word : ""))
        event.level = *level;
    std::erase_if(event.data, [](const auto& field) { return field.first == "level"; });
}

} // namespace

Recorder::Recorder() : steps_(steps_at_once, between_progress) {}

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
    const std::string step_before = status_.step;
    if (progress.fraction) status_.progress = progress.fraction;
    if (!progress.step.empty()) status_.step = progress.step.substr(0, 63);
    if (progress.total_steps) status_.total_steps = *progress.total_steps;
    const bool changed = before != std::tuple(status_.progress, status_.step, status_.total_steps);
    if (changed) tell_progress(step_before != status_.step);
    return changed;
}

void Recorder::tell_progress(bool is_new_step)
{
    const Instant now = os::now();
    const bool is_whole = status_.progress && *status_.progress >= 1;
    if (now < progress_told_ + between_progress) {
        if (!is_whole && !is_new_step) return;
        if (!steps_.take(now)) {
            ++dropped_in_stream_;
            return;
        }
    }
    progress_told_ = now;
    std::vector<store::EventField> fields;
    if (status_.progress)
        fields.push_back({"percent", static_cast<std::int64_t>(*status_.progress * 100)});
    if (!status_.step.empty()) fields.push_back({"step", status_.step});
    if (status_.total_steps != 0)
        fields.push_back({"total_steps", static_cast<std::int64_t>(status_.total_steps)});
    tell("progress", os::wall_now(), std::move(fields));
}

store::ResultsWriter* Recorder::results()
{
    if (!results_)
        if (auto opened = store::ResultsWriter::open(folder_)) results_ = *std::move(opened);
    return results_ ? &*results_ : nullptr;
}

void Recorder::event(std::string_view name, std::vector<store::EventField> fields)
{
    // Made with the first event, which is after the caller has been told that the command runs.
    if (!events_)
        events_ = store::open_file(folder_, store::file::events, O_RDWR | O_CREAT | O_APPEND);
    const WallTime now = os::wall_now();
    if (const core::EventType* type = core::type_of_task_event(name)) tell(*type, now, fields);
    if (lost_events_ > 0) fields.push_back({"events_lost_before", lost_events_});
    if (dropped_events_ > 0) fields.push_back({"events_dropped_before", dropped_events_});
    const Result<void> written = store::append_event(events_.get(), now, name, fields);
    lost_events_ = written ? 0 : lost_events_ + 1;
    if (written) dropped_events_ = 0;
}

void Recorder::event_by_task(std::string_view name, std::vector<store::EventField> fields)
{
    auto budget = budgets_.find(name);
    if (budget == budgets_.end())
        budget = budgets_.emplace(name, core::EventBudget(events_at_once, between_events)).first;
    if (budget->second.take(os::now())) return event(name, std::move(fields));
    ++dropped_events_;
    if (core::type_of_task_event(name) != nullptr) ++dropped_in_stream_;
}

void Recorder::tell(std::string_view type, WallTime at, std::vector<store::EventField> fields)
{
    if (const core::EventType* row = core::find_event_type(type)) tell(*row, at, std::move(fields));
}

void Recorder::tell(const core::EventType& type, WallTime at, std::vector<store::EventField> fields)
{
    store::RootEvent event = root_event(type, at, std::move(fields));
    if (type.word == "log") take_level(event);
    if (type.word == "ended") {
        const store::TaskDir folder(id_, {}, duplicate(folder_));
        describe_end(event, status_.outcome, folder);
    }
    if (root_ < 0) {
        if (unpublished_.size() < max_unpublished) unpublished_.push_back(std::move(event));
        return;
    }
    write(std::move(event));
}

void Recorder::write(store::RootEvent&& event)
{
    if (!core::reaches(event.level, level_)) return;
    event.task = id_;
    event.name = name_;
    if (lost_in_stream_ > 0) event.data.emplace_back("events_lost_before", lost_in_stream_);
    if (dropped_in_stream_ > 0)
        event.data.emplace_back("events_dropped_before", dropped_in_stream_);
    const bool written = bool(stream_.append(event));
    lost_in_stream_ = written ? 0 : lost_in_stream_ + 1;
    if (written) dropped_in_stream_ = 0;
}

void Recorder::publish(int root_fd, store::TaskId id, std::string name, core::EventLevel level)
{
    root_ = root_fd;
    id_ = id;
    name_ = std::move(name);
    level_ = level;
    stream_ = store::EventWriter(root_fd);
    for (store::RootEvent& event : std::exchange(unpublished_, {})) write(std::move(event));
}

std::vector<store::EventField> outcome_fields(const core::Outcome& outcome)
{
    return {{"outcome", std::string(core::to_string(outcome.kind))},
            {"code", std::int64_t{outcome.code}},
            {"signal", std::int64_t{outcome.signal}},
            {"reason", std::string(core::to_string(outcome.reason))},
            {"exit_code", std::int64_t{core::exit_code(outcome)}}};
}

void tell_end(int root_fd, const store::TaskDir& task, const std::string& name,
              const core::Outcome& outcome, std::vector<store::EventField> more)
{
    std::vector<store::EventField> fields = outcome_fields(outcome);
    for (store::EventField& field : more) fields.push_back(std::move(field));
    store::RootEvent event =
        root_event(*core::find_event_type("ended"), os::wall_now(), std::move(fields));
    event.task = task.id();
    event.name = name;
    describe_end(event, outcome, task);
    static_cast<void>(store::EventWriter(root_fd).append(event));
}

} // namespace bgt::supervise
