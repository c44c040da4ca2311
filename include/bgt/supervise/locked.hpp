#pragma once
/// What the lock of a task tells: the supervisor holds it for its life.
#include <bgt/base/time.hpp>
#include <bgt/store/task_dir.hpp>

namespace bgt::supervise {

/// A clear yes: what can't be asked does not count as locked.
bool is_locked(const store::TaskDir&);
/// A clear no.
bool is_unlocked(const store::TaskDir&);

/// Waits until nobody holds the lock, at most so long; whether it came to that. Where the
/// supervisor has died, it may still be held for a moment by a process that it had forked: that one
/// closes its copies when it first runs.
bool becomes_unlocked(const store::TaskDir&, Duration most);

} // namespace bgt::supervise
