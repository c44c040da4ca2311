#include <bgt/store/open_file.hpp>

#include "files.hpp"

#include <bgt/store/make_fifo.hpp>
#include <bgt/store/task_dir.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

enum class Links : unsigned char { any, one };

Fd open_kind(int dir, const char* path, int flags, unsigned mode, mode_t kind, Links links)
{
    // Truncated only when it is known to be no other file.
    Fd fd = detail::open_below(dir, path, (flags & ~O_TRUNC) | O_NONBLOCK, mode);
    if (!fd) {
        // A FIFO without a reader or a socket; a folder that is to be written; a device without a
        // driver.
        if (kind == S_IFREG && (errno == ENXIO || errno == EISDIR || errno == ENODEV))
            errno = wrong_kind;
        return fd;
    }
    if ((flags & O_EXCL) != 0) return fd; // made by this call
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return Fd();
    int wrong = 0;
    if ((st.st_mode & S_IFMT) != kind) wrong = wrong_kind;
    else if (st.st_uid != 0 && st.st_uid != ::geteuid()) wrong = wrong_owner;
    else if (links == Links::one && st.st_nlink > 1) wrong = wrong_links;
    else if ((flags & O_TRUNC) != 0 && ::ftruncate(fd.get(), 0) != 0) wrong = errno;
    if (wrong == 0) return fd;
    fd.reset();
    errno = wrong;
    return fd;
}

} // namespace

Fd open_file(int dir, const char* path, int flags, unsigned mode)
{
    return open_kind(dir, path, flags, mode, S_IFREG,
                     (flags & O_ACCMODE) == O_RDONLY ? Links::any : Links::one);
}

Fd open_lock_file(int dir, const char* path, int flags, unsigned mode)
{
    return open_kind(dir, path, flags, mode, S_IFREG, Links::any);
}

Fd open_fifo(int dir, const char* path, int flags)
{
    return open_kind(dir, path, flags, 0, S_IFIFO, Links::any);
}

Result<void> make_fifo(const TaskDir& task, const char* name)
{
    if (::mkfifoat(task.fd(), name, 0600) == 0 || errno == EEXIST) return {};
    const std::string what = "can't make the FIFO " + task.path() + "/" + name + " (mknod)";
    const bool refused =
        errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
    if (!refused) return detail::explain(what, errno);
    Error error = Error::system(what, errno);
    error.message += "; its file system has no FIFOs, or a sandbox refuses them: name a folder "
                     "elsewhere with --root";
    return error;
}

Result<Fd> open_fifo(const TaskDir& task, const char* name, int flags)
{
    Fd fd = open_fifo(task.fd(), name, flags);
    if (!fd) return detail::explain("can't open the FIFO " + task.path() + "/" + name, errno);
    return fd;
}

} // namespace bgt::store
