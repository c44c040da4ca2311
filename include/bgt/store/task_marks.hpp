#pragma once
/// What the processes of a task carry: by it they are known to be the task's, and the folder to be
/// theirs.
///
/// Both marks are hashes of the folder's device and inode with a secret that is in the status
/// record alone. So a copy of the folder makes other marks, which no process carries. Neither can a
/// record be made up for a living process whose marks somebody knows: for that he would have to
/// find the key to a given hash.
#include <bgt/store/status.hpp>
#include <bgt/store/task_dir.hpp>
#include <cstdint>
#include <string>

namespace bgt::store {

struct TaskMarks {
    std::string cookie;          ///< for the environment, 32 hex digits
    std::uint64_t mark_bits = 0; ///< for os::choose_mark; never 0
};

/// The marks that this folder makes of the secret. Error: the folder can't be looked at.
Result<TaskMarks> make_marks(const Secret&, const TaskDir&);

} // namespace bgt::store
