#include <bgt/store/shutdown_lock.hpp>

#include <bgt/base/duplicate.hpp>
#include <bgt/base/file_lock.hpp>
#include <bgt/store/open_file.hpp>

#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* file_name = "shutdown.lock";

/// Whether the file still has its name: the holder before may have removed it meanwhile.
bool is_in_place(int root, int file)
{
    struct stat opened {
    }, named{};
    return ::fstat(file, &opened) == 0 &&
           ::fstatat(root, file_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

} // namespace

Result<std::optional<ShutdownLock>> ShutdownLock::try_take(const Root& root)
{
    const auto fail = [&] {
        return detail::explain("can't lock " + root.path() + "/" + file_name, errno);
    };
    while (true) {
        Fd file = open_lock_file(root.fd(), file_name, O_RDWR | O_CREAT);
        if (!file) return fail();
        struct flock lock = whole_file();
        if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
            if (errno == EAGAIN || errno == EACCES) return std::optional<ShutdownLock>{};
            return fail();
        }
        if (!is_in_place(root.fd(), file.get())) continue;
        Fd folder = duplicate(root.fd());
        if (!folder) return fail();
        return std::optional(ShutdownLock(std::move(folder), std::move(file)));
    }
}

ShutdownLock::~ShutdownLock()
{
    if (file_)
        ::unlinkat(folder_.get(), file_name, 0); // what can't be removed is free all the same
}

Result<void> check_not_shut_down(const Root& root)
{
    const Fd file = open_lock_file(root.fd(), file_name, O_RDWR);
    if (!file) return {}; // there is none, or none that somebody could hold
    struct flock lock = whole_file();
    if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return {};
    return Error::failed("bgt shutdown is ending all tasks in " + root.path() +
                         ": nothing is started there until it has ended");
}

} // namespace bgt::store
