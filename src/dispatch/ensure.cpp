// Who dispatches, and who is next.
#include <bgt/dispatch/dispatcher.hpp>

#include "dispatcher.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/file_lock.hpp>
#include <bgt/os/background.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/os/clock.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

constexpr const char* lock_path = "queue/dispatcher.lock";

} // namespace

bool has_dispatcher(const store::Root& root)
{
    const Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
    struct flock lock = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

namespace {

/// Forks one that holds the lock, where nobody has it. `still_wanted` is asked once it is held.
template <class Wanted>
Result<void> take_place(const store::Root& root, Wanted still_wanted)
{
    Fd fd = store::open_file(root.fd(), lock_path, O_RDWR | O_CREAT);
    if (!fd) return Error::system("the lock of the dispatcher", errno);
    struct flock lock = whole_file();
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) return {}; // somebody dispatches
        return Error::system("the lock of the dispatcher", errno);
    }
    BGT_TRY_ASSIGN(const bool wanted, still_wanted());
    if (!wanted) return {};
    const Result<pid_t> pid = os::fork_supervisor({root.fd(), fd.get()}, "bgt:dispatcher", [&] {
        auto opened = store::Root::open(root.path(), store::Root::IfMissing::empty);
        return opened ? Dispatcher(*std::move(opened), std::move(fd)).run() : 125;
    });
    if (!pid) return pid.error();
    return {};
}

} // namespace

Result<void> ensure_dispatcher(const store::Root& root)
{
    if (!store::QueueFile::is_there(root)) return {};
    return take_place(root, [&]() -> Result<bool> {
        if (!store::QueueFile::is_there(root)) return false; // all was done meanwhile
        // Nobody dispatches what is damaged, or was written for another root.
        BGT_TRY_ASSIGN(store::QueueFile file, store::QueueFile::open(root, false, os::boot_id()));
        BGT_TRY(file.check());
        return true;
    });
}

Result<void> prepare_dispatcher(const store::Root& root)
{
    return take_place(root, []() -> Result<bool> { return true; });
}

/// Waits in the kernel until the dispatcher has died, and takes its place.
void Dispatcher::start_standby()
{
    const Result<pid_t> pid = os::fork_supervisor({root_.fd()}, "bgt:standby", [&] {
        Fd fd = store::open_file(root_.fd(), lock_path, O_RDWR);
        struct flock lock = whole_file();
        if (!fd || retry_on_eintr([&] { return ::fcntl(fd.get(), F_OFD_SETLKW, &lock); }) != 0)
            return 125;
        if (!store::QueueFile::is_there(root_)) return 0; // the one before had come to its end
        return Dispatcher(std::move(root_), std::move(fd)).run();
    });
    standby_ = pid ? *pid : -1; // without one, whoever comes by puts another dispatcher in place
}

} // namespace bgt::dispatch
