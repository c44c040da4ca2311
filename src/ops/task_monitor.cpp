#include <bgt/ops/task_monitor.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/descriptors.hpp>
#include <bgt/os/proc.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::ops {

Result<TaskMonitor> TaskMonitor::open(store::Root& root, store::TaskId id)
{
    TaskMonitor task;
    task.id_ = id;
    // Opened before the look: should it end and vanish meanwhile, the last record is still at hand.
    Result<store::TaskDir> dir = root.open_task(id);
    Result<Fd> status =
        dir ? dir->open(store::file::status, O_RDONLY | O_NONBLOCK) : Result<Fd>(dir.error());
    if (!status &&
        (status.error().kind == ErrorKind::not_found || status.error().sys_errno == ENOENT))
        return open_waiting(root, id, dir ? *std::move(dir) : store::TaskDir{});
    if (!dir) return dir.error();
    task.dir_ = std::move(*dir);
    task.path_ = task.dir_.path();
    if (status) task.status_fd_ = std::move(*status);

    Result<supervise::Snapshot> seen = supervise::recover_and_inspect(root, id, {});
    if (seen) {
        task.problem_ = seen->problem;
        task.status_ = std::move(seen->status);
        if (!status && task.problem_.empty()) return status.error();
        return task;
    }
    if (seen.error().kind != ErrorKind::not_found || !status) return seen.error();
    task.refresh();
    task.gone_ = true;
    return task;
}

/// One without a record: it waits in a queue, or has just left it.
Result<TaskMonitor> TaskMonitor::open_waiting(store::Root& root, store::TaskId id,
                                              store::TaskDir dir)
{
    TaskMonitor task;
    task.id_ = id;
    Result<supervise::Snapshot> seen = supervise::recover_and_inspect(root, id, {});
    if (!seen) {
        Result<store::Status> last = root.removed_status(id);
        if (!last) return seen.error();
        task.status_ = std::move(*last);
        task.gone_ = true;
        return task;
    }
    task.status_ = std::move(seen->status);
    task.problem_ = std::move(seen->problem);
    task.waits_ = !task.over();
    task.path_ = std::move(seen->folder);
    if (!task.waits_) task.dir_ = std::move(dir);
    return task;
}

std::string TaskMonitor::label() const
{
    return status_.name.empty() ? to_string(id_) : to_string(id_) + " " + short_label();
}

std::string TaskMonitor::short_label() const
{
    return status_.name.empty() ? to_string(id_) : printable(status_.name);
}

void TaskMonitor::refresh()
{
    if (waits_) return; // it has no record yet
    std::array<std::byte, store::status_file_size> bytes;
    const ssize_t got = pread(status_fd_.get(), bytes.data(), bytes.size(), 0);
    unread_ = true; // the last good record stands until the next look, which comes soon
    if (got <= 0) return;
    Result<store::DecodedStatus> read =
        store::decode_status(std::span(bytes).first(static_cast<std::size_t>(got)));
    if (!read) return;
    status_ = std::move(read->status);
    unread_ = false;
}

Result<void> TaskMonitor::watch(store::Root& root, os::Watch& watch, Until until)
{
    if (over()) return {};
    watched_ = true;
    until_ = until;
    if (waits_) {
        // The folder of all tasks is made with the first of them.
        Result<int> token = watch.add_folder(root.path() + "/tasks");
        if (!token) token = watch.add_folder(root.path());
        if (!token) return token.error();
        token_ = *token;
        arrive(root, watch);
        return {};
    }
    watch_supervisor(watch);
    if (!pidfd_ || until == Until::change || outlived_by_supervisor(root)) {
        // Through the descriptor, which leads to the record even when the folder was moved.
        Result<int> token = watch.add_file("/proc/self/fd/" + std::to_string(status_fd_.get()));
        if (!token) return token.error();
        token_ = *token;
    }
    refresh();
    if (!over() && needs_poll()) watch_again(root, watch);
    return {};
}

