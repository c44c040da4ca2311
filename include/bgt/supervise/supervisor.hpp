#pragma once
/// The driver of one task: waits for the kernel, turns what happened into events of the core, performs its actions.
/// It decides nothing itself and never polls: it sleeps until a signal, output, a request, a pidfd or a timer wakes it.
#include <bgt/core/notify.hpp>
#include <bgt/core/step.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/os/log_pump.hpp>
#include <bgt/store/retention.hpp>
#include <bgt/store/root.hpp>
#include <bgt/supervise/observer.hpp>
#include <bgt/supervise/protocol.hpp>
#include <bgt/supervise/ready_watch.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>

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

/// What a supervisor answers for. Opened before the command starts, so that all that can fail has failed by then.
struct SupervisorResources {
    store::Root root;
    store::TaskDir task;                  ///< with its lock
    store::TaskSpec spec;
    Recorder recorder;
    os::LogPump out;
    std::optional<os::LogPump> err;       ///< --split
    os::ControlSocket control;
    Fd stdin_writer;                      ///< --stdin pipe: our own end, which keeps the command from end-of-file
    pid_t stdin_keeper = 0;               ///< the child that holds another, for when we are killed; 0: none, or not ours
    std::unique_ptr<EventSources> sources;
    store::Retention retention;
    std::vector<std::string> env;         ///< of the command, for further attempts; a supervisor that took over has none
    mode_t umask = 077;
};

/// The condition of readiness that is a message of the task itself (`--ready-notify`).
inline constexpr std::string_view notify_condition = "notify";

class Supervisor {
public:
    /// Of a task whose command has just been started.
    Supervisor(SupervisorResources, std::int32_t main_pid);
    /// Of a task whose supervisor died.
    struct Adopt {};
    Supervisor(SupervisorResources, Adopt, os::TreeMarks);

    /// Stays until nothing is left to answer for; the exit code of the process.
    int run();

private:
    using Stream = EventSources::Stream;
    Supervisor(SupervisorResources, bool adopted);

    // What wakes it (supervisor.cpp).
    void watch_signals();
    void watch_control();
    void watch_owner();
    void watch_readiness();
    void end_ready_watch();
    void never_ready(const std::string& why);
    void on_signals();
    void on_ready_answer();

    // Output (output.cpp).
    void watch_output(Stream&, os::LogPump&);
    void on_output(os::LogPump&);
    std::vector<os::LogPump*> pumps();
    os::LogPump::Moved take_output(os::LogPump&);
    void take_output_until(int descriptor, Instant end);
    void begin_stage(os::LogPump&);
    void end_stage(os::LogPump&);
    void end_stages_when_idle();
    void account(const os::LogPump::Moved&);
    void read_progress_soon();
    void close_stdin();

    void dispatch(core::Event);
    void look(std::deque<core::Event>&);
    void perform(const core::Action&, std::deque<core::Event>&);
    void save_state();
    void arm_timer();

    // Actions of the core (perform.cpp).
    void sweep(int signal, std::deque<core::Event>&);
    void kill_sweep(std::deque<core::Event>&);
    void pause();
    core::Liveness take_liveness();
    void drain();
    void end_attempt(const core::Outcome&);
    void start_again(std::deque<core::Event>&);
    void finish();
    void release();
    void note(const core::Note&);

    // Hangs (hang.cpp).
    std::optional<std::uint32_t> write_report(core::Reason rule);
    std::optional<std::uint32_t> await_report(pid_t writer, core::Reason rule);
    void run_hook(core::Reason rule);

    // Messages (answer.cpp, notification.cpp).
    Answer answer(const Request&);
    Answer answer_signal(const Request&);
    void sample_briefly();
    bool take_message(const os::Datagram&);
    bool take_notification(const os::Datagram&);
    bool put_notification(const core::Notification&);
    bool is_member(std::int32_t pid);
    bool put_progress(const core::Progress&);
    void check_ready();

    SupervisorResources resources_;
    boost::asio::io_context& io_;
    Stream &signals_, &out_, &err_, &control_;
    bool adopted_;
    Helpers helpers_;
    std::unique_ptr<Tree> tree_;
    std::function<std::vector<os::ProcStat>()> members_elsewhere_; ///< of the tree, when asked in another process
    core::State state_;
    Observer observer_;
    Stream owner_, ready_;
    boost::asio::steady_timer timer_, owner_timer_, progress_timer_, stage_timer_, control_timer_;
    std::optional<Instant> armed_;
    std::optional<ReadyWatch> ready_watch_;
    std::pair<std::uint64_t, std::uint64_t> attempt_from_{}; ///< where the output of this attempt begins, out and err
    bool conditions_hold_ = false;            ///< those of readiness that are watched
    bool notified_ready_ = false;             ///< READY=1 came
    bool progress_is_due_ = false;            ///< progress_timer_ runs
    std::int64_t refused_messages_ = 0;       ///< notifications that did not come from the tree
    std::int64_t bad_messages_ = 0;           ///< that could not be read whole
    std::pair<std::int32_t, Instant> last_sender_{}; ///< known to be a member, so that a flood is not looked up each time
    std::optional<std::uint32_t> last_report_;
    std::set<store::ProcessKey> hit_by_kill_; ///< distinct processes that SIGKILL was sent to
    std::vector<std::int32_t> still_there_;   ///< pids that the last SIGKILL was sent to
};

} // namespace bgt::supervise
