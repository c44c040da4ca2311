#include <bgt/supervise/control.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace bgt::supervise {
namespace {

/// A task that is still being made has no supervisor yet whose end could be watched.
constexpr auto without_supervisor = std::chrono::milliseconds(5);
/// What changes while the supervisor stays: survivors of SIGKILL are named. Not worth a watch of
/// the record, for the end of an inotify instance costs the kernel (and so the caller) some ten
/// milliseconds.
constexpr auto with_supervisor = std::chrono::milliseconds(100);

constexpr auto look_interval = std::chrono::seconds(1);

/// Watches the end of the task's supervisor, and of the one that takes its place.
class SupervisorWatch {
public:
    explicit SupervisorWatch(os::Watch& watch) : watch_(watch) {}
    ~SupervisorWatch() { drop(); }
    SupervisorWatch(const SupervisorWatch&) = delete;
    SupervisorWatch& operator=(const SupervisorWatch&) = delete;

    void follow(const ProcessKey& supervisor)
    {
        if (supervisor == key_ && fd_) return;
        drop();
        key_ = supervisor;
        std::optional<Fd> opened;
        if (supervisor.pid > 0) opened = os::open_pidfd(supervisor);
        if (!opened) return;
        fd_ = std::move(*opened);
        watch_.add_fd(fd_.get());
    }
    bool following() const { return static_cast<bool>(fd_); }

private:
    void drop()
    {
        if (fd_) watch_.remove_fd(fd_.get());
        fd_.reset();
    }
    os::Watch& watch_;
    ProcessKey key_;
    Fd fd_;
};

} // namespace

Result<std::optional<store::Status>> await_status(
    store::Root& root, store::TaskId id, std::optional<Instant> deadline,
    const std::function<bool(const store::Status&)>& done, int cancel_fd)
{
    using Found = std::optional<store::Status>;
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task) return task.error();
    const Result<Fd> record = task->open(
        store::file::status, O_RDONLY); // still there when the task removes itself (--rm)
    Result<os::Watch> watch = os::Watch::create();
    if (!watch) return watch.error();
    if (cancel_fd >= 0) watch->add_fd(cancel_fd);
    SupervisorWatch supervisor(*watch);
    Found last;
    bool settled = false;
    while (true) {
        Result<Snapshot> seen = recover_and_inspect(root, id, {});
        if (!seen && seen.error().kind == ErrorKind::not_found) {
            if (record)
                if (Result<store::Status> final = store::read_open_status(record->get()); final)
                    return Found{std::move(*final)};
            if (last) return last;
        }
        if (!seen) return seen.error();
        if (!seen->problem.empty()) return Error::failed(seen->problem);
        last = seen->status;
        if (done(*last)) return last;
        if (deadline && os::now() >= *deadline) return Found{};
        supervisor.follow(last->supervisor);
        if (!supervisor.following() && !settled) {
            settled = true; // it may have ended between the look and the watch: look again before
                            // sleeping
            continue;
        }
        settled = false;
        const Instant soon =
            os::now() + (supervisor.following() ? with_supervisor : without_supervisor);
        const auto wake = watch->wait(deadline ? std::min(*deadline, soon) : soon);
        if (!wake) return wake.error();
        if (std::ranges::find(wake->fds, cancel_fd) != wake->fds.end())
            return Error{ErrorKind::failed, "cancelled", ECANCELED};
    }
}

Result<void> StoppedLooks::look(store::TaskId id, const ProcessKey& supervisor)
{
    constexpr int max_looks = 5;
    in_a_row_ = is_stopped(supervisor) ? in_a_row_ + 1 : 0;
    if (in_a_row_ == max_looks) return Error::failed(stopped_text(id, supervisor));
    return {};
}

Result<store::Status> await_served(store::Root& root, store::TaskId id,
                                   const std::function<bool(const store::Status&)>& done,
                                   int cancel_fd)
{
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task) return task.error();
    const Result<Fd> record = task->open(store::file::status, O_RDONLY);
    StoppedLooks looks;
    while (true) {
        const auto seen = await_status(root, id, os::now() + look_interval, done, cancel_fd);
        if (!seen && seen.error().kind == ErrorKind::not_found && record)
            return store::read_open_status(record->get()); // it has removed itself
        if (!seen) return seen.error();
        if (*seen) return **seen;
        const Result<store::Status> now = store::read_status_at(root.fd(), id);
        BGT_TRY(looks.look(id, now ? now->supervisor : ProcessKey{}));
    }
}

Result<std::optional<store::Status>> await_end(store::Root& root, store::TaskId id,
                                               std::optional<Instant> deadline)
{
    return await_status(root, id, deadline, store::is_over);
}

} // namespace bgt::supervise
