#pragma once
/// The one way into what lies in the state root. What another program put in the place of a file
/// costs nobody more than an error: nothing blocks on a FIFO, no symlink is followed, a device or a
/// folder is not read, and a file of another user is not used.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cerrno>

namespace bgt::store {

class TaskDir;

/// The errno for what is not of the kind that was asked for. No system call on files gives it.
inline constexpr int wrong_kind = EMEDIUMTYPE;
/// The errno for what belongs neither to this user nor to root.
inline constexpr int wrong_owner = EKEYREJECTED;
/// The errno for a file that is to be written and has a second name (a hard link), which may be
/// outside of the state root.
inline constexpr int wrong_links = ENOTUNIQ;

/// Opens a regular file below `dir`; no part of `path` is followed through a symlink. O_NOFOLLOW,
/// O_CLOEXEC and O_NONBLOCK (which means nothing to a regular file) are added. Empty with errno
/// set: wrong_kind, wrong_owner, wrong_links (where `flags` ask to write), ELOOP for a symlink, or
/// what openat says. With O_EXCL nothing needs to be looked at.
Fd open_file(int dir, const char* path, int flags, unsigned mode = 0600);
/// The same for a file that is opened for writing in order to lock it and never written: it may
/// have several names.
Fd open_lock_file(int dir, const char* path, int flags, unsigned mode = 0600);
/// The same for a FIFO, which stays non-blocking.
Fd open_fifo(int dir, const char* path, int flags);
/// A FIFO of a task's folder. Error: as above, explained; ENXIO: O_WRONLY, and nobody reads.
Result<Fd> open_fifo(const TaskDir&, const char* name, int flags);

} // namespace bgt::store
