#pragma once
/// What becomes of a task whose record says that it is not over while nobody holds its lock.
#include <bgt/os/tree.hpp>
#include <bgt/store/root.hpp>

namespace bgt::supervise {

/// Makes the record true again: a living tree gets a new supervisor, a dead one is recorded as lost (or with the end of
/// its main process, where the dead supervisor had seen it). Returns the record as it is then. Several at once settle
/// it once. `status` is what was read before. Where the state root can't be written the truth is returned, not recorded.
Result<store::Status> recover(store::Root&, store::TaskId, store::Status status);

/// By what the members of its tree are known when they are not below its supervisor.
os::TreeMarks marks_of(const store::TaskDir&, const store::TaskSpec&, const store::Status&);

/// Whether a record is to be trusted without a look at the lock.
inline bool is_final(const store::Status& status)
{
    return status.lifecycle == core::Lifecycle::ended && !status.tree_lives;
}

} // namespace bgt::supervise
