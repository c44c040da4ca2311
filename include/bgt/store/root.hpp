#pragma once
/// The state root: the folder that holds all tasks, and what is shared between them (ids, names,
/// markers). Several processes use it at once; every method is safe against all others of this and
/// other processes.
///
/// Hazards: the root may lie where others can write (/tmp): nothing inside it is followed through a
/// symlink (O_NOFOLLOW, openat below the root's descriptor), and a root owned by somebody else, or
/// writable by group or others, is refused.
#include <bgt/base/fd.hpp>
#include <bgt/store/task_dir.hpp>
#include <bgt/store/task_id.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::store {

/// Where the root is: `explicit_root` (--root, or BGT_ROOT), else $XDG_STATE_HOME/bgt, else
/// $HOME/.local/state/bgt. The XDG and HOME values are parameters; empty or relative XDG values are
/// passed over, as the XDG base directory specification says. Error (usage): none of them is given.
Result<std::string> locate_root(std::string_view explicit_root, std::string_view xdg_state_home,
                                std::string_view home);

class Root {
public:
    enum class IfMissing {
        create, ///< with its parents, 0700
        empty,  ///< a root that is not there reads as one without tasks
    };
    /// A relative path is taken from the working folder of now. Error (failed): not a folder,
    /// somebody else's, writable by others, a symbolic link, no access, no space.
    static Result<Root> open(std::string path, IfMissing);

    const std::string& path() const { return path_; }
    /// False for a root that is not there (IfMissing::empty).
    bool exists() const { return static_cast<bool>(dir_); }
    int fd() const { return dir_.get(); }

    /// The next id, given out once for all time: also when next-id is missing or damaged (then
    /// above every folder in tasks/, what waits, and what the history and the event stream tell
    /// of). The lock is held for microseconds, but then.
    Result<TaskId> allocate_id() { return allocate_ids(1); }
    /// The same for so many in a row; the first of them.
    Result<TaskId> allocate_ids(std::uint32_t count);
    /// The newest id given out, 0 for none.
    Result<std::int64_t> last_id() const;

    /// tasks/<id>, new (0700), with its lock held by the returned value from before anybody can see
    /// it. It is not marked active yet.
    Result<TaskDir> create_task(TaskId);
    /// The same in two steps, for an id that others know already: begin_task() makes it under
    /// another name, to be filled in, in place of what somebody who was killed had begun;
    /// publish_task() gives it its own. What was begun and is not to be published goes with
    /// forget_task().
    Result<TaskDir> begin_task(TaskId);
    Result<void> publish_task(const TaskDir&);
    void forget_task(TaskId);
    /// Error (not_found): "no such task 7".
    Result<TaskDir> open_task(TaskId) const;
    /// Removes the folder with all in it, its marker, and its name if that is still its own. The
    /// caller holds the task's lock or knows that it never started. Error (not_found): it is not
    /// there, or somebody else was faster.
    Result<void> remove_task(TaskId);

    /// Before a task removes itself: its record, for whoever waits for it by its id, is found by
    /// removed_status() for a minute. What can't be kept is not.
    void keep_record(TaskId) const;
    /// Error (not_found): none is kept.
    Result<Status> removed_status(TaskId) const;

    /// The marker active/<id>: the task is not yet done with. Removing what is not there is no
    /// error.
    Result<void> mark_active(TaskId);
    Result<void> unmark_active(TaskId);
    /// The ids in active/, ascending. O(living).
    Result<std::vector<TaskId>> active_ids() const;
    /// The ids of all folders in tasks/, ascending.
    Result<std::vector<TaskId>> all_ids() const;

    /// The task with that name, or nullopt.
    Result<std::optional<TaskId>> find_name(std::string_view name) const;
    /// Every name in names/ with its id.
    Result<std::vector<std::pair<std::string, TaskId>>> names() const;
    /// Makes `name` stand for `id` unless it stands for another id for which `still_used` says yes;
    /// returns the id for which it stands now: `id` itself, or the other. One claimer at a time
    /// decides (under a lock of names/): `still_used` must be quick and must not claim or release a
    /// name itself.
    Result<TaskId> claim_name(std::string_view name, TaskId id,
                              const std::function<bool(TaskId)>& still_used);
    /// Gives the name up if it stands for `id`.
    Result<void> release_name(std::string_view name, TaskId id);

private:
    std::string path_;
    Fd dir_;
};

} // namespace bgt::store
