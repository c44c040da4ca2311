#pragma once
#include <bgt/store/root.hpp>

namespace bgt::store {

/// Root::remove_task by who holds the task's lock, `held`: the folder is closed once nobody finds
/// the task any more, as a file that is removed while it is open keeps its folder on FUSE and NFS.
/// What others have open there goes with a later pruning.
Result<void> remove_task(Root&, TaskId, TaskDir held);

} // namespace bgt::store
