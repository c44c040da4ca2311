#pragma once
/// The process that runs one task. It waits for the kernel, and passes what happened to the driver
/// (core::step at work) and its collaborators. It never polls: it sleeps until a signal, output, a
/// request, a pidfd or a timer wakes it.
#include "change_watch.hpp"
#include "driver.hpp"
#include "hang_reports.hpp"
#include "notifications.hpp"
#include "output.hpp"
#include "requests.hpp"
#include "system_clock.hpp"
#include <bgt/os/control_socket.hpp>
#include <bgt/os/oom_counter.hpp>
#include <bgt/store/retention.hpp>
#include <bgt/store/root.hpp>
#include <bgt/supervise/owner_watch.hpp>
#include <bgt/supervise/readiness.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

namespace bgt::supervise {

/// What wakes a supervisor.
struct EventSources {
    using Stream = boost::asio::posix::stream_descriptor;
    EventSources() = default;
    ~EventSources();
    EventSources(const EventSources&) = delete;
    EventSources& operator=(const EventSources&) = delete;

    boost::asio::io_context io{1};
    Stream signals{io};
    Stream out{io}, err{io}, control{io}; ///< of descriptors that belong to others
};

/// What a supervisor works with. Opened before the command starts, so that all that can fail has
/// failed by then.
struct SupervisorResources {
    store::Root root;
    store::TaskDir task; ///< with its lock
    store::TaskSpec spec;
    Recorder recorder;
    LogPump out;
    std::optional<LogPump> err; ///< --split
    os::ControlSocket control;
    Fd stdin_writer; ///< --stdin pipe: our own end, which keeps the command from end-of-file
    pid_t stdin_keeper =
        0; ///< the child that holds another, for when we are killed; 0: none, or not ours
    std::unique_ptr<EventSources> sources;
    store::Retention retention;
    std::vector<std::string> env; ///< of the command, for further attempts; empty: it is not known
    Fd caller_stdin;              ///< StdinFrom::caller, until the command has it
    std::unique_ptr<WatchedTree> watched; ///< --watch; null: without, or it could not be begun
};

/// The folder of a task that is removed at its end (`--rm`).
struct Removal {
    store::Root root;
    store::TaskId id;
};
/// To be called once the supervisor has closed all that it had open: on FUSE and NFS a file that is
/// removed while it is open keeps its folder.
void remove_folder(std::optional<Removal>);

class Supervisor final : private EventSink,
                         private Spawner,
                         private AttemptHooks,
                         private NotificationTarget,
                         private RequestTarget {
public:
    /// Of a task whose command has just been started.
    Supervisor(SupervisorResources, std::int32_t main_pid);
    /// Of a task whose supervisor died.
    struct Adopt {};
    Supervisor(SupervisorResources, Adopt, os::TreeMarks);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Stays until nothing is left to supervise. What is to be removed after the end of this
    /// object.
    std::optional<Removal> run();

private:
    using Stream = EventSources::Stream;
    Supervisor(SupervisorResources, std::int32_t main_pid, std::optional<os::TreeMarks>);
    bool is_adopted() const { return adopted_.has_value(); }
    bool can_start() const { return !resources_.env.empty(); }
    std::unique_ptr<Tree> tree_of(std::int32_t main_pid);
    core::State first_state();
    std::vector<os::ProcStat> members_elsewhere(std::int32_t supervisor) const;

    void begin_pruning();
    void reap_helpers();
    void start_end_hooks();
    void look_at_alerts();
    void await_hooks();
    void watch_signals();
    void on_signals();
    void watch_control();
    bool take_message(const os::Datagram&);
    void watch_readiness();
    void watch_files();

    void dispatch(core::Event event) override { driver_.dispatch(std::move(event)); }
    const core::State& state() const override { return driver_.state(); }
    Result<ProcessKey> spawn(std::uint32_t attempt) override;
    void attempt_started() override;
    void attempt_ended() override;
    void tell_of_kernel(std::vector<store::EventField>&) override;
    void task_ends() override;
    void task_ended() override;
    void release() override;
    void heartbeat() override;
    void announced_ready() override { readiness_.announce(); }
    void close_stdin() override;
    void watch_readiness_again() override;
    std::string pause_watch() override;
    void resume_watch() override;
    void pass(Duration) override;

    SupervisorResources resources_;
    boost::asio::io_context& io_;
    Helpers helpers_;
    std::optional<os::TreeMarks> adopted_; ///< of the tree that was taken over
    std::unique_ptr<Tree> tree_;
    Observer observer_;
    SystemClock clock_;
    Output output_;
    HangReports reports_;
    Readiness readiness_;
    Notifications notifications_;
    Requests requests_;
    OwnerWatch owner_;
    boost::asio::steady_timer control_timer_;
    std::optional<ChangeWatch> changes_; ///< --watch
    std::optional<os::OomCounter> oom_;  ///< since the attempt began; nullopt: not known
    Driver driver_;
    std::optional<std::vector<std::int32_t>> end_hooks_; ///< once they were started
    std::int32_t alert_helper_ = 0;                      ///< outlives this process
    bool removes_folder_ = false; ///< the task has ended, and nobody wants its folder
};

} // namespace bgt::supervise
