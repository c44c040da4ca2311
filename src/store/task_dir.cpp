#include <bgt/store/task_dir.hpp>

#include "files.hpp"

#include <bgt/base/file_lock.hpp>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::store {

Result<Fd> TaskDir::open(const char* name, int flags, unsigned mode) const
{
    Fd fd = open_file(dir_.get(), name, flags, mode);
    if (!fd) return detail::explain("can't open " + path_ + "/" + name, errno);
    return fd;
}

Result<bool> TaskDir::try_lock()
{
    if (lock_) return true;
    Fd opened = open_lock_file(dir_.get(), file::lock,
                               O_RDWR | O_CREAT); // active/ID is a second name of it
    if (!opened && errno == ENOENT) // nothing can be created in a folder that has been removed
        return Error{ErrorKind::not_found, "task " + to_string(id_) + " has been removed", ENOENT};
    if (!opened) return detail::explain("can't open " + path_ + "/" + file::lock, errno);
    struct flock lock = whole_file();
    if (::fcntl(opened.get(), F_OFD_SETLK, &lock) == 0) {
        lock_ = std::move(opened);
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) return false;
    return detail::explain("can't lock " + path_ + "/" + file::lock, errno);
}

Result<bool> TaskDir::is_locked() const
{
    if (lock_) return true;
    const Fd fd = open_file(dir_.get(), file::lock, O_RDONLY);
    if (!fd && errno == ENOENT) return false;
    struct flock lock = whole_file();
    if (!fd || ::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0)
        return detail::explain("can't ask for the lock " + path_ + "/" + file::lock, errno);
    return lock.l_type != F_UNLCK;
}

bool TaskDir::remove_channels() const
{
    bool all = true;
    for (const char* name : {file::out_fifo, file::err_fifo, file::in_fifo, file::control,
                             file::out_stage, file::err_stage})
        if (::unlinkat(dir_.get(), name, 0) != 0 && errno != ENOENT) all = false;
    return all;
}

} // namespace bgt::store
