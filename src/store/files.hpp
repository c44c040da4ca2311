#pragma once
/// What the files of this layer share: opening below a descriptor without following symlinks, whole
/// reads and writes, locks, listings, and what to say when the system refuses.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/store/task_id.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <dirent.h>
#include <span>
#include <string>
#include <string_view>

namespace bgt::store {
class Root;
}

namespace bgt::store::detail {

/// openat that follows no symlink in any part of `path` (man 2 openat2, RESOLVE_NO_SYMLINKS; where
/// the kernel lacks it, part by part). O_CLOEXEC is added. Empty with errno set when it fails;
/// ELOOP: a symlink was met.
Fd open_below(int dir, const char* path, int flags, unsigned mode = 0);
/// The same without openat2.
Fd open_stepwise(int dir, const char* path, int flags, unsigned mode);

/// "WHAT: reason", with what to do next for the errors that a person can mend.
Error explain(std::string what, int err);

/// 0, or the errno. Goes on after short writes and EINTR.
int write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
/// The bytes read, less than asked for only at the end of the file; -1 with errno set.
std::ptrdiff_t read_at(int fd, std::span<std::byte> into, std::uint64_t offset);
/// The whole regular file below `dir` (open_file). Error: `what` explained; EFBIG above `most`
/// bytes.
Result<std::string> read_file(int dir, const char* path, std::size_t most, const std::string& what);

/// Puts a file with this content in the place of `name`, or of nothing, in one step; it is made as
/// `made_as` first, and on disk before it gets its name (man 2 fdatasync). 0 or the errno: then the
/// old one stands. One caller at a time.
int replace_file(int dir, const char* made_as, const char* name, std::string_view content);

/// Whether every part of the way to the root (absolute), the root itself left out, belongs to this
/// user or to root and can be changed by nobody else. What is not there yet is passed over. Costs a
/// system call for each part.
Result<void> check_way(const std::string& root);

/// What lock_waiting answers when its timeout is over; explain() says so. No system call on files
/// gives this errno.
inline constexpr int lock_timed_out = ETIME;
/// Takes an OFD write lock (`shared`: a read lock) on the whole file (man 2 fcntl, F_OFD_SETLK),
/// asking again and again while another holds it, for as long as `timeout`. 0, lock_timed_out, or
/// the errno.
int lock_waiting(int fd, Duration timeout = std::chrono::seconds(5), bool shared = false);

/// The entries of a folder but `.` and `..`.
class Listing {
public:
    explicit Listing(Fd dir);
    ~Listing();
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    explicit operator bool() const { return dir_ != nullptr; }
    /// The next name, valid until the next call; nullptr at the end.
    const char* next();
    /// Back to the start, with what has changed since.
    void rewind();
    int fd() const;

private:
    DIR* dir_ = nullptr;
};

/// The id that a folder or marker is named for: digits without a leading zero; {0} for any other
/// name.
TaskId id_of_entry(std::string_view name);
/// The text "7\n" of next-id; {0} when damaged.
TaskId id_of_text(std::string_view text);

/// Names of folders in tasks/ that are not tasks: one being made, one being removed.
inline constexpr std::string_view new_prefix = ".new-";
inline constexpr std::string_view gone_prefix = ".gone-";

/// Adds up the disk space below parent/name and, with `remove`, removes it. Follows no symlink;
/// what vanishes meanwhile is no error. Depth is bounded (64).
Result<std::uint64_t> clear_tree(int parent, const char* name, bool remove);

/// Root::remove_task with the disk space given back.
Result<std::uint64_t> remove_task_folder(Root& root, TaskId id, TaskDir held);

/// Of clear_tree: a file there is open, and the file system (FUSE, NFS) keeps it under another name
/// until it is closed.
bool is_still_open(const Error&);

} // namespace bgt::store::detail
