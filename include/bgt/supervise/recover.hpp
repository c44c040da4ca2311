#pragma once
/// What becomes of a task whose record says that it is not over while nobody holds its lock.
#include <bgt/core/recovery.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/store/root.hpp>

namespace bgt::supervise {

/// Makes the record true again, as core::recovery_for says: a living tree gets a new supervisor,
/// the end of a dead one is recorded (lost, or the end of its main process, where the dead
/// supervisor had seen it), or that the command was never started. Returns the record as it is
/// then. Several at once recover it once. `status` is what was read before. Where the state root
/// can't be written the truth is returned, not recorded. Hazard: may fork; the caller must be
/// single-threaded.
Result<store::Status> recover(store::Root&, store::TaskId, store::Status status);

/// Whether the folder is a copy by hard links (cp -al) of the one that a running task belongs to:
/// its lock and its socket are those of the task itself. Precondition: the lock is held. Costs
/// reading the spec only where the lock has more names than bgt gives it.
bool is_linked_copy(const store::TaskDir&, const store::Status&);

/// By what the members of its tree are known when they are not below its supervisor. Fails where
/// the task's folder can't be looked at: half the marks would find half the tree.
Result<os::TreeMarks> marks_of(const store::TaskDir&, const store::TaskSpec&, const store::Status&);

/// What lives of a task whose record can't be read. Precondition: its lock is held by the caller.
core::TreeState tree_without_record(const store::TaskDir&);

/// What the record says for core::recovery_for; lock and tree are for the caller to fill in.
core::TaskFacts facts_of(const store::Status&);

} // namespace bgt::supervise
