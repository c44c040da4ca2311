#include <bgt/ops/attach.hpp>

#include "log_stream.hpp"

#include <bgt/ops/task_monitor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>
#include <fcntl.h>
#include <tuple>

namespace bgt::ops {
namespace {

constexpr auto start_poll =
    std::chrono::milliseconds(20); ///< while the task has no process that could be watched
/// Giving up a watch of a log costs some ten milliseconds in the kernel, several times what a short
/// task takes. So the logs are looked at first, and watched when the task has lasted a while.
constexpr auto unwatched_for = std::chrono::milliseconds(200);
constexpr auto look_interval = std::chrono::milliseconds(5);
constexpr auto supervisor_interval = std::chrono::seconds(5);

/// For a supervisor whose task has ended: under a PID 1 that reaps nobody it would stay a zombie.
constexpr Duration reap_timeout = std::chrono::seconds(1);

/// All that is at hand while bgt stays with a task.
class Stay {
public:
    Stay(store::Root& root, TaskMonitor task, os::Watch& watch, const AttachRequest& request,
         Cancel cancel)
        : root_(root), task_(std::move(task)), watch_(watch), request_(request), cancel_(cancel)
    {}

    void open_streams();
    Result<store::Status> until_end();

private:
    void watch_streams();
    void note(const std::string& text) const
    {
        if (request_.note) request_.note(text);
    }
    void pump(LogStream& stream, std::uint64_t freed);
    void look_at_supervisor();

    store::Root& root_;
    TaskMonitor task_;
    os::Watch& watch_;
    const AttachRequest& request_;
    Cancel cancel_;
    LogStream out_, err_;
    Instant next_supervisor_ = os::now() + supervisor_interval; ///< of a look whether it is stopped
    bool noted_ = false;                                        ///< that it is
};

void Stay::open_streams()
{
    for (const auto& [name, stream, fd] :
         {std::tuple{store::file::out_log, &out_, request_.out_fd},
          std::tuple{store::file::err_log, &err_, request_.err_fd}}) {
        if (fd < 0) continue;
        auto log = task_.dir().open(name, O_RDONLY);
        if (log) *stream = LogStream(*std::move(log), fd); // err.log is only there with --split
    }
}

void Stay::watch_streams()
{
    for (const LogStream* stream : {&out_, &err_})
        if (*stream) (void)watch_.add_file("/proc/self/fd/" + std::to_string(stream->log_fd()));
}

void Stay::pump(LogStream& stream, std::uint64_t freed)
{
    if (!stream) return;
    const auto skipped = stream.pump(freed, request_.wake_fd, request_.on_wake);
    if (!skipped) note(skipped.error().message);
    else if (*skipped > 0)
        note(std::to_string(*skipped) +
             " bytes of output were freed (--log-max) before they were read");
}

/// One that is stopped tells nobody of the end of its task.
void Stay::look_at_supervisor()
{
    next_supervisor_ = os::now() + supervisor_interval;
    const ProcessKey supervisor = task_.status().supervisor;
    noted_ = supervise::is_stopped(supervisor);
    if (noted_) note(task_.label() + ": " + supervise::stopped_words(supervisor));
}

Result<store::Status> Stay::until_end()
{
    for (const int fd : {request_.wake_fd, cancel_.fd})
        if (fd >= 0) watch_.add_fd(fd);
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
        if (request_.note && !noted_) {
            if (os::now() >= next_supervisor_) look_at_supervisor();
            deadline = std::min(deadline.value_or(next_supervisor_), next_supervisor_);
        }
        auto wake = watch_.wait(deadline);
        if (!wake) return wake.error();
        const auto readable = [&](int fd) {
            return std::ranges::find(wake->fds, fd) != wake->fds.end();
        };
        if (readable(cancel_.fd)) return cancelled();
        if (readable(request_.wake_fd)) request_.on_wake();
        task_.update(root_, watch_, *wake);
    }
}

} // namespace

Result<store::Status> attach(store::Root& root, store::TaskId id, const AttachRequest& request,
                             Cancel cancel)
{
    auto watch = os::Watch::create();
    if (!watch) return watch.error();
    auto task = TaskMonitor::open(root, id);
    if (!task) return task.error();
    Result<store::Status> ended = Error::failed("");
    {
        Stay stay(root, *std::move(task), *watch, request, cancel);
        stay.open_streams();
        ended = stay.until_end();
    }
    // Of a caller that started the task. One that goes on for kept leftovers is not waited for.
    if (ended)
        os::reap_until(ended->supervisor.pid,
                       os::now() + (ended->tree_lives ? Duration::zero() : reap_timeout));
    return ended;
}

} // namespace bgt::ops
