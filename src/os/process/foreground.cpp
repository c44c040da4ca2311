#include <bgt/os/foreground.hpp>

#include "no_process.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/held_signals.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr auto max_grace = std::chrono::hours(24 * 365);
constexpr int owner_poll_ms = 1000; ///< where there is no pidfd
/// After SIGCONT to a whole group its members go on one by one.
constexpr auto stop_settles = std::chrono::milliseconds(50);

/// Without what is ignored, which stays so: while it is blocked the kernel would queue it.
sigset_t signals_of_command()
{
    sigset_t set = signal_set({SIGCHLD, SIGCONT}); // SIGCONT has its effect all the same
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
        struct sigaction now {};
        if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, signal);
    }
    return set;
}

std::vector<char*> pointers(const std::vector<std::string>& words)
{
    std::vector<char*> out;
    for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

/// The processes whose end is awaited.
class Owners {
public:
    explicit Owners(const std::vector<ProcessKey>& keys) : keys_(keys)
    {
        for (const ProcessKey& key : keys_)
            if (auto fd = open_pidfd(key)) pidfds_.push_back(*std::move(fd));
    }
    void add_to(std::vector<pollfd>& fds) const
    {
        for (const Fd& fd : pidfds_) fds.push_back({fd.get(), POLLIN, 0});
    }
    bool need_poll() const { return pidfds_.size() < keys_.size(); }
    bool one_has_ended() const
    {
        return std::ranges::any_of(keys_, [](const ProcessKey& key) { return !is_alive(key); });
    }

private:
    const std::vector<ProcessKey>& keys_;
    std::vector<Fd> pidfds_;
};

} // namespace

Foreground::Foreground()
{
    // An ignored SIGCHLD would take the command's end away from us.
    struct sigaction defaults {};
    defaults.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &defaults, &child_before_);
    const sigset_t set = signals_of_command();
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    signals_ = signal_descriptor(set);
}

Foreground::~Foreground()
{
    if (signals_) pass_on_signals(); // the command has ended: they would end this process instead
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void Foreground::run_child(const std::vector<std::string>& argv,
                           const std::vector<std::string>& env, int report, pid_t parent)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(125); // it died before it could be told
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    struct sigaction defaults {};
    defaults.sa_handler = SIG_DFL;
    ::sigaction(SIGXFSZ, &defaults, nullptr); // which bgt ignores for itself
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    ::execvpe(argv.front().c_str(), pointers(argv).data(), pointers(env).data());
    const int err = errno;
    [[maybe_unused]] const ssize_t told = ::write(report, &err, sizeof err);
    ::_exit(127);
}

Result<void> Foreground::start(const std::vector<std::string>& argv,
                               const std::vector<std::string>& env)
{
    if (!signals_) return Error::system("the signals of the command can't be read", errno);
    Result<Pipe> pipe = make_pipe("a pipe to the command");
    if (!pipe) return pipe.error();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return no_process_error("no process could be made (fork)", errno);
    if (pid == 0) run_child(argv, env, pipe->writer.get(), parent);
    pipe->writer.reset();
    int err = 0;
    const auto got = retry_on_eintr([&] { return ::read(pipe->reader.get(), &err, sizeof err); });
    if (got != static_cast<ssize_t>(sizeof err)) {
        child_ = pid;
        return {};
    }
    os::reap(pid);
    Error error = Error::system(printable(argv.front()), err);
    error.kind = err == ENOENT || err == ENOTDIR ? ErrorKind::no_command : ErrorKind::cannot_exec;
    return error;
}

void Foreground::pass_on_signals()
{
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGCHLD) continue;
        // What the kernel sends for the terminal goes to the whole process group.
        if (info.ssi_code > 0) from_terminal_ = signal;
        else if (child_ > 0) ::kill(child_, signal);
    }
}

/// From here on a signal is meant for this process.
void Foreground::forget_child()
{
    child_ = -1;
    pass_on_signals(); // the one that the command died of, say
    sigset_t set = signals_of_command();
    sigdelset(&set, SIGCHLD);
    sigdelset(&set, SIGCONT);
    ::signalfd(signals_.get(), &set, 0);
}

/// nullopt: it goes on.
std::optional<ForegroundEnd> Foreground::look_at_child()
{
    int status = 0;
    const pid_t got =
        retry_on_eintr([&] { return ::waitpid(child_, &status, WNOHANG | WUNTRACED); });
    if (got == 0) return std::nullopt;
    if (got < 0) return ForegroundEnd{true, 125, false}; // somebody else has taken it
    if (WIFSTOPPED(status)) {
        stop_with_child();
        return std::nullopt;
    }
    if (WIFEXITED(status)) return ForegroundEnd{true, WEXITSTATUS(status), false};
    return ForegroundEnd{false, WTERMSIG(status), WTERMSIG(status) == from_terminal_};
}

/// Whoever waits for this process sees it stopped, and has both go on.
void Foreground::stop_with_child() const
{
    pause_for(stop_settles);
    const auto stat = read_stat(child_);
    if (!stat || stat->state != 'T') return; // both go on already
    ::raise(SIGSTOP);
    ::kill(child_, SIGCONT);
}

ForegroundEnd Foreground::await(const std::vector<ProcessKey>& keys, Duration grace)
{
    const Owners owners(keys);
    std::optional<Instant> kill_at;
    bool killed = false;
    while (true) {
        pass_on_signals();
        if (const auto ended = look_at_child()) {
            forget_child();
            return *ended;
        }
        if (!kill_at && owners.one_has_ended()) {
            ::kill(child_, SIGTERM);
            ::kill(child_, SIGCONT);
            kill_at = now() + std::min<Duration>(grace, max_grace);
        }
        if (kill_at && !killed && now() >= *kill_at) {
            ::kill(child_, SIGKILL);
            killed = true;
        }
        std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}};
        int timeout = -1;
        if (!kill_at) {
            owners.add_to(fds);
            if (owners.need_poll()) timeout = owner_poll_ms;
        } else if (!killed) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at - now());
            timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
        }
        ::poll(fds.data(), fds.size(), timeout);
    }
}

} // namespace bgt::os
