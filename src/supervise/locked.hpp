#pragma once
#include <bgt/store/task_dir.hpp>

namespace bgt::supervise {

/// A clear yes: what can't be asked does not count as locked.
inline bool is_locked(const store::TaskDir& task)
{
    const Result<bool> locked = task.is_locked();
    return locked && *locked;
}

} // namespace bgt::supervise
