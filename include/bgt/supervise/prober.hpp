#pragma once
/// Asking a slow question again and again without holding up the loop that waits for tasks.
#include <bgt/base/fd.hpp>
#include <bgt/core/condition.hpp>
#include <functional>
#include <sys/types.h>

namespace bgt::supervise {

/// A child process that asks the question of a probe until the condition holds, every 20 ms at
/// first and every 200 ms later. A process, not a thread: looking at a task may fork a supervisor,
/// which only a single-threaded program can do safely. It dies with its parent; its destructor ends
/// it together with the command that it may be running.
class Prober {
public:
    /// Why a yes does not count; empty: it does. Asked in the child.
    using Objection = std::function<std::string(const core::Condition&)>;
    static Result<Prober> start(const core::Condition&, const Objection& = {});
    Prober(Prober&& other) noexcept;
    Prober& operator=(Prober&&) = delete;
    ~Prober();

    /// Becomes readable once there is an answer: a yes, or a no with another text than the one
    /// before.
    int fd() const { return answer_.get(); }
    /// To be called when fd() is readable. After a yes nothing follows. Error: the child died (out
    /// of memory, killed by somebody). Hazard: a no may be the answer to a question that was asked
    /// some time ago.
    Result<core::fact::Answered> answer();

private:
    Prober(pid_t pid, Fd answer) : pid_(pid), answer_(std::move(answer)) {}

    pid_t pid_ = 0;
    Fd answer_;
};

} // namespace bgt::supervise
