#pragma once
/// Who shuts a state root down: while the lock is held nothing is started there. It dies with its
/// holder.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <optional>

namespace bgt::store {

class ShutdownLock {
public:
    /// nullopt: somebody else holds it. Error: it can't be made.
    static Result<std::optional<ShutdownLock>> try_take(const Root&);
    ShutdownLock(ShutdownLock&&) = default;
    ShutdownLock& operator=(ShutdownLock&&) = default;
    /// Removes the file, so that a root that nobody shuts down costs a start next to nothing.
    ~ShutdownLock();

private:
    ShutdownLock(Fd folder, Fd file) : folder_(std::move(folder)), file_(std::move(file)) {}
    Fd folder_, file_;
};

/// Error: the root is being shut down, so nothing may be started. To be asked after the task is
/// marked active, or under the journal's lock: then either the one who shuts down sees the task, or
/// this sees the lock. One system call where nobody shuts down.
Result<void> check_not_shut_down(const Root&);

} // namespace bgt::store
