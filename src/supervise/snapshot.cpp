#include <bgt/supervise/snapshot.hpp>

#include <bgt/base/text.hpp>
#include <bgt/core/progress.hpp>
#include <bgt/core/share.hpp>
#include <bgt/os/background.hpp>
#include <bgt/store/log_lines.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/store/queue_view.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/ports.hpp>
#include <bgt/os/proc_dir.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/locked.hpp>
#include <bgt/supervise/recover.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr std::size_t tail_bytes = 4096;
/// It writes half a MiB. Of a task in another pid namespace, whose supervisor can't be seen, it is
/// awaited in vain.
constexpr auto keeper_timeout = std::chrono::milliseconds(500);

/// One look at /proc for many tasks, taken when the first needs it.
class ProcCache {
public:
    explicit ProcCache(const store::QueueView* queue = nullptr) : known_queue_(queue) {}

    std::vector<os::ProcStat> descendants_of(std::int32_t supervisor)
    {
        if (!proc_) proc_.emplace();
        if (!processes_)
            if (auto listed = os::listed_descendants_of(*proc_, supervisor))
                return *std::move(listed);
        if (!processes_) processes_.emplace(os::all_processes());
        return processes_->descendants_of(supervisor);
    }
    const std::vector<os::Listener>& listeners()
    {
        if (!listeners_) listeners_ = os::listeners();
        return *listeners_;
    }

    /// What waits; nullptr: nothing does, or the journal can't be read.
    const store::QueueView* queue(const store::Root& root)
    {
        if (known_queue_) return known_queue_;
        if (!queue_ && store::QueueFile::is_there(root))
            if (auto view = store::QueueView::load(root, os::boot_id())) {
                queue_.emplace(*std::move(view));
                queue_->advance(os::wall_now());
            }
        return queue_ ? &*queue_ : nullptr;
    }

private:
    const store::QueueView* known_queue_;
    std::optional<store::QueueView> queue_;
    std::optional<os::ProcDir> proc_;
    std::optional<os::ProcessTable> processes_; ///< where the kernel does not list children
    std::optional<std::vector<os::Listener>> listeners_;
};

std::string path_in(store::TaskId id, const char* name)
{
    return fmt::format("tasks/{}/{}", id.value, name);
}

