#include "sample_waits.hpp"

#include <bgt/base/fd.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace bgt::os {

namespace {

using core::WaitsFor;

constexpr std::size_t max_threads = 64, max_polled = 256;

/// "fd/7" in place.
class Entry {
public:
    Entry(std::string_view folder, std::int32_t number)
    {
        char* const end = std::copy(folder.begin(), folder.end(), text_.data());
        *std::to_chars(end, end + 12, number).ptr = '\0';
    }
    const char* c_str() const { return text_.data(); }

private:
    std::array<char, 32> text_;
};

/// What one thread may wait for. `folder` is its own in /proc, or that of its process.
class Waiter {
public:
    Waiter(int folder, std::int32_t pid, const StdinFifo& fifo)
        : folder_(folder), pid_(pid), fifo_(fifo)
    {}

    WaitsFor look() const;
    /// A terminal or the task's stdin. By its inode, not by the text of the link; nothing is asked
    /// of a file server that may be gone (AT_STATX_DONT_SYNC).
    bool is_input(int fd) const;

private:
    struct Polled {
        std::vector<int> readable; ///< descriptors asked for input
        bool alone = true;         ///< nothing else is asked
        bool endless = false;      ///< no timeout
        bool nothing = false;      ///< a time is all that is waited for
    };

    bool gives_each_key(int fd) const;
    bool wakes_itself(int fd) const;
    std::string_view link(int fd, std::span<char> room) const;

    WaitsFor judge(const Polled&) const;
    WaitsFor judge_unknown() const { return is_input(0) ? WaitsFor::maybe_input : WaitsFor::other; }
    WaitsFor poll(const SleepingCall&, bool endless) const;
    WaitsFor select(const SleepingCall&) const;
    WaitsFor epoll(const SleepingCall&, bool endless) const;
    bool copy(std::uint64_t from, void* to, std::size_t size) const;

