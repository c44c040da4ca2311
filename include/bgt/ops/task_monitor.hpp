#pragma once
/// One task under observation: what `logs --follow` and `wait` sleep on.
#include <algorithm>
#include <bgt/os/watch.hpp>
#include <bgt/store/root.hpp>
#include <bgt/supervise/snapshot.hpp>
#include <optional>
#include <string>

namespace bgt::ops {

/// Wakes at once when the task's supervisor ends, or, where that outlives the task, when the record
/// `status` changes. The record is read through a descriptor opened at the start, so that the end
/// of a task that removes itself (`run --rm`) is still seen.
class TaskMonitor {
public:
    /// Looks at the task first (supervise::recover_and_inspect), which recovers a record that no
    /// supervisor keeps. A task that removed itself a moment ago is over. Error: no such task.
    static Result<TaskMonitor> open(store::Root&, store::TaskId);

    store::TaskId id() const { return id_; }
    const store::Status& status() const { return status_; }
    bool over() const { return gone_ || !problem_.empty() || store::is_over(status_); }
    /// Not empty: the folder is damaged, and nothing but this can be said of the task.
    const std::string& problem() const { return problem_; }
    const std::string& path() const { return path_; }
    /// It waits in a queue, and has no record yet.
    bool waits() const { return waits_; }
    /// The folder; not to be used after close_folder().
    const store::TaskDir& dir() const { return dir_; }
    void close_folder() { dir_ = store::TaskDir{}; }
    /// "7 web", or "7".
    std::string label() const;
    /// "web", or "7".
    std::string short_label() const;

    enum class Until : std::uint8_t {
        end,    ///< wakes by its end, and by some of its changes
        change, ///< by every change of the record
    };
    /// Begins to watch, then reads the record again: no change is missed.
    Result<void> watch(store::Root&, os::Watch&, Until = Until::end);
    void unwatch(os::Watch&);
    /// Takes note of what woke the watch; true when the record may have changed (it has been read
    /// again).
    bool update(store::Root&, os::Watch&, const os::Watch::Wake&);
    /// True while there is no process to watch (it is just starting, or has died since the look),
    /// and when the record could not be read: update() must be called again soon.
    bool needs_poll() const
    {
        return !over() && watched_ && (waits_ ? arrives_ : unread_ || !pidfd_);
    }

    /// Reads the record again: for a caller that knows that it changed.
    void refresh();

private:
    static Result<TaskMonitor> open_waiting(store::Root&, store::TaskId, store::TaskDir);
    bool outlived_by_supervisor(const store::Root&) const;
    void watch_again(store::Root&, os::Watch&);
    /// Of a task that waited in a queue: goes on with its folder once that is there.
    bool arrive(store::Root&, os::Watch&);
    bool has_gone(store::Root&, os::Watch&);
    void watch_supervisor(os::Watch&);
    void drop_supervisor(os::Watch&);

    store::TaskId id_;
    store::TaskDir dir_;
    std::string path_, problem_;
    store::Status status_;
    Fd status_fd_;
    Fd pidfd_;
    std::optional<int> token_;
    bool watched_ = false;
    Until until_ = Until::end;
    bool waits_ = false;   ///< in a queue: it has no folder yet
    bool arrives_ = false; ///< its folder is being made
    bool unread_ = false;  ///< the record, when it was read last
    bool gone_ = false;    ///< its folder was removed
};

/// Raises the soft limit of open descriptors to the hard one (man 2 setrlimit) when `tasks` of them
/// may need it.
void make_room_for(std::size_t tasks);

} // namespace bgt::ops
