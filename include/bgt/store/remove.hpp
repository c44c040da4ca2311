#pragma once
#include <bgt/base/process_key.hpp>
#include <bgt/store/root.hpp>

namespace bgt::store {

/// Root::remove_task of an ended task, by who holds its lock, `held`: the folder is closed once
/// nobody finds the task any more, as a file that is removed while it is open keeps its folder on
/// FUSE and NFS. What others have open there goes with a later pruning. The queues are told of its
/// end before (EndTeller), for which `boot` is that of now; where they can't be, nothing is
/// removed.
Result<void> remove_task(Root&, TaskId, TaskDir held, const BootId& boot);

/// Takes Root::publish_task() back: the folder has the name again under which it was made, and no
/// marker. The caller holds the task's lock, and its command was never executed.
Result<void> unpublish_task(Root&, TaskId);
/// Whether there is a folder for the task that is not published.
bool is_begun(const Root&, TaskId);

} // namespace bgt::store
