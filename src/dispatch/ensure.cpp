// Who dispatches, and who is next.
#include <bgt/dispatch/dispatcher.hpp>

#include "dispatcher.hpp"
#include "limits.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/file_lock.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/privileges.hpp>
#include <bgt/os/title.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

constexpr const char* lock_path = "queue/dispatcher.lock";

/// Who holds the lock, as write_holder() wrote it.
struct Holder {
    pid_t pid = 0; ///< in its own pid namespace; 0: not known
    Namespaces place;
    std::uint32_t secure_bits = 0;
    bool stays = false; ///< it has seen what waits, and does not give way for it
};

Holder holder_of(int lock)
{
    std::array<char, 160> text{};
    Holder holder;
    if (::pread(lock, text.data(), text.size() - 1, 0) <= 0) return holder;
    Namespaces& in = holder.place;
    int stays = 0;
    // One of an older bgt wrote its pid only.
    const int fields = std::sscanf(
        text.data(), "%d\n%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %d",
        &holder.pid, &in.mount, &in.pid, &in.network, &in.user, &holder.secure_bits, &stays);
    if (fields == 7) in.boot = os::boot_id(); // it lives
    holder.pid = std::max(holder.pid, 0);
    holder.stays = stays != 0;
    return holder;
}

void write_holder(int lock, pid_t pid, bool stays)
{
    const Namespaces& in = own_place();
    const std::string text =
        fmt::format("{}\n{} {} {} {} {} {}\n", pid, in.mount, in.pid, in.network, in.user,
                    own_privileges().secure_bits.value_or(0), stays ? 1 : 0);
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

namespace {

/// Nobody where nobody dispatches.
Holder dispatcher_of(const store::Root& root)
{
    const Fd fd = store::open_file(root.fd(), lock_path, O_RDWR);
    return fd && is_held(fd.get()) ? holder_of(fd.get()) : Holder{};
}

} // namespace

std::optional<std::string> lack_of_dispatcher(const store::Root& root,
                                              const store::QueueContext& submitted)
{
    const Holder holder = dispatcher_of(root);
    if (auto lack = lack_of_place(holder.pid > 0 ? holder.place : own_place(), submitted))
        return lack;
    // In another pid namespace its pid is somebody else's.
    const bool is_apart = os::differing_namespace(holder.place, own_place()) != nullptr;
    return is_apart ? std::nullopt : lack_of(holder.pid, holder.secure_bits, submitted);
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
    write_holder(fd.get(), *pid, false); // before anybody else can ask
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

namespace {

/// Whoever would dispatch could start only one of the two.
Result<void> check_what_waits(const store::Root& root, const store::QueueContext& submitted)
{
    if (!store::QueueFile::is_there(root)) return {};
    BGT_TRY_ASSIGN(const store::QueueFile file, store::QueueFile::open(root, false, os::boot_id()));
    std::set<std::string> others;
    const char* kind = nullptr;
    for (const std::string& name : store::context_names(file)) {
        const auto context = store::read_context(file, name);
        const char* const found =
            context ? os::differing_namespace(submitted.namespaces, context->namespaces) : nullptr;
        if (found != nullptr && others.insert(name).second) kind = found;
    }
    if (others.empty()) return {};
    BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
    if (!view.needs_any(others)) return {}; // none that waits
    return Error::failed(fmt::format(
        "nothing can wait here: what waits in this state root already was submitted in another {} "
        "namespace, and has to start there first; or use another state root (--root)",
        kind));
}

/// What this dispatcher can't do, and nobody else may either while it is there.
Result<void> check_place(const Holder& holder, const store::QueueContext& submitted)
{
    auto lack = lack_of_place(holder.place, submitted);
    if (!lack) {
        const auto here = os::privileges_of(holder.pid);
        if (here && os::is_filtered_otherwise(*here, submitted.privileges))
            lack = os::lack_of_privileges(*here, submitted.privileges);
    }
    if (!lack) return {};
    return Error::failed(fmt::format(
        "nothing can wait here: the dispatcher of this state root (process {}) can't start what is "
        "submitted with {}; submit it from where that process is, or use another state root "
        "(--root)",
        holder.pid, *lack));
}

} // namespace

Result<void> prepare_dispatcher(const store::Root& root, const store::QueueContext& submitted)
{
    if (!dispatcher_of(root).stays) BGT_TRY(check_what_waits(root, submitted));
    BGT_TRY(take_place(root, []() -> Result<bool> { return true; }));
    const Holder holder = dispatcher_of(root);
    if (holder.pid <= 0) return {};
    BGT_TRY(check_place(holder, submitted));
    // One that can't give the task what it is submitted with gives way when it sees it.
    if (!lack_of(holder.pid, holder.secure_bits, submitted)) return {};
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

void Dispatcher::write_holder(bool stays)
{
    dispatch::write_holder(lock_.get(), ::getpid(), stays);
}

} // namespace bgt::dispatch
