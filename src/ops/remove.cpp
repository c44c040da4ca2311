#include <bgt/ops/remove.hpp>

#include "leave_queue.hpp"
#include <bgt/base/text.hpp>
#include <bgt/base/time.hpp>
#include <bgt/ops/hooks.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/locked.hpp>
#include <bgt/supervise/recover.hpp>
#include <bgt/supervise/unrecorded.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

namespace bgt::ops {
namespace {

constexpr auto unlock_timeout = std::chrono::seconds(2);
constexpr auto hooks_timeout =
    std::chrono::seconds(5); ///< for hooks that are stopped: SIGTERM, a second, SIGKILL
constexpr auto end_timeout = std::chrono::seconds(60); ///< of a very large tree on a busy machine
constexpr auto supervisor_interval =
    std::chrono::seconds(1); ///< between two looks whether the supervisor was stopped

/// Why a task that can't be taken for a living one is still held.
Error why_locked(const Snapshot& task, const store::TaskDir& folder)
{
    const std::string id = to_string(task.id);
    if (!task.problem.empty())
        return Error::failed(
            task.problem + "; it can't be removed while its supervisor (a process named bgt:" + id +
            ") holds " + printable(folder.path()) +
            "/lock: end that first, by SIGTERM, which ends the task too");
    if (task.status.tree_lives)
        return Error::failed("task " + id +
                             " has ended, but processes of it were kept and live: bgt kill " + id +
                             " first, or bgt rm --force " + id);
    for (const HookRun& hook : read_hook_runs(folder))
        if (hook.state == HookState::running)
            return Error::failed("task " + id + " has ended, but its hook " + hook.hook +
                                 " still runs, for a minute at most: try again then, or bgt rm "
                                 "--force " +
                                 id + ", which stops it");
    return Error::failed("task " + id + " has ended, but its supervisor (pid " +
                         std::to_string(task.status.supervisor.pid) +
                         ") does not let go of it: is it stopped?");
}

/// What the folder takes on the disk, in bytes; what can't be looked at counts as nothing.
std::uint64_t disk_space(const store::TaskDir& folder)
{
    std::uint64_t blocks = 0;
    struct stat info = {};
    if (::fstat(folder.fd(), &info) == 0) blocks += static_cast<std::uint64_t>(info.st_blocks);
    std::error_code failed;
    std::filesystem::directory_iterator entry("/proc/self/fd/" + std::to_string(folder.fd()),
                                              failed),
        end;
    for (; !failed && entry != end; entry.increment(failed))
        if (::fstatat(folder.fd(), entry->path().filename().c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
            0)
            blocks += static_cast<std::uint64_t>(info.st_blocks);
    return blocks * 512; // st_blocks counts such units, whatever the file system's own (man 2 stat)
}

/// The task's end after SIGKILL was asked for. Error: its supervisor is stopped, or takes too long.
Result<store::Status> await_end(store::Root& root, store::TaskId id, Cancel cancel)
{
    const auto is_done = [](const store::Status& now) {
        return is_final(now) || has_survivors(now);
    };
    const Instant deadline = os::now() + end_timeout;
    for (;;) {
        const auto status = supervise::await_status(
            root, id, std::min(deadline, os::now() + supervisor_interval), is_done, cancel.fd);
        if (!status) return status.error();
        if (*status) return **status;
        const auto seen = recover_and_inspect(root, id, {});
        if (seen && supervise::is_stopped(seen->status.supervisor))
            return Error::failed(supervise::stopped_text(id, seen->status.supervisor));
        if (os::now() >= deadline)
            return Error::failed(fmt::format(
                "task {} has not ended {} after SIGKILL (bgt kill {} says what it waits for)",
                id.value, format_duration(end_timeout), id.value));
    }
}

/// SIGKILL to all of a task that lives. Error (not_found): it was removed meanwhile.
Result<void> end_at_once(store::Root& root, store::TaskId id, Cancel cancel)
{
    const auto looked = recover_and_inspect(root, id, {});
    if (!looked) return looked.error();
    const bool damaged = !looked->problem.empty();
    if (!damaged && is_final(looked->status)) return {};
    supervise::StopOptions options;
    options.now = true;
    if (const auto asked = supervise::request_stop(root, id, options); !asked) {
        if (damaged) { // whether it can be removed all the same, its lock will tell
            if (!looked->doubtful)
                static_cast<void>(supervise::end_without_record(root, id, {}, true));
            return {};
        }
        const auto again =
            recover_and_inspect(root, id, {}); // it may have ended by itself in between
        return again && is_final(again->status) ? Result<void>() : asked.error();
    }
    const auto ended = await_end(root, id, cancel);
    if (!ended) return ended.error();
    if (has_survivors(*ended)) {
        const std::size_t count = ended->survivors.size();
        return Error::failed(fmt::format("task {}: {} {} can't be ended (bgt kill {} names them)",
                                         id.value, count, count == 1 ? "process" : "processes",
                                         id.value));
    }
    return {};
}

/// Those of a task that has ended, by their supervisor, which goes on for them alone.
void stop_hooks(store::Root& root, store::TaskId id)
{
    const auto looked = recover_and_inspect(root, id, {});
    const auto folder = folder_of(root, id);
    if (!looked || !folder || !looked->problem.empty() || looked->status.tree_lives) return;
    if (!supervise::is_locked(*folder)) return;
    static_cast<void>(os::send_signal(looked->status.supervisor, SIGTERM));
    static_cast<void>(supervise::becomes_unlocked(*folder, hooks_timeout));
}

Result<Removed> remove_one(store::Root& root, store::TaskId id, const RemoveRequest& request,
                           Cancel cancel)
{
    if (!request.force) return remove_ended(root, id);
    BGT_TRY_ASSIGN(const bool waited, leave_queue(root, id, Leave::at_once));
    if (waited) return remove_ended(root, id, Trace::record); // somebody may wait for it
    const auto ended = end_at_once(root, id, cancel);
    if (ended) stop_hooks(root, id);
    auto removed = ended ? remove_ended(root, id) : Result<Removed>(ended.error());
    if (!removed && removed.error().kind == ErrorKind::not_found)
        return Removed{}; // its own `--rm` was faster
    return removed;
}

} // namespace

Result<Removed> remove_ended(store::Root& root, store::TaskId id, Trace trace)
{
    auto looked = recover_and_inspect(root, id, {});
    if (!looked) return looked.error();
    if (looked->doubtful) return Error::failed(looked->problem);
    const bool readable = looked->problem.empty();
    const bool ended = !readable || is_over(looked->status);
    if (!ended)
        return Error::usage("task " + to_string(id) + " has not ended: bgt kill " + to_string(id) +
                            " first, or bgt rm --force " + to_string(id));
    auto folder = folder_of(root, id);
    if (!folder) return folder.error();
    auto locked = looked->status.copied
                      ? Result<bool>(true)
                      : folder->try_lock(); // whose lock is that of the task itself
    // The end is on record a little before the supervisor has ended.
    if (locked && !*locked && readable && !looked->status.tree_lives &&
        supervise::becomes_unlocked(*folder, unlock_timeout))
        locked = folder->try_lock();
    if (!locked) return locked.error();
    if (!*locked) return why_locked(*looked, *folder);
    // Without the folder nobody would know its processes any more.
    if (!readable && supervise::tree_without_record(*folder) == core::TreeState::lives)
        return Error::usage(looked->problem + "; processes of it live: bgt kill " + to_string(id) +
                            " first, or bgt rm --force " + to_string(id));
    const Removed out{disk_space(*folder)};
    if (trace == Trace::record) root.keep_record(id);
    if (auto removed = store::remove_task(root, id, *std::move(folder), os::boot_id()); !removed)
        return removed.error();
    return out;
}

Result<Each<Removed>> remove(store::Root& root, const RemoveRequest& request,
                             const Progress<Removed>& progress, Cancel cancel)
{
    Result<Selected> found = select_each(root, request.selection, Scope::any, progress.missing);
    if (!found) return found.error();
    Each<Removed> answer{std::move(found->missing), {}};
    for (std::size_t i = 0; i < found->ids.size(); ++i) {
        One<Removed> one{found->ids[i], remove_one(root, found->ids[i], request, cancel)};
        if (i >= found->named && !one.result && one.result.error().kind == ErrorKind::usage)
            continue;
        answer.tasks.push_back(std::move(one));
        if (progress.done) progress.done(answer.tasks.back());
    }
    return answer;
}

} // namespace bgt::ops
