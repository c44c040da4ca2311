// What became of tasks: of those that were started here, and of those on which others wait.
#include "dispatcher.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/supervise/recover.hpp>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

/// When something could not be told: a process dies bit by bit, or another looks at it.
constexpr auto look_again_after = std::chrono::milliseconds(10);

core::TaskEventKind end_of(const store::Status& status)
{
    switch (status.outcome.kind) {
    case core::OutcomeKind::exited:
        return core::exit_code(status.outcome) == 0 ? core::TaskEventKind::ended_ok
                                                    : core::TaskEventKind::ended_not_ok;
    case core::OutcomeKind::signaled:
    case core::OutcomeKind::lost: return core::TaskEventKind::ended_not_ok;
    case core::OutcomeKind::failed_to_start:
    case core::OutcomeKind::not_started:
    case core::OutcomeKind::none: break;
    }
    return core::TaskEventKind::never_started;
}

} // namespace

bool Dispatcher::is_marked(std::int64_t id) const
{
    return ::faccessat(root_.fd(), ("active/" + std::to_string(id)).c_str(), F_OK,
                       AT_SYMLINK_NOFOLLOW) == 0;
}

void Dispatcher::look_at_started(std::vector<store::QueueRecord>& records)
{
    // A task that was claimed by a dispatcher before, and one whose claim was read from the journal
    // only.
    for (const std::int64_t id : view_->state().running_ids())
        if (const auto [it, is_new] = started_.try_emplace(id); is_new) it->second.look = true;
    for (auto it = started_.begin(); it != started_.end();) {
        const std::int64_t id = it->first;
        if (!it->second.look && is_marked(id)) {
            ++it;
            continue;
        }
        it->second.look = false;
        if (is_done(id, it->second, records)) it = started_.erase(it);
        else ++it;
    }
}

/// True: it needs no watching any more; what is to be told of it is in `records`.
bool Dispatcher::is_done(std::int64_t id, Started& started,
                         std::vector<store::QueueRecord>& records)
{
    const store::TaskId task_id{id};
    Result<store::Status> status = store::read_status_at(root_.fd(), task_id);
    if (status && store::is_over(*status))
        return finish(id, started, store::Told{id, end_of(*status)}, records);
    Result<store::TaskDir> task = root_.open_task(task_id);
    if (!task && task.error().kind == ErrorKind::not_found)
        return finish(id, started, store::PutBack{id}, records);
    const Result<bool> free = task ? task->try_lock() : Result<bool>(task.error());
    if (free && !*free) {
        watch_supervisor(started, status ? status->supervisor : ProcessKey{});
        return false;
    }
    if (!free) {
        look_soon(started);
        return false;
    }
    status = store::read_status(task->fd()); // it may have ended just before its lock was free
    if (status && store::is_over(*status))
        return finish(id, started, store::Told{id, end_of(*status)}, records);
    if (!status || !supervise::was_started(*status)) {
        // The command was not executed, and nobody is about to.
        if (root_.remove_task(task_id)) return finish(id, started, store::PutBack{id}, records);
        look_soon(started);
        return false;
    }
    *task = store::TaskDir{}; // with its lock
    const Result<store::Status> now = supervise::recover(root_, task_id, *status);
    if (now && store::is_over(*now))
        return finish(id, started, store::Told{id, end_of(*now)}, records);
    if (now) watch_supervisor(started, now->supervisor);
    else look_soon(started);
    return false;
}

bool Dispatcher::finish(std::int64_t id, Started& started, store::QueueRecord record,
                        std::vector<store::QueueRecord>& records)
{
    if (started.pidfd) watch_.remove_fd(started.pidfd.get());
    units_.give_back(store::TaskId{id});
    records.push_back(std::move(record));
    return true;
}

void Dispatcher::look_soon(Started& started)
{
    started.look = true;
    look_again_ = os::now() + look_again_after;
}

/// Of a supervisor that is no child of this process, the end is told by its pidfd.
void Dispatcher::watch_supervisor(Started& started, const ProcessKey& supervisor)
{
    if (supervisor.pid <=
        0) { // it has just been forked, and is no child of ours: it says who it is, or dies
        if (started.child <= 0) look_soon(started);
        return;
    }
    if (started.pidfd || supervisor.pid == started.child) return;
    std::optional<Fd> fd = os::open_pidfd(supervisor);
    if (!fd) return look_soon(started);
    started.pidfd = std::move(*fd);
    watch_.add_fd(started.pidfd.get());
}

void Dispatcher::look_at_depended_on(std::vector<store::QueueRecord>& records)
{
    for (const std::int64_t id : view_->state().depended_on()) {
        if (view_->state().is_waiting(id)) continue;
        const bool is_ours = view_->state().is_running(id);
        const bool for_start = view_->state().is_awaited(id, core::DependsOn::start);
        const bool for_ready = view_->state().is_awaited(id, core::DependsOn::ready);
        const bool is_over =
            !is_ours &&
            !is_marked(id); // asked first: the final record comes before the marker goes
        if ((for_start || for_ready) && !is_over)
            watch_record(id); // before it is read: no change is missed
        const Result<store::Status> status = store::read_status_at(root_.fd(), store::TaskId{id});
        if (is_over) {
            // What is gone has left nobody who could tell how it ended.
            records.push_back(
                store::Told{id, status ? end_of(*status) : core::TaskEventKind::never_started});
            continue;
        }
        if (!status) continue;
        if (for_start && supervise::was_started(*status))
            records.push_back(store::Told{id, core::TaskEventKind::started});
        if (for_ready && status->ready)
            records.push_back(store::Told{id, core::TaskEventKind::ready});
    }
}

/// Wakes when its record changes. A task that is over has its marker removed, which wakes anyway.
void Dispatcher::watch_record(std::int64_t id)
{
    if (!watched_records_.insert(id).second) return;
    static_cast<void>(watch_.add_file(root_.path() + "/tasks/" + std::to_string(id) + "/status"));
}

} // namespace bgt::dispatch
