// What became of tasks: of those that were started here, and of those on which others wait.
#include "dispatcher.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/queue_end.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/store/status_slots.hpp>
#include <bgt/supervise/recover.hpp>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

/// When something could not be told: a process dies bit by bit, or another looks at it.
constexpr auto look_again_after = std::chrono::milliseconds(10);

/// The same where that may last: a damaged record, whose processes live.
constexpr auto look_at_damaged_after = std::chrono::seconds(1);

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
        const bool is_told = !view_->state().is_running(id); // by who removed its folder
        if (!is_told && !it->second.look && is_marked(id)) {
            ++it;
            continue;
        }
        it->second.look = false;
        if (is_told) forget(id, it->second);
        if (is_told || is_done(id, it->second, records)) it = started_.erase(it);
        else ++it;
    }
}

/// What is to be known of a task without its supervisor.
Dispatcher::Fate Dispatcher::fate_of(store::TaskId id)
{
    Result<store::Status> status = store::read_status_at(root_.fd(), id);
    if (status && store::is_over(*status)) return Fate::over(store::event_of_end(*status));
    Result<store::TaskDir> task = root_.open_task(id);
    if (!task && task.error().kind == ErrorKind::not_found) {
        status = root_.removed_status(id);
        if (status && store::is_over(*status)) return Fate::over(store::event_of_end(*status));
        return {Fate::Kind::gone};
    }
    const Result<bool> free = task ? task->try_lock() : Result<bool>(task.error());
    if (!free) return {Fate::Kind::unclear};
    if (!*free) {
        if (!status && status.error().kind != ErrorKind::not_found) return {Fate::Kind::damaged};
        return {Fate::Kind::lives, {}, status ? status->supervisor : ProcessKey{}};
    }
    status = store::read_status(task->fd()); // it may have ended just before its lock was free
    if (status && store::is_over(*status)) return Fate::over(store::event_of_end(*status));
    // Not because a descriptor is missing just now.
    if (!status && status.error().kind != ErrorKind::not_found && status.error().sys_errno != 0)
        return {Fate::Kind::damaged};
    const bool is_started = status && store::was_started(*status);
    if (!status || (!is_started && !store::has_damaged_slot(task->fd()))) {
        const core::TreeState tree = supervise::tree_without_record(*task);
        if (tree == core::TreeState::lives) return {Fate::Kind::damaged};
        if (tree != core::TreeState::none) return {Fate::Kind::unclear};
        // The command was not executed, and nobody is about to.
        if (status) return {Fate::Kind::not_executed};
        return Fate::over(status.error().kind == ErrorKind::not_found
                              ? core::TaskEventKind::never_started
                              : core::TaskEventKind::ended_not_ok);
    }
    *task = store::TaskDir{}; // with its lock
    const Result<store::Status> now = supervise::recover(root_, id, *status);
    if (now && store::is_over(*now)) return Fate::over(store::event_of_end(*now));
    if (now) return {Fate::Kind::lives, {}, now->supervisor};
    return {Fate::Kind::unclear};
}

/// True: it needs no watching any more; what is to be told of it is in `records`.
bool Dispatcher::is_done(std::int64_t id, Started& started,
                         std::vector<store::QueueRecord>& records)
{
    const store::TaskId task_id{id};
    const auto finish = [&](store::QueueRecord record) {
        forget(id, started);
        records.push_back(std::move(record));
        return true;
    };
    const Fate fate = fate_of(task_id);
    switch (fate.kind) {
    case Fate::Kind::over: failures_.erase(id); return finish(store::Reported{id, fate.end});
    case Fate::Kind::gone:
        // Who dispatched before was killed before its folder had its place; else somebody removed
        // it, and whether the command ran nobody knows.
        if (!view_->is_published(task_id) || store::is_begun(root_, task_id))
            return finish(store::PutBack{id});
        return finish(store::Reported{id, core::TaskEventKind::never_started});
    case Fate::Kind::not_executed:
        if (!store::unpublish_task(root_, task_id)) break;
        forget(id, started);
        put_back(id, started, records);
        return true;
    case Fate::Kind::lives: watch_supervisor(started, fate.supervisor); return false;
    case Fate::Kind::damaged: look_soon(started, look_at_damaged_after); return false;
    case Fate::Kind::unclear: break;
    }
    look_soon(started, look_again_after);
    return false;
}

void Dispatcher::forget(std::int64_t id, Started& started)
{
    if (started.pidfd) watch_.remove_fd(started.pidfd.get());
    units_.give_back(store::TaskId{id});
}

void Dispatcher::look_soon(Started& started, Duration pause)
{
    started.look = true;
    look_again_by(os::now() + pause);
}

/// Of a supervisor that is no child of this process, the end is told by its pidfd.
void Dispatcher::watch_supervisor(Started& started, const ProcessKey& supervisor)
{
    if (supervisor.pid <=
        0) { // it has just been forked, and is no child of ours: it says who it is, or dies
        if (started.child <= 0) look_soon(started, look_again_after);
        return;
    }
    if (started.pidfd || supervisor.pid == started.child) return;
    std::optional<Fd> fd = os::open_pidfd(supervisor);
    if (!fd) return look_soon(started, look_again_after);
    started.pidfd = std::move(*fd);
    watch_.add_fd(started.pidfd.get());
}

void Dispatcher::look_at_depended_on(std::vector<store::QueueRecord>& records)
{
    for (const std::int64_t id : view_->state().depended_on()) {
        if (view_->state().is_waiting(id)) continue;
        const bool is_ours = view_->state().is_running(id);
        // The final record comes before the marker goes.
        if (!is_ours && !is_marked(id) && is_over(id, records)) continue;
        const bool for_start = view_->state().is_awaited(id, core::DependsOn::start);
        const bool for_ready = view_->state().is_awaited(id, core::DependsOn::ready);
        if (!for_start && !for_ready) continue;
        watch_record(id); // before it is read: no change is missed
        const Result<store::Status> status = store::read_status_at(root_.fd(), store::TaskId{id});
        if (!status) continue;
        if (for_start && store::was_started(*status))
            records.push_back(store::Reported{id, core::TaskEventKind::started});
        if (for_ready && status->ready)
            records.push_back(store::Reported{id, core::TaskEventKind::ready});
    }
}

/// Of a task that has no marker. That alone is no end: it is made after the folder, and anybody of
/// the same user can remove it.
bool Dispatcher::is_over(std::int64_t id, std::vector<store::QueueRecord>& records)
{
    watch_record(id);
    const Fate fate = fate_of(store::TaskId{id});
    switch (fate.kind) {
    case Fate::Kind::over: records.push_back(store::Reported{id, fate.end}); return true;
    case Fate::Kind::gone:
    case Fate::Kind::not_executed:
        // What is gone has left nobody who could tell how it ended.
        records.push_back(store::Reported{id, core::TaskEventKind::never_started});
        return true;
    case Fate::Kind::lives:
    case Fate::Kind::damaged:
    case Fate::Kind::unclear: break;
    }
    // Its record changes with its end, unless somebody puts another in its place.
    look_again_by(os::now() + look_at_damaged_after);
    return false;
}

/// Wakes when its record changes. A task that is over has its marker removed, which wakes anyway.
void Dispatcher::watch_record(std::int64_t id)
{
    if (!watched_records_.insert(id).second) return;
    static_cast<void>(watch_.add_file(root_.path() + "/tasks/" + std::to_string(id) + "/status"));
}

} // namespace bgt::dispatch
