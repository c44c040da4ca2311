#pragma once
/// The folder tasks/<id> of one task.
#include <bgt/base/fd.hpp>
#include <bgt/store/spec.hpp>
#include <bgt/store/status.hpp>
#include <bgt/store/task_id.hpp>

namespace bgt::store {

/// Names of the files in a task's folder (DESIGN: one line each in ARCHITECTURE.md).
namespace file {
inline constexpr const char* spec = "spec.json";
inline constexpr const char* status = "status";
inline constexpr const char* events = "events.jsonl";
inline constexpr const char* out_fifo = "out";
inline constexpr const char* err_fifo = "err";
inline constexpr const char* in_fifo = "in";
inline constexpr const char* out_log = "out.log";
inline constexpr const char* err_log = "err.log";
inline constexpr const char* out_index = "out.idx";
inline constexpr const char* err_index = "err.idx";
inline constexpr const char* out_stage = "out.stage";
inline constexpr const char* err_stage = "err.stage";
inline constexpr const char* tail = "tail";
inline constexpr const char* environment = "env";
inline constexpr const char* lock = "lock";
inline constexpr const char* control = "ctl.sock";
} // namespace file

class TaskDir {
public:
    TaskDir() = default;
    TaskDir(TaskId id, std::string path, Fd dir)
        : id_(id), path_(std::move(path)), dir_(std::move(dir))
    {}

    TaskId id() const { return id_; }
    const std::string& path() const { return path_; }
    int fd() const { return dir_.get(); }

    /// Opens a file of the folder, close-on-exec and never through a symlink (O_NOFOLLOW |
    /// O_CLOEXEC are added).
    Result<Fd> open(const char* name, int flags, unsigned mode = 0600) const;

    /// Takes the task's lock (an OFD write lock, man 2 fcntl: F_OFD_SETLK), which belongs to this
    /// value and to the processes forked from its holder; it lasts until all of them have closed
    /// it. False: another holds it. Error (not_found): the folder was removed meanwhile.
    Result<bool> try_lock();
    /// Another process has passed on the descriptor that holds the lock.
    void take_over_lock(Fd lock) { lock_ = std::move(lock); }
    /// The descriptor that holds the lock, -1 without: what a process forked from this one must
    /// keep open.
    int lock_fd() const { return lock_.get(); }
    /// Whether anybody holds the lock: asked without taking it (F_OFD_GETLK). A folder without a
    /// lock file: no.
    Result<bool> is_locked() const;
    /// Lets the lock go (this process's copy of it).
    void unlock() { lock_.reset(); }
    /// Removes what only a running task needs: the FIFOs, the socket and the marks of stages.
    /// False: something is left.
    bool remove_channels() const;

private:
    TaskId id_;
    std::string path_;
    Fd dir_;
    Fd lock_;
};

} // namespace bgt::store
