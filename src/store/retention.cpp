#include <bgt/store/retention.hpp>

#include "files.hpp"

#include <bgt/store/dated.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/queue_end.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

/// What is younger may belong to a `bgt run` that is under way.
constexpr Duration young = std::chrono::seconds(60);

bool has(const std::vector<TaskId>& sorted, TaskId id)
{
    return std::binary_search(sorted.begin(), sorted.end(), id);
}

/// One run of prune() over one root.
class Pruning {
public:
    Pruning(Root& root, const Retention& keep, WallTime now, bool dry_run, const BootId& boot)
        : root_(root), keep_(keep), now_(now), dry_run_(dry_run), ends_(root, boot)
    {}

    Result<Pruned> run();

private:
    enum class Found { ended, stray, other };
    Found classify(TaskId id, bool marked);
    void remove_beyond(const std::vector<TaskId>& ended);
    bool too_old(TaskId id, bool& reached_young) const;
    void remove_task(TaskId id, Found what);
    void clear_unnamed();
    void clear_markers(const std::vector<TaskId>& active, const std::vector<TaskId>& all);
    void finish_release(TaskId id);
    void put_into_history(const TaskDir& task);
    void clear_names(const std::vector<TaskId>& all);
    bool is_old(const std::string& path) const;
    bool is_missing(const std::string& path) const;
    bool was_never_written(const std::string& record) const;

    Root& root_;
    const Retention& keep_;
    WallTime now_;
    bool dry_run_;
    EndTeller ends_;
    Pruned done_;
};

