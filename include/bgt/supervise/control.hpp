#pragma once
/// What a verb asks of the supervisor of a running task, over ctl.sock.
#include <bgt/core/task.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <optional>

namespace bgt::supervise {

struct StopOptions {
    core::Reason reason = core::Reason::killed;
    bool now = false;           ///< SIGKILL at once
    bool no_escalation = false; ///< a stop that has begun already keeps its pace
    std::optional<std::vector<core::StopStep>> ladder; ///< replaces the task's
    Duration timeout = std::chrono::seconds(5);        ///< of the answer
};

/// Whether it is stopped (SIGSTOP), so that it answers nobody.
bool is_stopped(const ProcessKey& supervisor);
/// What to say of it, and to do about it.
std::string stopped_text(store::TaskId, const ProcessKey& supervisor);
/// The same without the task: "its supervisor (pid 71) is stopped and answers nobody: ...".
std::string stopped_words(const ProcessKey& supervisor);

/// Each asks and waits up to 5 s (StopOptions::timeout) for the answer that it has been taken on
/// (not for its effect).
/// They see to it first that a running task has a supervisor. Error: no such task; failed: it is
/// ended (says how it ended), or the supervisor does not answer, with its pid; if it is stopped,
/// that is said at once.
Result<void> request_stop(store::Root&, store::TaskId, const StopOptions&);
/// Sends one signal to the main process, or to every process of the tree; returns how many got it.
Result<std::uint32_t> request_signal(store::Root&, store::TaskId, int signal, bool whole_tree);
/// Asks it for start_beside() (independent.hpp), once: nobody is asked again who may have done it.
Result<void> request_start_beside(store::Root&, store::TaskId, std::vector<int> descriptors);
Result<void> request_pause(store::Root&, store::TaskId);
/// `--watch`: its changes are kept until request_resume().
Result<void> request_watch_pause(store::Root&, store::TaskId);
Result<void> request_resume(store::Root&, store::TaskId);
/// Closes the supervisor's own end of the task's stdin: with no other writer it reads end-of-file.
Result<void> request_stdin_eof(store::Root&, store::TaskId);

/// Ends the attempt as request_stop does and starts the command again, in the same task. Error
/// also: the supervisor took over from another one, so that it does not have the command's
/// environment.
Result<void> request_restart(store::Root&, store::TaskId, const StopOptions&);
/// Has the supervisor look at the tree's signs of life now; the record then says what it found
/// (activity, notices, progress). Waits for the answer no longer than `timeout`.
Result<void> request_look(store::Root&, store::TaskId, Duration timeout);
/// Tells that a condition of its readiness was looked at and holds no longer: the record is then
/// not ready, until all hold again.
Result<void> request_ready_lost(store::Root&, store::TaskId, const std::string& condition);
/// Has it write a hang report now; returns its number (store/report.hpp). Takes up to two seconds.
Result<std::uint32_t> request_report(store::Root&, store::TaskId);

/// Asks for a report without waiting for it, so that many supervisors can make theirs at the same
/// time.
class ReportAhead {
public:
    /// Error: nobody listens now; request_report() sees to it that somebody does.
    static Result<ReportAhead> ask(store::Root&, store::TaskId);
    /// Its number.
    Result<std::uint32_t> number();

private:
    ReportAhead(os::Question question, Fd supervisor)
        : question_(std::move(question)), supervisor_(std::move(supervisor))
    {}

    os::Question question_;
    Fd supervisor_; ///< a pidfd
};

/// Sleeps until `done` says yes of the task's record, the task vanished (`--rm`: the last record
/// seen is returned), or the deadline passed (nullopt). A supervisor that dies meanwhile is
/// replaced. Wakes by the end of the supervisor (pidfd), and looks ten times a second. Error
/// (ECANCELED): `cancel_fd` became readable.
Result<std::optional<store::Status>> await_status(
    store::Root&, store::TaskId, std::optional<Instant> deadline,
    const std::function<bool(const store::Status&)>& done, int cancel_fd = -1);
/// The same until the task is over (is_over).
Result<std::optional<store::Status>> await_end(store::Root&, store::TaskId,
                                               std::optional<Instant> deadline);

} // namespace bgt::supervise
