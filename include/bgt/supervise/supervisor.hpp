#pragma once
/// The driver of one task: waits for the kernel, turns what happened into events of the core, performs its actions.
/// It decides nothing itself and never polls: it sleeps until a signal, output, a request, a pidfd or a timer wakes it.
#include <bgt/core/step.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/os/log_pump.hpp>
#include <bgt/store/retention.hpp>
#include <bgt/store/root.hpp>
#include <bgt/supervise/protocol.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <set>

namespace bgt::supervise {

/// What a supervisor answers for. Opened before the command starts, so that all that can fail has failed by then.
struct Charge {
    store::Root root;
    store::TaskDir task;                  ///< with its lock
    store::TaskSpec spec;
    Recorder recorder;
    os::LogPump out;
    std::optional<os::LogPump> err;       ///< --split
    os::ControlSocket control;
    Fd stdin_writer;                      ///< --stdin pipe: our own end, which keeps the command from end-of-file
    store::Retention retention;
};

class Supervisor {
public:
    /// Of a task whose command has just been started.
    Supervisor(Charge, std::int32_t root_pid);
    /// Of a task whose supervisor died.
    struct Adopt {};
    Supervisor(Charge, Adopt, os::TreeMarks);

    /// Stays until nothing is left to answer for; the exit code of the process.
    int run();

private:
    using Stream = boost::asio::posix::stream_descriptor;

    void watch_signals();
    void watch_output(Stream&, os::LogPump&);
    void watch_control();
    void watch_owner();
    void on_signals();
    void on_output(os::LogPump&);
    void account(const os::LogPump::Moved&);

    void dispatch(core::Event);
    void look(std::deque<core::Event>&);
    void perform(const core::Action&, std::deque<core::Event>&);
    void sweep(int signal, std::deque<core::Event>&);
    void kill_sweep(std::deque<core::Event>&);
    void pause();
    void drain();
    void finish();
    void release();
    void note(const core::Note&);
    void arm_timer();

    Answer answer(const Request&);
    Answer answer_signal(const Request&);

    boost::asio::io_context io_{1};
    Charge charge_;
    bool adopted_;
    std::unique_ptr<Tree> tree_;
    core::State state_;
    Stream signals_, out_, err_, control_, owner_;
    boost::asio::steady_timer timer_, owner_timer_;
    std::optional<Instant> armed_;
    std::set<store::ProcessKey> hit_by_kill_; ///< distinct processes that SIGKILL was sent to
    std::vector<std::int32_t> still_there_;   ///< pids that the last SIGKILL was sent to
};

} // namespace bgt::supervise
