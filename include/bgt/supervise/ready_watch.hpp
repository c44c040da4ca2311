#pragma once
/// When a task becomes ready, watched beside its supervisor, which so never waits for a slow answer
/// itself.
#include <bgt/base/fd.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/task_dir.hpp>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::supervise {

/// A child process that asks whether all conditions of readiness have come: output and answers as
/// they come, ports every 20 ms at first and every 200 ms later. A condition that came once stays
/// so. It holds no descriptor of its parent but the task's folder (not the lock), ends with its
/// parent, and takes the commands that it runs with it.
///
/// Hazards for a supervisor: while it lives it is a child (waitid does not say ECHILD), and it and
/// its descendants are found among those of the supervisor: both are no part of the task's tree.
/// See pid() and os::without_trees().
class ReadyWatch {
public:
    struct What {
        std::vector<std::string> conditions; ///< as `bgt wait --for` takes them, those with
                                             ///< can_make_ready(); all must come
        std::string cwd;                     ///< what a relative path in one begins at
        std::uint64_t out_from = 0; ///< where the output of this attempt begins in out.log,
        std::uint64_t err_from = 0; ///< and in err.log
        std::uint64_t freed_out = 0, freed_err = 0; ///< as in store::Status
        /// The living processes of the task, asked in the child for `port`. May hold the child and
        /// its descendants.
        std::function<std::vector<os::ProcStat>()> members;
    };
    /// Error (usage): a condition is none, or can't make a task ready, or there is none but guards
    /// (log-fail); failed: no process could be made. Hazard: the caller must be single-threaded.
    static Result<ReadyWatch> start(const store::TaskDir&, const What&);
    ReadyWatch(ReadyWatch&& other) noexcept;
    ReadyWatch& operator=(ReadyWatch&&) = delete;
    ~ReadyWatch() { stop(); }

    /// Readable once there is an answer.
    int fd() const { return answer_.get(); }
    /// 0 after stop().
    pid_t pid() const { return pid_; }

    struct Answer {
        enum class Kind : std::uint8_t {
            ready,     ///< all have come
            never,     ///< a line matched a log-fail
            failed,    ///< it could not be found out: the process died, the log can't be read
            told,      ///< nothing is decided yet: why a condition does not hold
            responded, ///< the same, and it is what somebody answered who was asked
        };
        Kind kind = Kind::failed;
        bool is_final() const { return kind != Kind::told && kind != Kind::responded; }
        std::string text; ///< what came last ("it listened on port 80"), or why not
    };
    /// To be called when fd() is readable. After a final one follows stop().
    Answer answer();

    /// Ends it, with all its descendants, and reaps it (unless somebody else has: reap_all). Takes
    /// milliseconds; of a process that does not end within a second (it waits in the kernel) only
    /// the signal is left, and reap_all gets it.
    void stop();

private:
    ReadyWatch(pid_t pid, os::Child child, Fd answer)
        : pid_(pid), child_(std::move(child)), answer_(std::move(answer))
    {}

    pid_t pid_ = 0;
    os::Child child_;
    Fd answer_;
};

} // namespace bgt::supervise
