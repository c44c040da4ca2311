#pragma once
#include <bgt/core/progress.hpp>
#include <bgt/core/step.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/status.hpp>
#include <bgt/store/task_dir.hpp>
#include <string>

namespace bgt::supervise {

/// What one supervisor writes of its task: the status record and the event log. Failures to write
/// are no reason to stop: the record has its space from the start, and an event that a full disk
/// refuses is counted and told by the next one.
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
    void event(std::string_view name, std::vector<store::EventField> fields = {});

private:
    store::Status status_;
    store::StatusWriter writer_;
    int folder_ = -1;
    Fd events_;
    std::int64_t lost_events_ = 0;
    bool refused_ = false; ///< the last record, by the disk
};

} // namespace bgt::supervise
