#pragma once
#include <bgt/core/event_budget.hpp>
#include <bgt/core/event_table.hpp>
#include <bgt/core/progress.hpp>
#include <bgt/core/step.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/results.hpp>
#include <bgt/store/root_events.hpp>
#include <bgt/store/status.hpp>
#include <bgt/store/task_dir.hpp>
#include <map>
#include <string>

namespace bgt::supervise {

/// What one supervisor writes of its task: the status record, the event log, and its part of the
/// event stream of the root. Failures to write are no reason to stop: the record has its space from
/// the start, and an event that a full disk refuses is counted and told by the next one.
class Recorder {
public:
    /// Opens the status record in the folder, which must stay open; the event log is made with its
    /// first line.
    static Result<Recorder> open(const store::TaskDir&);

    store::Status& status() { return status_; }
    const store::Status& status() const { return status_; }
    /// Puts the state into the record and writes it.
    void save(const core::State&);
    /// Writes the record as it is.
    void save();
    /// The record as it is, for a process that writes it in this one's place while this one waits.
    store::StartRecord prepare_start() const { return writer_.prepare_start(status_); }
    void go_on_after(const store::StartRecord& record) { writer_.go_on_after(record); }
    /// Puts what is known of the progress into the record, without writing it. True: the record has
    /// changed.
    bool put(const core::Progress&);
    /// For the event log of the task, and for the stream.
    void event(std::string_view name, std::vector<store::EventField> fields = {});
    /// The same for an event that the task itself can cause as often as it likes: so many of each
    /// kind; more are counted, and the next event of any kind says how many
    /// (`events_dropped_before`).
    void event_by_task(std::string_view name, std::vector<store::EventField> fields = {});
    /// Something that would have been an event, and is only counted.
    void drop_event() { ++dropped_events_; }
    /// For the stream alone: one of its types.
    void tell(std::string_view type, WallTime at, std::vector<store::EventField> fields = {});
    /// From now on the stream is written, too, and what it is to tell so far is written now: later
    /// than the event log, so that a start does not take longer. `root_fd` is not owned.
    /// Less severe events than `level` are left out.
    void publish(int root_fd, store::TaskId, std::string name, core::EventLevel level);
    /// Each sample and each decision is to be told.
    bool is_debugging() const { return root_ >= 0 && level_ == core::EventLevel::debug; }

    /// Where the task's results go; nullptr: it could not be opened.
    store::ResultsWriter* results();
    bool has_results() const { return results_.has_value(); }

private:
    Recorder();
    void tell(const core::EventType&, WallTime at, std::vector<store::EventField> fields);
    void write(store::RootEvent&&);
    void tell_progress(bool is_new_step);

    store::Status status_;
    store::StatusWriter writer_;
    int folder_ = -1, root_ = -1;
    Fd events_;
    std::optional<store::ResultsWriter> results_;
    std::int64_t lost_events_ = 0, lost_in_stream_ = 0; ///< by a full disk
    std::int64_t dropped_events_ = 0, dropped_in_stream_ = 0;
    std::map<std::string, core::EventBudget, std::less<>> budgets_; ///< by kind
    core::EventBudget steps_;
    bool refused_ = false; ///< the last record, by the disk
    store::TaskId id_;
    std::string name_;
    store::EventWriter stream_;
    core::EventLevel level_ = core::EventLevel::info;
    std::vector<store::RootEvent> unpublished_;
    Instant progress_told_{};
};

/// As the events of an ended task and of an ended attempt tell it.
std::vector<store::EventField> outcome_fields(const core::Outcome&);
/// Tells of an end in the stream, for a task that has no supervisor; with its last lines, where the
/// end is an error. What can't be written is not.
void tell_end(int root_fd, const store::TaskDir&, const std::string& name, const core::Outcome&,
              std::vector<store::EventField> more = {});

} // namespace bgt::supervise
