// Who dispatches, and who is next.
#include <bgt/dispatch/dispatcher.hpp>

#include "dispatcher.hpp"
#include "limits.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/file_lock.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/title.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

constexpr const char* lock_path = "queue/dispatcher.lock";

/// Who holds it, as write_holder() wrote; 0: not known.
pid_t holder_of(int lock)
{
    std::array<char, 16> text{};
    if (::pread(lock, text.data(), text.size() - 1, 0) <= 0) return 0;
    return static_cast<pid_t>(std::max(0L, std::strtol(text.data(), nullptr, 10)));
}

void write_holder(int lock, pid_t pid)
{
    const std::string text = std::to_string(pid) + "\n";
    if (::pwrite(lock, text.data(), text.size(), 0) < 0) return; // then nobody knows it
    static_cast<void>(!::ftruncate(lock, static_cast<off_t>(text.size())));
}

bool is_held(int lock)
{
    struct flock whole = whole_file();
    return ::fcntl(lock, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/// Waits in the kernel until the dispatcher has died or given way, and takes its place.
Result<pid_t> fork_standby(const store::Root& root)
{
    return os::fork_supervisor({root.fd()}, "bgt:standby", [&] {
        Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
        struct flock lock = whole_file();
        if (!fd || retry_on_eintr([&] { return ::fcntl(fd.get(), F_OFD_SETLKW, &lock); }) != 0)
            return 125;
        if (!store::QueueFile::is_there(root)) return 0; // the one before had come to its end
        os::set_title("bgt:dispatcher");
        auto own = store::Root::open(root.path(), store::Root::IfMissing::empty);
        return own ? Dispatcher(*std::move(own), std::move(fd)).run() : 125;
    });
}

} // namespace

bool has_dispatcher(const store::Root& root)
{
    const Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
    return fd && is_held(fd.get());
}

std::optional<std::string> lack_of_dispatcher(const store::Root& root,
                                              const store::QueueContext& submitted)
{
    const Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
    return lack_of(fd && is_held(fd.get()) ? holder_of(fd.get()) : 0, submitted);
}

namespace {

/// Forks one that holds the lock, where nobody has it. `still_wanted` is asked once it is held.
/// False: it said no or failed, and the lock is free again.
template <class Wanted>
Result<bool> try_place(const store::Root& root, Wanted still_wanted)
{
    Fd fd = store::open_file(root.fd(), lock_path, O_RDWR | O_CREAT);
    if (!fd) return Error::system("the lock of the dispatcher", errno);
    struct flock lock = whole_file();
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) return true; // somebody dispatches
        return Error::system("the lock of the dispatcher", errno);
    }
    const Result<bool> wanted = still_wanted();
    if (!wanted || !*wanted) return false;
    const Result<pid_t> pid = os::fork_supervisor({root.fd(), fd.get()}, "bgt:dispatcher", [&] {
        auto opened = store::Root::open(root.path(), store::Root::IfMissing::empty);
        return opened ? Dispatcher(*std::move(opened), std::move(fd)).run() : 125;
    });
    if (!pid) return pid.error();
    write_holder(fd.get(), *pid); // before anybody else can ask
    return true;
}

/// Who came while the lock was held relies on its holder: what was not wanted, or not possible, is
/// asked once more when it is free.
template <class Wanted>
Result<void> take_place(const store::Root& root, Wanted still_wanted)
{
    while (true) {
        BGT_TRY_ASSIGN(const bool is_settled, try_place(root, still_wanted));
        if (is_settled) return {};
        BGT_TRY_ASSIGN(const bool wanted, still_wanted());
        if (!wanted) return {};
    }
}

} // namespace

Result<void> ensure_dispatcher(const store::Root& root)
{
    if (!store::QueueFile::is_there(root)) return {};
    return take_place(root, [&]() -> Result<bool> {
        if (!store::QueueFile::is_there(root)) return false; // all was done meanwhile
        // Nobody dispatches what is damaged, or was written for another root. Where all schedules
        // are paused and nothing waits, nobody has to.
        BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
        return view.is_empty() || view.needs_dispatcher();
    });
}

Result<void> prepare_dispatcher(const store::Root& root, const store::QueueContext& submitted)
{
    BGT_TRY(take_place(root, []() -> Result<bool> { return true; }));
    // One that can't give the task what it is submitted with gives way when it sees it.
    const Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
    const pid_t holder = fd && is_held(fd.get()) ? holder_of(fd.get()) : 0;
    if (holder <= 0 || !lack_of(holder, submitted)) return {};
    const Result<pid_t> successor = fork_standby(root);
    return successor ? Result<void>() : successor.error();
}

void Dispatcher::start_standby()
{
    const Result<pid_t> pid = fork_standby(root_);
    standby_since_ = os::now();
    standby_is_due_ = false;
    standby_ = pid ? *pid : -1; // without one, whoever comes by puts another dispatcher in place
}

void Dispatcher::write_holder()
{
    dispatch::write_holder(lock_.get(), ::getpid());
}

} // namespace bgt::dispatch
