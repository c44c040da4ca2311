#pragma once
/// Before the folder of an ended task goes, its end goes into the journal of waiting tasks: nobody
/// could tell it afterwards to those that depend on it, or to the one who started it.
#include <bgt/base/process_key.hpp>
#include <bgt/core/queue.hpp>
#include <bgt/store/queue_file.hpp>
#include <bgt/store/root.hpp>
#include <optional>

namespace bgt::store {

/// What others in the queues are told of the end.
core::TaskEventKind event_of_end(const Status&);

class EndTeller {
public:
    /// `boot` is that of now, as for QueueFile::open(). The root must outlive this.
    EndTeller(const Root& root, const BootId& boot) : root_(root), boot_(boot) {}
    /// Appends the end of the task, by its record. Costs one system call where the root has no
    /// journal. Error: it could not be written, and the task is of a queue: its folder has to stay.
    /// Precondition: the task has ended, and the caller has its lock, or it never started.
    Result<void> tell(const TaskDir&);

private:
    Result<void> append(TaskId, core::TaskEventKind);

    const Root& root_;
    BootId boot_;
    std::optional<QueueFile> file_; ///< stays open: what was checked of it is not checked again
};

} // namespace bgt::store
