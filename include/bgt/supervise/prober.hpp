#pragma once
/// Asking a slow question again and again without holding up the loop that waits for tasks.
#include <bgt/base/fd.hpp>
#include <bgt/supervise/condition.hpp>
#include <csignal>
#include <sys/types.h>

namespace bgt::supervise {

/// A child process that asks whether an outside condition holds, every 20 ms at first and every 200 ms later. A
/// process, not a thread: looking at a task may fork a supervisor, which only a single-threaded program can do safely.
/// It dies with its parent; its destructor ends it together with the command that it may be running.
class Prober {
public:
    static Result<Prober> start(const Condition&);
    Prober(Prober&& other) noexcept;
    Prober& operator=(Prober&&) = delete;
    ~Prober();

    /// Becomes readable once there is an answer.
    int fd() const { return answer_.get(); }
    /// To be called when fd() is readable. True: it holds. Error: the child died (out of memory, killed by somebody).
    Result<bool> answer();

private:
    Prober(pid_t pid, Fd answer) : pid_(pid), answer_(std::move(answer)) {}

    pid_t pid_ = 0;
    Fd answer_;
};

/// While it lives, SIGINT, SIGTERM and SIGHUP do not end the program but make fd() readable, so that probers can be
/// ended first (man 2 signalfd).
class SignalGate {
public:
    static Result<SignalGate> create();
    SignalGate(SignalGate&& other) noexcept;
    SignalGate& operator=(SignalGate&&) = delete;
    /// Gives the signals their old effect back. One that came ends the program now.
    ~SignalGate();

    int fd() const { return fd_.get(); }

private:
    SignalGate(Fd fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}

    Fd fd_;
    sigset_t before_;
};

} // namespace bgt::supervise