std::uint64_t size_of(const store::Root& root, store::TaskId id, const char* name)
{
    struct stat info {};
    if (fstatat(root.fd(), path_in(id, name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    return static_cast<std::uint64_t>(info.st_size);
}

std::string read_tail(const store::Root& root, store::TaskId id)
{
    const Fd fd = store::open_file(root.fd(), path_in(id, store::file::out_log).c_str(), O_RDONLY);
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0) return {};
    std::string tail(tail_bytes, '\0');
    const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(tail_bytes));
    const ssize_t count = pread(fd.get(), tail.data(), tail.size(), from);
    tail.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return tail;
}

/// The processes that a supervisor forks for itself stay in its session; what it starts for the
/// task leads one of its own, and no process can enter a session that it was not forked in (man 2
/// setsid). A name alone anybody can take.
bool is_helper(const os::ProcStat& process, std::int32_t supervisor)
{
    return process.ppid == supervisor && process.session == supervisor &&
           process.comm == os::helper_name;
}

std::vector<os::ProcStat> tree_of(const Snapshot& snapshot, const store::Root& root,
                                  ProcCache& proc)
{
    if (snapshot.status.supervisor.pid <= 0) return {}; // it is being started
    if (!snapshot.status.adopted) {
        const std::int32_t supervisor = snapshot.status.supervisor.pid;
        std::vector<os::ProcStat> tree = proc.descendants_of(supervisor);
        std::set<std::int32_t> helpers;
        for (const os::ProcStat& process : tree)
            if (is_helper(process, supervisor)) helpers.insert(process.key.pid);
        return helpers.empty() ? tree : os::without_trees(std::move(tree), std::move(helpers));
    }
    const Result<store::TaskDir> task = root.open_task(snapshot.id);
    if (!task) return {};
    const Result<store::TaskSpec> spec = store::read_spec(task->fd());
    if (!spec) return {};
    const Result<os::TreeMarks> marks = marks_of(*task, *spec, snapshot.status);
    if (!marks) return {};
    return os::find_marked(*marks, {getpid(), snapshot.status.supervisor.pid});
}

void add_living(Snapshot& snapshot, const store::Root& root, const SnapshotFields& want,
                ProcCache& proc)
{
    snapshot.supervisor_stopped = is_stopped(snapshot.status.supervisor);
    snapshot.tree = tree_of(snapshot, root, proc);
    const os::Usage usage = os::usage_of(snapshot.tree);
    snapshot.processes = usage.processes;
    snapshot.rss_bytes = usage.rss_bytes;
    if (snapshot.status.started_at) {
        const double age =
            std::chrono::duration<double>(os::now() - *snapshot.status.started_at).count();
        const double busy =
            static_cast<double>(usage.cpu_ticks) / static_cast<double>(os::ticks_per_second());
        if (age >= std::chrono::duration<double>(core::min_share_span).count())
            snapshot.cpu = busy / age;
    }
    std::vector<std::int32_t> pids;
    for (const os::ProcStat& member : snapshot.tree) pids.push_back(member.key.pid);
    if (want.ports) snapshot.ports = os::ports_of(pids, proc.listeners());
    if (snapshot.status.lifecycle == core::Lifecycle::ended) snapshot.leftover = std::move(pids);
}

/// The lock of a supervisor that was killed: the keeper of its output may hold it for a moment
/// more. See os::OutputStage.
bool is_let_go(const store::Root& root, const store::TaskDir& task, const store::Status& status)
{
    const auto is_staged = [&](const char* mark) {
        struct stat info {};
        return fstatat(root.fd(), path_in(task.id(), mark).c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
               0;
    };
    if (!is_staged(store::file::out_stage) && !is_staged(store::file::err_stage)) return false;
    if (status.supervisor.pid <= 0 || os::is_alive(status.supervisor)) return false;
    return becomes_unlocked(task, keeper_timeout);
}

struct Lock {
    core::LockState state = core::LockState::unknown;
    std::optional<Error> error = {}; ///< why it is unknown
};

/// Only a clear no counts as free: a task that can't be looked at may well have its supervisor.
Lock lock_of(const store::Root& root, const Result<store::TaskDir>& task,
             const store::Status* status)
{
    const Result<bool> locked = task ? task->is_locked() : Result<bool>(task.error());
    if (!locked) return {core::LockState::unknown, locked.error()};
    if (!*locked || (status && is_let_go(root, *task, *status))) return {core::LockState::free};
    return {core::LockState::held};
}

/// Something else stands in the place of the lock, or nobody may open it: this does not pass by
/// itself, so the record must not be taken for the truth until it does.
bool is_lasting(const Error& error)
{
    constexpr std::array lasting{
        store::wrong_kind, store::wrong_owner, ELOOP, ENOTDIR, EACCES, EPERM};
    return std::ranges::find(lasting, error.sys_errno) != lasting.end();
}

/// Error: whether the task is supervised can't be told, now and later.
Result<core::Recovery> recovery_of(const store::Root& root, store::TaskId id,
                                   const store::Status& status)
{
    if (store::is_final(status)) return core::Recovery::none; // most are: nothing has to be asked
    const Result<store::TaskDir> task = root.open_task(id);
    const Lock lock = lock_of(root, task, &status);
    if (task && lock.error && is_lasting(*lock.error)) return *lock.error;
    if (lock.state == core::LockState::held && is_linked_copy(*task, status))
        return core::Recovery::record_end;
    core::TaskFacts facts = facts_of(status);
    facts.lock = lock.state;
    return core::recovery_for(facts);
}

/// In its last lines, where it says nothing of its progress in another way.
std::optional<double> printed_progress(std::string tail)
{
    std::ranges::replace(tail, '\r', '\n'); // what was written over shows whether a counter moves
    std::optional<double> newest;
    core::ProgressReader reader;
    store::LineCutter cutter(store::LineText::rendered);
    const auto take = [&](const store::LinePiece& piece) {
        if (const auto progress = reader.read(piece.text); progress && progress->fraction)
            newest = progress->fraction;
    };
    cutter.feed(tail, 0, take);
    cutter.flush(take);
    return newest;
}

/// A task that can't be looked at just now (no descriptor left, no room for the supervisor that
/// takes over) is not therefore damaged.
bool is_passing(const Error& error)
{
    constexpr std::array passing{EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC,
                                 EDQUOT, EIO,    EROFS,  EACCES, EPERM};
    return std::ranges::find(passing, error.sys_errno) != passing.end();
}

void put_problem(Snapshot& snapshot, const Error& error, bool doubtful)
{
    snapshot.doubtful = doubtful;
    snapshot.problem = fmt::format("task {} {}: {}", snapshot.id.value,
                                   doubtful ? "can't be looked at" : "is damaged", error.message);
}

/// A task without a folder: it waits in a queue, or will never start and is not on record as such
/// yet. False: there is none.
bool inspect_waiting(Snapshot& snapshot, const store::Root& root, const SnapshotFields& want,
                     ProcCache& proc)
{
    const store::QueueView* queue = proc.queue(root);
    if (!queue) return false;
    const std::optional<core::Reason> dropped = queue->dropped_for(snapshot.id);
    if (!dropped && !queue->is_waiting(snapshot.id) && !queue->is_claimed(snapshot.id))
        return false;
    store::Status& status = snapshot.status;
    status.lifecycle = dropped ? core::Lifecycle::ended : core::Lifecycle::queued;
    if (dropped) {
        status.outcome.kind = core::OutcomeKind::not_started;
        status.outcome.reason = *dropped;
    }
    const Result<store::WaitingTask> task = queue->describe(snapshot.id);
    if (!task) {
        snapshot.problem =
            fmt::format("task {} can't be looked at: {}", snapshot.id.value, task.error().message);
        return true;
    }
    status.kind = task->spec.policy.kind;
    status.created = task->spec.created;
    status.name = task->spec.name;
    status.command = store::shown_command(task->spec);
    status.next_attempt = queue->state().not_before(snapshot.id.value);
    if (want.spec) snapshot.spec = std::make_shared<const store::TaskSpec>(task->spec);
    return true;
}

enum class Act : std::uint8_t { read_only, recover };

/// Error (not_found): there is no such task.
Result<void> inspect_into(Snapshot& snapshot, store::Root& root, store::TaskId id,
                          const SnapshotFields& want, ProcCache& proc, Act act)
{
    snapshot.id = id;
    snapshot.folder = root.path() + "/tasks/" + to_string(id);
    Result<store::Status> status = store::read_status_at(root.fd(), id);
    if (!status && status.error().kind == ErrorKind::not_found) {
        if (access(snapshot.folder.c_str(), F_OK) != 0 &&
            inspect_waiting(snapshot, root, want, proc))
            return {};
        // It may have left its queue, and its folder may have come, since the look before.
        status = store::read_status_at(root.fd(), id);
        if (!status && access(snapshot.folder.c_str(), F_OK) != 0)
            return Error::not_found(fmt::format("no such task {}", id.value));
    }
    if (status) {
        const Result<core::Recovery> recovery = recovery_of(root, id, *status);
        if (!recovery) {
            put_problem(snapshot, recovery.error(), is_passing(recovery.error()));
            return {};
        }
        snapshot.recovery = *recovery;
    }
    if (act == Act::recover && snapshot.recovery != core::Recovery::none) {
        status = recover(root, id, std::move(*status));
        snapshot.recovery = core::Recovery::none;
    }
    // Its folder is there, and the one who makes it has not come to the record yet.
    if (!status && status.error().kind == ErrorKind::not_found) {
        const Lock lock = lock_of(root, root.open_task(id), nullptr);
        if (lock.state != core::LockState::free && !(lock.error && is_lasting(*lock.error))) {
            if (inspect_waiting(snapshot, root, want, proc)) return {}; // out of a queue
            return Error::not_found(fmt::format("no such task {} yet", id.value));
        }
    }
    if (!status) {
        put_problem(snapshot, status.error(),
                    is_passing(status.error()) || store::read_status_at(root.fd(), id));
        return {};
    }
    snapshot.status = std::move(*status);
    if (want.spec) {
        const Result<store::TaskDir> task = root.open_task(id);
        if (!task) return task.error();
        Result<store::TaskSpec> spec = store::read_spec(task->fd());
        if (spec) snapshot.spec = std::make_shared<const store::TaskSpec>(std::move(*spec));
        else
            snapshot.problem =
                fmt::format("task {} is damaged: {}", id.value, spec.error().message);
        snapshot.log_bytes = size_of(root, id, store::file::out_log);
        if (snapshot.spec && snapshot.spec->split)
            snapshot.log_bytes += size_of(root, id, store::file::err_log);
    }
    if ((want.usage || want.ports) && !store::is_final(snapshot.status))
        add_living(snapshot, root, want, proc);
    if (want.log_tail) snapshot.log_tail = read_tail(root, id);
    if (want.log_tail && !snapshot.status.progress && !store::is_over(snapshot.status))
        snapshot.status.progress = printed_progress(snapshot.log_tail);
    return {};
}

} // namespace

namespace {

Result<Snapshot> inspect_one(store::Root& root, store::TaskId id, const SnapshotFields& want,
                             Act act)
{
    ProcCache proc;
    Snapshot snapshot;
    if (Result<void> seen = inspect_into(snapshot, root, id, want, proc, act); !seen)
        return seen.error();
    return snapshot;
}

std::vector<Snapshot> inspect_each(store::Root& root, const std::vector<store::TaskId>& ids,
                                   const SnapshotFields& want, Act act,
                                   const store::QueueView* queue)
{
    ProcCache proc(queue);
    std::vector<Snapshot> found;
    found.reserve(ids.size());
    for (const store::TaskId id : ids)
        if (!inspect_into(found.emplace_back(), root, id, want, proc, act)) found.pop_back();
    return found;
}

} // namespace

Result<Snapshot> inspect(store::Root& root, store::TaskId id, const SnapshotFields& want)
{
    return inspect_one(root, id, want, Act::read_only);
}

Result<Snapshot> recover_and_inspect(store::Root& root, store::TaskId id,
                                     const SnapshotFields& want)
{
    return inspect_one(root, id, want, Act::recover);
}

std::vector<Snapshot> recover_and_inspect_all(store::Root& root,
                                              const std::vector<store::TaskId>& ids,
                                              const SnapshotFields& want,
                                              const store::QueueView* queue)
{
    return inspect_each(root, ids, want, Act::recover, queue);
}

int exit_code(const store::Status& status)
{
    return core::exit_code(status.outcome);
}

} // namespace bgt::supervise
