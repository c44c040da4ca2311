#include <bgt/supervise/prober.hpp>

#include "ready_watcher.hpp"

#include <bgt/os/background.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr Duration first_interval = std::chrono::milliseconds(20);
constexpr Duration last_interval = std::chrono::milliseconds(200);
/// A dev server may take long for its first answer; a question that is given up is asked from the start again.
constexpr Duration check_timeout = std::chrono::seconds(30);
/// One that does not answer for so long counts as gone.
constexpr Duration gone_timeout = std::chrono::seconds(5);

sigset_t ending_signals()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    return set;
}

int ask_until_it_holds(const Condition& condition, int answer)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1); // whom its commands leave behind is found below it, and ended with it
    Duration interval = first_interval;
    while (true) {
        if (holds(condition, condition.gone ? gone_timeout : check_timeout)) {
            const char yes = 1;
            while (write(answer, &yes, 1) < 0 && errno == EINTR) {}
            return 0;
        }
        std::this_thread::sleep_for(interval);
        interval = std::min(interval * 5 / 4, last_interval);
    }
}

} // namespace

Result<Prober> Prober::start(const Condition& condition)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
    Fd read_end(ends[0]), write_end(ends[1]);
    // In a group of its own: Ctrl-C goes to the parent, which ends this one and its command in order.
    const Result<pid_t> pid = os::fork_helper({write_end.get()}, false, [&] { return ask_until_it_holds(condition, write_end.get()); });
    if (!pid) return pid.error();
    return Prober(*pid, std::move(read_end));
}

Prober::Prober(Prober&& other) noexcept : pid_(std::exchange(other.pid_, 0)), answer_(std::move(other.answer_)) {}

Prober::~Prober()
{
    if (pid_ <= 0) return;
    kill(pid_, SIGSTOP); // it starts nothing more while its command is looked for
    int status = 0;
    while (waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {}
    if (!WIFSTOPPED(status)) return; // it had ended, and is reaped
    end_descendants_of(pid_);        // until nobody is found: a shell may fork while it is being ended
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<bool> Prober::answer()
{
    char yes = 0;
    ssize_t got = 0;
    do got = read(answer_.get(), &yes, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) return Error::failed("the process that checks the condition died");
    return true;
}

Result<SignalGate> SignalGate::create()
{
    const sigset_t set = ending_signals();
    sigset_t before;
    if (sigprocmask(SIG_BLOCK, &set, &before) != 0) return Error::system("blocking signals", errno);
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) {
        const int error = errno;
        sigprocmask(SIG_SETMASK, &before, nullptr);
        return Error::system("making a signalfd", error);
    }
    return SignalGate(std::move(fd), before);
}

SignalGate::SignalGate(SignalGate&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_) {}

SignalGate::~SignalGate()
{
    if (fd_) sigprocmask(SIG_SETMASK, &before_, nullptr); // a signal that is pending comes now
}

} // namespace bgt::supervise