    int folder_;
    std::int32_t pid_;
    StdinFifo fifo_;
};

std::string_view Waiter::link(int fd, std::span<char> room) const
{
    const ssize_t length =
        fd < 0 ? -1 : ::readlinkat(folder_, Entry("fd/", fd).c_str(), room.data(), room.size());
    return {room.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

/// By its inode, as the text of the link can be that of another place. But only what may be a
/// terminal or a FIFO of a task is asked for its inode at all: a file server may be gone, and who
/// asks it is gone with it.
bool Waiter::is_input(int fd) const
{
    constexpr unsigned first_pts = 136, last_pts = 143, tty = 4, alternative_tty = 5,
                       ptmx_minor = 2;
    std::array<char, 1024> room;
    const std::string_view target = link(fd, room);
    const bool unreachable = target.starts_with('/') &&
                             target.find('/', 1) == target.npos; // a terminal of another mount
    const bool may_be_fifo =
        target.ends_with("/in") || target.ends_with("/out") || target.ends_with("/err");
    if (target == "/dev/null" || (!target.starts_with("/dev/") && !may_be_fifo && !unreachable))
        return false;
    struct statx info {};
    if (!stat_handle(folder_, Entry("fd/", fd).c_str(), info)) return false;
    if (S_ISFIFO(info.stx_mode))
        return fifo_.is(::makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino);
    if (!S_ISCHR(info.stx_mode)) return false;
    const unsigned major = info.stx_rdev_major; // Documentation/admin-guide/devices.txt of Linux
    if (major == alternative_tty) return info.stx_rdev_minor < ptmx_minor; // /dev/tty, /dev/console
    return major == tty || (major >= first_pts && major <= last_pts);
}

bool Waiter::gives_each_key(int fd) const
{
    std::array<char, 64> room;
    if (!link(fd, room).starts_with("/dev/pts/")) return false;
    return is_raw_terminal(Fd(::openat(folder_, Entry("fd/", fd).c_str(),
                                       O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))
                               .get());
}

/// An event counter, a timer, signals, or a pipe whose other end is its own. Of a socket pair
/// nothing tells but a dump of all sockets: so of sockets one is taken for the end of a pair where
/// the process holds the next inode, too.
bool Waiter::wakes_itself(int fd) const
{
    std::array<char, 64> room, other_room;
    const std::string_view target = link(fd, room);
    if (target == "anon_inode:[eventfd]" || target == "anon_inode:[timerfd]" ||
        target == "anon_inode:[signalfd]")
        return true;
    const bool is_pipe = target.starts_with("pipe:");
    if (!is_pipe && !target.starts_with("socket:")) return false;
    const Fd fds(::openat(folder_, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fds) return false;
    std::uint64_t inode = 0, pair = 0;
    const auto number = [](std::string_view text, std::uint64_t& out) {
        const auto open = text.find('[');
        return open != text.npos &&
               std::from_chars(text.data() + open + 1, text.data() + text.size(), out).ec ==
                   std::errc{};
    };
    if (!number(target, inode)) return false;
    for (const std::int32_t other : numeric_entries(fds.get())) {
        if (other == fd) continue;
        const std::string_view text = link(other, other_room);
        if (is_pipe ? text == target
                    : text.starts_with("socket:") && number(text, pair) &&
                          (pair == inode + 1 || pair + 1 == inode))
            return true;
    }
    return false;
}

bool Waiter::copy(std::uint64_t from, void* to, std::size_t size) const
{
    const iovec local{to, size}, remote{reinterpret_cast<void*>(from), size};
    return ::process_vm_readv(pid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

WaitsFor Waiter::judge(const Polled& polled) const
{
    if (polled.nothing) return WaitsFor::sleep;
    const auto input = std::ranges::find_if(polled.readable, [&](int fd) { return is_input(fd); });
    if (input == polled.readable.end()) return WaitsFor::other;
    if (polled.alone && polled.endless && polled.readable.size() == 1) return WaitsFor::input;
    std::array<char, 64> room;
    bool others = false;
    for (const int fd : polled.readable) {
        if (link(fd, room).ends_with("ptmx")) return WaitsFor::other; // it hands on what is typed
        others = others || (fd != *input && !wakes_itself(fd));
    }
    if (others || !polled.alone) return WaitsFor::maybe_input;
    return polled.endless || gives_each_key(*input) ? WaitsFor::input : WaitsFor::maybe_input;
}

WaitsFor Waiter::poll(const SleepingCall& call, bool endless) const
{
    std::array<pollfd, max_polled> asked;
    const std::size_t count = std::min<std::uint64_t>(call.args[1], asked.size());
    if (count == 0) return endless ? WaitsFor::other : WaitsFor::sleep;
    if (!copy(call.args[0], asked.data(), count * sizeof asked[0])) return judge_unknown();
    Polled polled;
    polled.endless = endless;
    for (const pollfd& one : std::span(asked).first(count)) {
        if (one.fd < 0) continue;
        if ((one.events & POLLIN) != 0) polled.readable.push_back(one.fd);
        else polled.alone = false;
    }
    return judge(polled);
}

WaitsFor Waiter::select(const SleepingCall& call) const
{
    constexpr std::size_t word_bits = 8 * sizeof(unsigned long);
    std::array<unsigned long, 1024 / word_bits> set{};
    const auto limit = static_cast<std::size_t>(
        std::clamp<std::int64_t>(static_cast<std::int32_t>(call.args[0]), 0, 1024));
    if (limit == 0 && call.args[4] != 0) return WaitsFor::sleep;
    if (limit == 0 || call.args[1] == 0) return WaitsFor::other;
    if (!copy(call.args[1], set.data(), (limit + word_bits - 1) / word_bits * sizeof set[0]))
        return judge_unknown();
    Polled polled;
    polled.endless = call.args[4] == 0;
    polled.alone = call.args[2] == 0 && call.args[3] == 0;
    for (std::size_t fd = 0; fd < limit; ++fd)
        if ((set[fd / word_bits] >> (fd % word_bits) & 1) != 0)
            polled.readable.push_back(static_cast<int>(fd));
    return judge(polled);
}

WaitsFor Waiter::epoll(const SleepingCall& call, bool endless) const
{
    const auto epoll_fd = static_cast<std::int32_t>(call.args[0]);
    const Fd file(::openat(folder_, Entry("fdinfo/", epoll_fd).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 16 * 1024> buffer;
    Polled polled;
    if (file) polled.readable = epoll_inputs(read_some(file.get(), buffer));
    polled.endless = endless;
    return judge(polled);
}

WaitsFor Waiter::look() const
{
    const Fd file(::openat(folder_, "syscall", O_RDONLY | O_CLOEXEC));
    if (!file) return WaitsFor::other;
    std::array<char, 256> buffer; // nine numbers
    auto call = parse_syscall(read_some(file.get(), buffer));
    if (!call) return WaitsFor::other;
    if (call->number == SYS_restart_syscall)
        if (const Fd place(::openat(folder_, "wchan", O_RDONLY | O_CLOEXEC)); place)
            call->number = restarted_call(*call, read_some(place.get(), buffer));
    switch (call->number) {
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_preadv:
        return is_input(static_cast<std::int32_t>(call->args[0])) ? WaitsFor::input
                                                                  : WaitsFor::other;
    case SYS_ppoll: return poll(*call, call->args[2] == 0);
    case SYS_pselect6: return select(*call);
#ifdef SYS_poll // newer architectures have only the calls above and below
    case SYS_poll: return poll(*call, static_cast<std::int32_t>(call->args[2]) < 0);
    case SYS_select: return select(*call);
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait: return epoll(*call, static_cast<std::int32_t>(call->args[3]) < 0);
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2: return epoll(*call, call->args[3] == 0);
#endif
    case SYS_nanosleep:
    case SYS_clock_nanosleep: return WaitsFor::sleep;
    default: return WaitsFor::other;
    }
}

} // namespace

bool is_raw_terminal(int fd)
{
    termios mode{};
    return fd >= 0 && ::tcgetattr(fd, &mode) == 0 && (mode.c_lflag & ICANON) == 0;
}

bool is_forking(int folder)
{
    const Fd file(::openat(folder, "syscall", O_RDONLY | O_CLOEXEC));
    if (!file) return false;
    std::array<char, 256> buffer;
    const std::optional<SleepingCall> call = parse_syscall(read_some(file.get(), buffer));
    if (!call) return false;
#ifdef SYS_vfork
    if (call->number == SYS_vfork) return true;
#endif
#ifdef SYS_clone3
    if (call->number == SYS_clone3) return true;
#endif
    return call->number == SYS_clone;
}

WaitsFor waits_for(int folder, std::int32_t pid, const LifeStat& stat, const StdinFifo& fifo)
{
    const Waiter main_thread(folder, pid, fifo);
    WaitsFor found = main_thread.look();
    const bool led_by_zombie = stat.state == 'Z'; // whose descriptors are closed
    if (found == WaitsFor::input || stat.threads <= 1) return found;
    if (!led_by_zombie && stat.tty == 0 && !main_thread.is_input(0)) return found;
    const Fd tasks(::openat(folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!tasks) return found;
    auto threads = numeric_entries(tasks.get());
    threads.resize(std::min(threads.size(), max_threads));
    for (const std::int32_t thread : threads) {
        const Fd own(
            ::openat(tasks.get(), Entry("", thread).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        const WaitsFor other = own ? Waiter(own.get(), thread, fifo).look() : WaitsFor::other;
        if (other == WaitsFor::input) return other;
        if (other == WaitsFor::maybe_input) found = other;
    }
    return found;
}

} // namespace bgt::os
