#include <bgt/supervise/locked.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>

namespace bgt::supervise {

bool is_locked(const store::TaskDir& task)
{
    const Result<bool> locked = task.is_locked();
    return locked && *locked;
}

bool is_unlocked(const store::TaskDir& task)
{
    const Result<bool> locked = task.is_locked();
    return locked && !*locked;
}

bool becomes_unlocked(const store::TaskDir& task, Duration most)
{
    const Instant deadline = os::now() + most;
    while (!is_unlocked(task)) {
        if (os::now() >= deadline) return false;
        os::pause_for(std::chrono::milliseconds(1)); // nothing tells of a lock that is let go
    }
    return true;
}

} // namespace bgt::supervise
