#include "attach.hpp"

#include "log_stream.hpp"

#include <bgt/ops/task_monitor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/snapshot.hpp>
#include <csignal>
#include <fcntl.h>
#include <tuple>
#include <sys/signalfd.h>
#include <unistd.h>

namespace bgt::cli {

HeldSignals::HeldSignals()
{
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
    fd_ = Fd(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
}

HeldSignals::~HeldSignals()
{
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool HeldSignals::take()
{
    signalfd_siginfo info = {};
    return ::read(fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

namespace {

constexpr auto start_poll = std::chrono::milliseconds(20); ///< while the task has no process that could be watched
/// Giving up a watch of a log costs some ten milliseconds in the kernel, several times what a short task takes. So the
/// logs are looked at first, and watched when the task has lasted a while.
constexpr auto unwatched_for = std::chrono::milliseconds(200);
constexpr auto look_interval = std::chrono::milliseconds(5);

/// All that is at hand while bgt stays with a task.
class Stay {
public:
    Stay(Context& context, store::Root& root, ops::TaskMonitor task, os::Watch& watch, HeldSignals& signals)
        : context_(context), root_(root), task_(std::move(task)), watch_(watch), signals_(signals)
    {
    }

    void open_streams();
    Result<store::Status> until_end();

private:
    void watch_streams();
    void pass_on_signals();
    void pump(LogStream& stream, std::uint64_t freed);

    Context& context_;
    store::Root& root_;
    ops::TaskMonitor task_;
    os::Watch& watch_;
    HeldSignals& signals_;
    LogStream out_, err_;
    int stops_ = 0;
};

void Stay::open_streams()
{
    for (const auto& [name, stream, fd] :
         {std::tuple{store::file::out_log, &out_, STDOUT_FILENO}, std::tuple{store::file::err_log, &err_, STDERR_FILENO}}) {
        auto log = task_.dir().open(name, O_RDONLY);
        if (log) *stream = LogStream(*std::move(log), fd); // err.log is only there with --split
    }
}

void Stay::watch_streams()
{
    for (const LogStream* stream : {&out_, &err_})
        if (*stream) (void)watch_.add_file("/proc/self/fd/" + std::to_string(stream->log_fd()));
}

/// The first one asks for a stop, any other for SIGKILL.
void Stay::pass_on_signals()
{
    while (signals_.take()) {
        const bool now = stops_++ > 0;
        context_.hint(now ? "bgt run: killing it" : "bgt run: stopping it (once more: kill it)");
        supervise::StopOptions stop;
        stop.now = now;
        if (auto asked = supervise::request_stop(root_, task_.id(), stop); !asked)
            context_.complain(asked.error().message);
    }
}

void Stay::pump(LogStream& stream, std::uint64_t freed)
{
    if (!stream) return;
    const auto skipped = stream.pump(freed, signals_.fd(), [this] { pass_on_signals(); });
    if (!skipped)
        context_.complain(skipped.error().message);
    else if (*skipped > 0)
        context_.complain(std::to_string(*skipped) + " bytes of output were freed (--log-max) before they were read");
}

Result<store::Status> Stay::until_end()
{
    watch_.add_fd(signals_.fd());
    if (auto watched = task_.watch(root_, watch_); !watched) return watched.error();
    const Instant unwatched_end = os::now() + unwatched_for;
    bool looking = out_ || err_;
    for (;;) {
        if (looking && os::now() >= unwatched_end) {
            watch_streams(); // before they are read: nothing is missed
            looking = false;
        }
        // The record was read before: what it calls ended has its whole output in the log.
        pump(out_, task_.status().freed_bytes);
        pump(err_, task_.status().freed_err_bytes);
        if (!task_.problem().empty()) return Error::failed(task_.problem());
        if (task_.over()) return task_.status();
        std::optional<Instant> deadline;
        if (task_.needs_poll()) deadline = os::now() + start_poll;
        if (looking) deadline = os::now() + look_interval;
        auto wake = watch_.wait(deadline);
        if (!wake) return wake.error();
        pass_on_signals();
        task_.update(root_, watch_, *wake);
    }
}

} // namespace

Result<store::Status> stay_until_end(Context& context, store::Root& root, store::TaskId id, HeldSignals& signals,
                                     const AttachOptions& options)
{
    std::signal(SIGPIPE, SIG_IGN); // a closed stdout is seen as EPIPE
    auto watch = os::Watch::create();
    if (!watch) return watch.error();
    auto task = ops::TaskMonitor::open(root, id);
    if (!task) return task.error();
    Stay stay(context, root, *std::move(task), *watch, signals);
    if (options.stream) stay.open_streams();
    return stay.until_end();
}

} // namespace bgt::cli