bool TaskMonitor::arrive(store::Root& root, os::Watch& watch)
{
    Result<store::TaskDir> dir = root.open_task(id_);
    if (!dir) return has_gone(root, watch);
    Result<Fd> status = dir->open(store::file::status, O_RDONLY | O_NONBLOCK);
    arrives_ = !status; // the record comes a moment after the folder
    if (!status) return false;
    unwatch(watch);
    waits_ = false;
    path_ = dir->path();
    dir_ = std::move(*dir);
    status_fd_ = std::move(*status);
    static_cast<void>(this->watch(root, watch, until_));
    return true;
}

/// It was removed before its folder was seen.
bool TaskMonitor::has_gone(store::Root& root, os::Watch& watch)
{
    Result<store::Status> last = root.removed_status(id_);
    if (!last) return false;
    unwatch(watch);
    waits_ = false;
    status_ = std::move(*last);
    gone_ = true;
    return true;
}

/// A supervisor ends with its task, but for one that goes on for kept leftovers or hooks. Its end
/// is the better thing to wait for: giving up a watch of the record costs some ten milliseconds in
/// the kernel.
bool TaskMonitor::outlived_by_supervisor(const store::Root& root) const
{
    const Result<store::TaskDir> dir = root.open_task(id_);
    if (!dir) return false;
    const Result<store::TaskSpec> spec = store::read_spec(dir->fd());
    return !spec || spec->policy.leftover == core::Leftover::keep || spec->afterwards.follows() ||
           !spec->hang_command.empty();
}

void TaskMonitor::unwatch(os::Watch& watch)
{
    drop_supervisor(watch);
    if (token_) watch.remove(*token_);
    token_.reset();
    watched_ = false;
}

bool TaskMonitor::update(store::Root& root, os::Watch& watch, const os::Watch::Wake& wake)
{
    if (over()) return false;
    if (waits_) {
        const bool changed = wake.overflow || (token_ && std::ranges::find(wake.tokens, *token_) !=
                                                             wake.tokens.end());
        return (changed || arrives_) && arrive(root, watch);
    }
    const bool died = pidfd_ && std::ranges::find(wake.fds, pidfd_.get()) != wake.fds.end();
    const bool changed = token_ && std::ranges::find(wake.tokens, *token_) != wake.tokens.end();
    if (!died && !changed && !wake.overflow && !needs_poll()) return false;
    const ProcessKey before = status_.supervisor;
    refresh();
    if (over()) return true;
    if (died || needs_poll()) {
        watch_again(root, watch);
    } else if (status_.supervisor != before) {
        drop_supervisor(watch);
        watch_supervisor(watch);
    }
    return true;
}

/// Nobody watches over the task, or so it seems: look() finds out, and sees to it that somebody
/// does.
void TaskMonitor::watch_again(store::Root& root, os::Watch& watch)
{
    drop_supervisor(watch);
    Result<supervise::Snapshot> seen = supervise::recover_and_inspect(root, id_, {});
    if (seen) {
        status_ = std::move(seen->status);
        problem_ = std::move(seen->problem);
    } else if (seen.error().kind == ErrorKind::not_found) {
        refresh();
        gone_ = true;
        if (!store::is_over(status_)) { // removed by hand while it ran: its end can't be known
            status_.lifecycle = core::Lifecycle::ended;
            status_.outcome.kind = core::OutcomeKind::lost;
        }
    }
    if (!over()) watch_supervisor(watch);
}

void TaskMonitor::watch_supervisor(os::Watch& watch)
{
    if (status_.supervisor.pid <= 0) return;
    std::optional<Fd> fd = os::open_pidfd(status_.supervisor);
    if (!fd) return;
    pidfd_ = std::move(*fd);
    watch.add_fd(pidfd_.get());
}

void TaskMonitor::drop_supervisor(os::Watch& watch)
{
    if (!pidfd_) return;
    watch.remove_fd(pidfd_.get());
    pidfd_.reset();
}

void make_room_for(std::size_t tasks)
{
    constexpr std::size_t descriptors_a_task = 6, spare = 64;
    os::allow_descriptors(tasks * descriptors_a_task + spare);
}

} // namespace bgt::ops