/// Last changed long ago. What is not there is not old.
bool Pruning::is_old(const std::string& path) const
{
    struct stat st {};
    if (::fstatat(root_.fd(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return false;
    const WallTime changed(std::chrono::seconds(st.st_mtim.tv_sec) +
                           std::chrono::nanoseconds(st.st_mtim.tv_nsec));
    return now_ - changed > young;
}

bool Pruning::is_missing(const std::string& path) const
{
    struct stat info {};
    return ::fstatat(root_.fd(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

Pruning::Found Pruning::classify(TaskId id, bool marked)
{
    const std::string folder = "tasks/" + to_string(id);
    // Unmarked tasks have ended, or a crash came between folder and marker: only a thorough look
    // tells.
    if (!marked && !keep_.thorough) return Found::ended;
    const auto status = read_status_at(root_.fd(), id);
    if (status) return is_final(*status) ? Found::ended : Found::other;
    if (status.error().kind != ErrorKind::not_found &&
        !was_never_written(folder + "/" + file::status))
        return Found::other;
    return is_old(folder) ? Found::stray : Found::other;
}

/// The record is written before the supervisor is forked: where nothing was, `bgt run` was killed
/// and nothing was started.
bool Pruning::was_never_written(const std::string& record) const
{
    const Fd fd = open_file(root_.fd(), record.c_str(), O_RDONLY);
    std::array<char, status_file_size> bytes{};
    const ssize_t got = fd ? ::pread(fd.get(), bytes.data(), bytes.size(), 0) : -1;
    return got >= 0 && std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

/// Whether the task ended longer ago than keep_age. `reached_young`: it was made after that date,
/// and so was every task with a larger id.
bool Pruning::too_old(TaskId id, bool& reached_young) const
{
    const auto status = read_status_at(root_.fd(), id);
    if (!status) return false;
    const WallTime end = status->ended.value_or(status->created);
    reached_young = is_dated(status->created) && now_ - status->created <= *keep_.keep_age;
    return is_dated(end) && now_ - end > *keep_.keep_age;
}

void Pruning::remove_beyond(const std::vector<TaskId>& ended)
{
    const std::size_t excess =
        ended.size() > keep_.keep_ended ? ended.size() - keep_.keep_ended : 0;
    bool reached_young = false;
    for (std::size_t i = 0; i < ended.size() && (i < excess || (keep_.keep_age && !reached_young));
         ++i)
        if (i < excess || too_old(ended[i], reached_young)) remove_task(ended[i], Found::ended);
}

/// Removes the task if it still is what it was taken for, once its lock is held and nobody can
/// change it any more.
void Pruning::remove_task(TaskId id, Found what)
{
    const auto problem = [&](const Error& error) {
        if (error.kind != ErrorKind::not_found)
            done_.problems.push_back("task " + to_string(id) + ": " + error.message);
    };
    auto task = root_.open_task(id);
    if (!task) return problem(task.error());
    if (dry_run_) {
        const auto locked = task->is_locked();
        if (!locked) return problem(locked.error());
        if (*locked) return;
    } else {
        const auto locked = task->try_lock();
        if (!locked) return problem(locked.error());
        if (!*locked) return;
    }
    const auto status = read_status(task->fd());
    const bool ended = status && is_final(*status);
    const bool none = !status && (status.error().kind == ErrorKind::not_found ||
                                  was_never_written("tasks/" + to_string(id) + "/" + file::status));
    if (what == Found::ended ? !ended : !none) return;
    if (!dry_run_)
        if (const auto told = ends_.tell(*task); !told) return problem(told.error());
    const auto bytes =
        dry_run_ ? detail::clear_tree(root_.fd(), ("tasks/" + to_string(id)).c_str(), false)
                 : detail::remove_task_folder(root_, id, std::move(*task));
    if (!bytes) return problem(bytes.error());
    ++done_.removed;
    done_.bytes += *bytes;
    done_.ids.push_back(id);
}

/// Folders of tasks that a crash kept from getting their number, or that were not removed whole: in
/// passing only these, as on FUSE and NFS every file that somebody has open leaves one.
void Pruning::clear_unnamed()
{
    detail::Listing listing(detail::open_below(root_.fd(), "tasks", O_RDONLY | O_DIRECTORY));
    if (!listing) return;
    while (const char* entry = listing.next()) {
        const std::string name = entry;
        const bool gone = name.starts_with(detail::gone_prefix);
        if (!gone && (!keep_.thorough || !name.starts_with(detail::new_prefix))) continue;
        // It may be what shows that a waiting task was not started yet.
        if (!gone && QueueFile::is_there(root_)) continue;
        const std::string path = "tasks/" + name;
        if (!gone) {
            if (!is_old(path)) continue;
            Fd dir = detail::open_below(root_.fd(), path.c_str(), O_RDONLY | O_DIRECTORY);
            TaskDir task({}, root_.path() + "/" + path, std::move(dir));
            if (const auto locked = task.is_locked(); !locked || *locked) continue;
        }
        const auto bytes = detail::clear_tree(listing.fd(), name.c_str(), true);
        if (bytes) done_.bytes += *bytes;
        else if (!gone || !detail::is_still_open(bytes.error()))
            done_.problems.push_back(bytes.error().message);
    }
}

void Pruning::clear_markers(const std::vector<TaskId>& active, const std::vector<TaskId>& all)
{
    for (const TaskId id : active) {
        if (has(all, id)) {
            finish_release(id);
            continue;
        }
        if (!is_old("active/" + to_string(id)) || !is_missing("tasks/" + to_string(id))) continue;
        if (auto removed = root_.unmark_active(id); !removed)
            done_.problems.push_back(removed.error().message);
    }
}

/// Of a task that is still marked: when it has ended, its supervisor was killed while it tidied.
void Pruning::finish_release(TaskId id)
{
    const auto ended = [&] {
        const auto status = read_status_at(root_.fd(), id);
        return status && is_final(*status);
    };
    if (!ended()) return;
    auto task = root_.open_task(id);
    if (!task) return;
    const auto locked = task->try_lock();
    if (!locked || !*locked || !ended()) return;
    put_into_history(*task);
    if (!task->remove_channels()) return;
    if (auto removed = root_.unmark_active(id); !removed)
        done_.problems.push_back(removed.error().message);
}

/// Its supervisor may have been killed before it did.
void Pruning::put_into_history(const TaskDir& task)
{
    const auto status = read_status(task.fd());
    const auto spec = read_spec(task.fd());
    if (status && spec) static_cast<void>(append_history(root_, *spec, *status, now_));
}

void Pruning::clear_names(const std::vector<TaskId>& all)
{
    const auto names = root_.names();
    if (!names) {
        done_.problems.push_back(names.error().message);
        return;
    }
    for (const auto& [name, id] : *names) {
        if (has(all, id) || !is_old("names/" + name) || !is_missing("tasks/" + to_string(id)))
            continue;
        if (auto released = root_.release_name(name, id); !released)
            done_.problems.push_back(released.error().message);
    }
}

Result<Pruned> Pruning::run()
{
    const auto active =
        root_.active_ids(); // before the folders: a marker without one is then really alone
    if (!active) return active.error();
    const auto all = root_.all_ids();
    if (!all) return all.error();
    std::vector<TaskId> ended;
    for (const TaskId id : *all) {
        const Found found = classify(id, has(*active, id));
        if (found == Found::ended) ended.push_back(id);
        if (found == Found::stray) remove_task(id, found);
    }
    remove_beyond(ended);
    if (!dry_run_) {
        clear_markers(*active, *all);
        clear_unnamed();
        if (keep_.thorough) clear_names(*all);
        tidy_history(root_, keep_.history_max);
    }
    std::sort(done_.ids.begin(), done_.ids.end());
    return std::move(done_);
}

} // namespace

Result<Pruned> prune(Root& root, const Retention& keep, WallTime now, bool dry_run,
                     const BootId& boot)
{
    if (!root.exists()) return Pruned{};
    return Pruning(root, keep, now, dry_run, boot).run();
}

} // namespace bgt::store
