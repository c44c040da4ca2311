#pragma once
/// The process that starts waiting tasks: one for a state root, there only while something waits or
/// runs from a queue.
#include <bgt/store/queue_view.hpp>
#include <bgt/store/root.hpp>
#include <optional>
#include <string>

namespace bgt::dispatch {

/// Puts a dispatcher in place where the root has a journal and nobody dispatches. To be called by
/// whoever makes something wait, after it is on record, and by everybody who comes by: both
/// processes of a dispatcher may have been killed. Costs one system call where there is no journal,
/// a few where there is a dispatcher. Hazard: forks; the caller must be single-threaded.
Result<void> ensure_dispatcher(const store::Root&);

/// The same for whoever is about to append to the journal and holds its lock, whether or not there
/// is a journal yet: so there is somebody who sees what is appended even if the one who appends is
/// killed right afterwards. Where somebody dispatches who can't give a task what it is submitted
/// with, this process is put in line to take over, and that one gives way. Error: the submitter is
/// in other namespaces than the one who dispatches, or than what waits already, where a start would
/// mean something else; or under other filters of system calls.
Result<void> prepare_dispatcher(const store::Root&, const store::QueueContext& submitted);

/// What a task was submitted with and the one who dispatches can't give it, or this process where
/// nobody does; nullopt: nothing.
std::optional<std::string> lack_of_dispatcher(const store::Root&,
                                              const store::QueueContext& submitted);

/// Makes the folder of a task that will never start, with its end on record: a retry of it finds
/// there what the task was to get. What can't be described has nothing that a folder could hold.
Result<void> record_not_started(store::Root&, const store::QueueView&, store::TaskId, core::Reason);

/// Whether somebody dispatches now.
bool has_dispatcher(const store::Root&);

} // namespace bgt::dispatch
