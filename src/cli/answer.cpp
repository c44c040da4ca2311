#include "answer.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>
#include <bgt/supervise/locked.hpp>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace bgt::cli {

namespace {

constexpr auto unlock_timeout = std::chrono::seconds(2);

/// Why a task that can't be taken for a living one is still held.
Error why_locked(const supervise::Snapshot& task, const store::TaskDir& folder)
{
    const std::string id = to_string(task.id);
    if (!task.problem.empty())
        return Error::failed(task.problem + "; it can't be removed while its supervisor (a process named bgt:" + id + ") holds " +
                             printable(folder.path()) + "/lock: end that first, by SIGTERM, which ends the task too");
    if (task.status.tree_lives)
        return Error::failed("task " + id + " has ended, but processes of it were kept and live: bgt kill " + id +
                             " first, or bgt rm --force " + id);
    return Error::failed("task " + id + " has ended, but its supervisor (pid " + std::to_string(task.status.supervisor.pid) +
                         ") does not let go of it: is it stopped?");
}

/// What the folder takes on the disk, in bytes; what can't be looked at counts as nothing.
std::uint64_t disk_space(const store::TaskDir& folder)
{
    std::uint64_t blocks = 0;
    struct stat info = {};
    if (::fstat(folder.fd(), &info) == 0) blocks += static_cast<std::uint64_t>(info.st_blocks);
    std::error_code failed;
    std::filesystem::directory_iterator entry("/proc/self/fd/" + std::to_string(folder.fd()), failed), end;
    for (; !failed && entry != end; entry.increment(failed))
        if (::fstatat(folder.fd(), entry->path().filename().c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
            blocks += static_cast<std::uint64_t>(info.st_blocks);
    return blocks * 512; // st_blocks counts such units, whatever the file system's own (man 2 stat)
}

} // namespace

void print_snapshots_json(Context& context, const std::vector<supervise::Snapshot>& snapshots)
{
    context.print(render::tasks_json(snapshots, render::Moment::now()));
}

void print_tasks_json(Context& context, store::Root& root, const std::vector<store::TaskId>& ids)
{
    print_snapshots_json(context, supervise::inspect_all(root, ids, {true, true, true, false}));
}

int for_each_task(Context& context, const Selected& selected,
                  const std::function<Result<void>(store::TaskId)>& act)
{
    int first_failure = selected.code;
    for (const auto id : selected.ids) {
        const auto done = act(id);
        if (done) continue;
        const int failure = context.fail(done.error());
        if (first_failure == code::ok) first_failure = failure;
    }
    return first_failure;
}

Result<std::uint64_t> remove_ended(store::Root& root, store::TaskId id)
{
    auto looked = supervise::inspect(root, id, {});
    if (!looked) return looked.error();
    if (looked->doubtful) return Error::failed(looked->problem);
    const bool readable = looked->problem.empty();
    const bool ended = !readable || looked->status.lifecycle == core::Lifecycle::ended;
    if (!ended)
        return Error::usage("task " + to_string(id) + " has not ended: bgt kill " + to_string(id) +
                            " first, or bgt rm --force " + to_string(id));
    auto folder = root.open_task(id);
    if (!folder) return folder.error();
    auto locked = folder->try_lock();
    // The end is on record a little before the supervisor has ended.
    if (locked && !*locked && readable && !looked->status.tree_lives && supervise::becomes_unlocked(*folder, unlock_timeout))
        locked = folder->try_lock();
    if (!locked) return locked.error();
    if (!*locked) return why_locked(*looked, *folder);
    const std::uint64_t bytes = disk_space(*folder);
    if (auto removed = root.remove_task(id); !removed) return removed.error();
    return bytes;
}

std::string end_in_words(const store::Status& status)
{
    switch (status.outcome.kind) {
    case core::OutcomeKind::exited: return "exit " + std::to_string(status.outcome.code);
    case core::OutcomeKind::signaled: return signal_name(status.outcome.signal);
    case core::OutcomeKind::failed_to_start: return "failed to start";
    case core::OutcomeKind::lost: return "lost";
    case core::OutcomeKind::none: break;
    }
    return std::string(core::to_string(status.lifecycle));
}

bool is_gone(const store::Status& status)
{
    return status.lifecycle == core::Lifecycle::ended && !status.tree_lives;
}

bool has_survivors(const store::Status& status)
{
    return !is_gone(status) && !status.survivors.empty();
}

std::string label(store::TaskId id, const store::Status& status)
{
    return status.name.empty() ? to_string(id) : to_string(id) + " " + printable(status.name);
}

std::string counted(std::size_t n, std::string_view one, std::string_view many)
{
    return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

} // namespace bgt::cli
