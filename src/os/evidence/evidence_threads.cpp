// The threads of a process, and in which system call each of them waits.
#include "evidence.hpp"

#include "sample/sample_text.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

namespace bgt::os::detail {

namespace {

using core::Call;

/// Where a call's time limit stands.
enum class Limit : std::uint8_t { none, milliseconds, timespec, timeval };

struct KnownCall {
    long number;
    Call call;
    int fd; ///< which argument is the descriptor; -1: none
    Limit limit = Limit::none;
    std::size_t limit_at = 0;
};

// man 2 syscalls. Those that newer architectures lack are asked for.
constexpr KnownCall known_calls[] = {
    {SYS_read, Call::read, 0},
    {SYS_readv, Call::read, 0},
    {SYS_pread64, Call::read, 0},
    {SYS_write, Call::write, 0},
    {SYS_writev, Call::write, 0},
    {SYS_pwrite64, Call::write, 0},
    {SYS_sendfile, Call::write, 0},
    {SYS_splice, Call::read, 0},
    {SYS_tee, Call::read, 0},
    {SYS_recvfrom, Call::receive, 0},
    {SYS_recvmsg, Call::receive, 0},
    {SYS_recvmmsg, Call::receive, 0, Limit::timespec, 4},
    {SYS_sendto, Call::send, 0},
    {SYS_sendmsg, Call::send, 0},
    {SYS_sendmmsg, Call::send, 0},
    {SYS_connect, Call::connect, 0},
    {SYS_accept, Call::accept, 0},
    {SYS_accept4, Call::accept, 0},
    {SYS_futex, Call::futex, -1, Limit::timespec, 3},
    {SYS_wait4, Call::wait_child, -1},
    {SYS_waitid, Call::wait_child, -1},
    {SYS_clone, Call::wait_child, -1},
#ifdef SYS_clone3
    {SYS_clone3, Call::wait_child, -1},
#endif
#ifdef SYS_poll
    {SYS_poll, Call::poll, -1, Limit::milliseconds, 2},
    {SYS_select, Call::poll, -1, Limit::timeval, 4},
    {SYS_epoll_wait, Call::poll, 0, Limit::milliseconds, 3},
    {SYS_open, Call::open, -1},
    {SYS_creat, Call::open, -1},
    {SYS_pause, Call::signal, -1},
    {SYS_vfork, Call::wait_child, -1}, // in it: until the child executes a program, or ends
#endif
    {SYS_ppoll, Call::poll, -1, Limit::timespec, 2},
    {SYS_pselect6, Call::poll, -1, Limit::timespec, 4},
    {SYS_epoll_pwait, Call::poll, 0, Limit::milliseconds, 3},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, Call::poll, 0, Limit::timespec, 3},
#endif
#ifdef SYS_io_uring_enter
    {SYS_io_uring_enter, Call::poll, -1},
#endif
    {SYS_nanosleep, Call::sleep, -1, Limit::timespec, 0},
    {SYS_clock_nanosleep, Call::sleep, -1, Limit::timespec, 2},
    {SYS_flock, Call::lock, 0},
    {SYS_fcntl, Call::lock, 0},
    {SYS_ioctl, Call::unknown, 0},
    {SYS_openat, Call::open, -1},
    {SYS_rt_sigsuspend, Call::signal, -1},
    {SYS_rt_sigtimedwait, Call::signal, -1, Limit::timespec, 2},
    {SYS_msgrcv, Call::ipc, -1},
    {SYS_msgsnd, Call::ipc, -1},
    {SYS_semop, Call::ipc, -1},
    {SYS_semtimedop, Call::ipc, -1, Limit::timespec, 3},
    {SYS_mq_timedreceive, Call::ipc, 0},
    {SYS_mq_timedsend, Call::ipc, 0},
    {SYS_fsync, Call::sync, 0},
    {SYS_fdatasync, Call::sync, 0},
    {SYS_sync, Call::sync, -1},
};

/// Places in the kernel that tell the call where it may not be read, or was begun again after a
/// signal.
constexpr std::pair<std::string_view, Call> known_places[] = {
    {"wait_for_vfork", Call::wait_child},
    {"kernel_clone", Call::wait_child},
    {"do_wait", Call::wait_child},
    {"futex", Call::futex},
    {"hrtimer_nanosleep", Call::sleep},
    {"do_nanosleep", Call::sleep},
    {"n_tty_read", Call::read},
    {"pipe_read", Call::read},
    {"anon_pipe_read", Call::read},
    {"pipe_write", Call::write},
    {"anon_pipe_write", Call::write},
    {"ep_poll", Call::poll},
    {"do_epoll", Call::poll},
    {"do_poll", Call::poll},
    {"do_sys_poll", Call::poll},
    {"poll_schedule", Call::poll},
    {"do_select", Call::poll},
    {"inet_csk_accept", Call::accept},
    {"sk_wait_data", Call::receive},
    {"locks_lock", Call::lock},
    {"do_sigtimedwait", Call::signal},
    {"sys_pause", Call::signal},
};

using Arguments = std::array<std::uint64_t, 6>;

std::optional<Duration> limit_of(std::int32_t pid, const KnownCall& known,
                                 const Arguments& arguments)
{
    const std::uint64_t value = arguments[known.limit_at];
    switch (known.limit) {
    case Limit::none: return std::nullopt;
    case Limit::milliseconds: {
        const auto ms = static_cast<std::int32_t>(value);
        if (ms < 0) return std::nullopt;
        return std::chrono::milliseconds(ms);
    }
    case Limit::timespec:
    case Limit::timeval: break;
    }
    std::array<std::int64_t, 2> time{};
    if (value == 0 || !read_memory(pid, value, time.data(), sizeof time)) return std::nullopt;
    constexpr std::int64_t most = 100ll * 365 * 86400;
    if (time[0] < 0 || time[0] > most || time[1] < 0 || time[1] >= 1'000'000'000)
        return std::chrono::seconds(most);
    const Duration part = known.limit == Limit::timeval
                              ? Duration(std::chrono::microseconds(time[1] % 1'000'000))
                              : Duration(std::chrono::nanoseconds(time[1]));
    return std::chrono::seconds(time[0]) + part;
}

/// The clock by which the limit is a date; nullopt: it is a time to wait.
std::optional<clockid_t> clock_of(const SleepingCall& call)
{
    if (call.number == SYS_clock_nanosleep && (call.args[1] & TIMER_ABSTIME) != 0)
        return static_cast<clockid_t>(call.args[0]);
    if (call.number != SYS_futex ||
        (call.args[1] & static_cast<std::uint64_t>(FUTEX_CMD_MASK)) == FUTEX_WAIT)
        return std::nullopt;
    return (call.args[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

/// What is left until that date.
Duration left_until(Duration date, clockid_t clock)
{
    timespec ts{};
    if (::clock_gettime(clock, &ts) != 0) return Duration::zero();
    return std::max(Duration::zero(),
                    date - std::chrono::seconds(ts.tv_sec) - std::chrono::nanoseconds(ts.tv_nsec));
}

/// A text in the memory of a process, up to its NUL; cut at 512 bytes.
std::string read_text(std::int32_t pid, std::uint64_t address)
{
    std::string text;
    while (text.size() < 512) {
        std::array<char, 256> part{};
        // Never over the end of a page: the next one may not be there.
        const std::size_t size =
            std::min<std::size_t>(part.size(), 4096 - (address + text.size()) % 4096);
        if (!read_memory(pid, address + text.size(), part.data(), size)) break;
        const auto end =
            std::find(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size), '\0');
        text.append(part.begin(), end);
        if (end != part.begin() + static_cast<std::ptrdiff_t>(size)) break;
    }
    return text;
}

std::vector<std::int32_t> polled_by(std::int32_t pid, const Arguments& arguments)
{
    std::array<pollfd, 64> polled{};
    const std::size_t count = std::min<std::size_t>(polled.size(), arguments[1]);
    std::vector<std::int32_t> fds;
    if (count == 0 || !read_memory(pid, arguments[0], polled.data(), count * sizeof(pollfd)))
        return fds;
    for (std::size_t i = 0; i < count; ++i)
        if (polled[i].fd >= 0 && polled[i].events != 0) fds.push_back(polled[i].fd);
    return fds;
}

std::vector<std::int32_t> selected_by(std::int32_t pid, const Arguments& arguments)
{
    std::vector<std::int32_t> fds;
    const std::size_t count = std::min<std::size_t>(FD_SETSIZE, arguments[0]);
    for (const std::uint64_t address : {arguments[1], arguments[2]}) {
        std::array<std::uint64_t, FD_SETSIZE / 64> set{};
        if (address == 0 || count == 0 ||
            !read_memory(pid, address, set.data(), (count + 63) / 64 * 8))
            continue;
        for (std::size_t fd = 0; fd < count; ++fd)
            if ((set[fd / 64] >> (fd % 64) & 1) != 0) fds.push_back(static_cast<std::int32_t>(fd));
    }
    return fds;
}

/// The "tfd:" lines of /proc/PID/fdinfo/FD of an epoll instance.
std::vector<std::int32_t> watched_by(const ProcDir& proc, std::int32_t pid, std::int32_t epoll)
{
    std::vector<std::int32_t> fds;
    const std::string text = proc.read(pid, fmt::format("fdinfo/{}", epoll), 64 * 1024);
    std::string_view rest = text, line;
    while (next_line(rest, line) && fds.size() < 256) {
        const auto words = words_of(line);
        std::int32_t fd = -1;
        if (words.size() >= 2 && words[0] == "tfd:" && read_number(words[1], fd)) fds.push_back(fd);
    }
    return fds;
}

/// Of many descriptors those that tell most: before the event counters and timers by which a
/// program wakes itself.
std::vector<core::Handle> handles_of(const Gathering& gathering, std::int32_t pid,
                                     const std::vector<std::int32_t>& fds)
{
    std::vector<core::Handle> handles, own;
    for (const std::int32_t fd : fds) {
        core::Handle handle = handle_of(gathering, pid, fd);
        if (handle.kind == core::HandleKind::other || handle.text.empty()) continue;
        const bool wakes = handle.kind == core::HandleKind::event ||
                           handle.kind == core::HandleKind::timer ||
                           handle.kind == core::HandleKind::signals;
        auto& list = wakes ? own : handles;
        if (list.size() < core::max_handles_shown) list.push_back(std::move(handle));
    }
    own.resize(std::min(own.size(), core::max_handles_shown - handles.size()));
    for (auto& handle : own) handles.push_back(std::move(handle));
    return handles;
}

std::vector<core::Handle> polled_handles(const Gathering& gathering, std::int32_t pid,
                                         const SleepingCall& call, int fd_argument)
{
    if (fd_argument >= 0)
        return handles_of(gathering, pid,
                          watched_by(gathering.proc, pid, static_cast<std::int32_t>(call.args[0])));
#ifdef SYS_poll
    if (call.number == SYS_poll) return handles_of(gathering, pid, polled_by(pid, call.args));
    if (call.number == SYS_select) return handles_of(gathering, pid, selected_by(pid, call.args));
#endif
    if (call.number == SYS_ppoll) return handles_of(gathering, pid, polled_by(pid, call.args));
    if (call.number == SYS_pselect6) return handles_of(gathering, pid, selected_by(pid, call.args));
    return {};
}

bool is_creat(const SleepingCall& call)
{
#ifdef SYS_creat
    return call.number == SYS_creat;
#else
    return call.number < 0;
#endif
}

/// The signals that sigtimedwait waits for: "SIGUSR1, SIGTERM".
void add_signals(std::int32_t pid, const SleepingCall& call, core::ThreadEvidence& thread)
{
    constexpr int most = 64, shown = 4;
    std::uint64_t set = 0;
    if (!read_memory(pid, call.args[0], &set, sizeof set) || set == 0) return;
    core::Handle handle;
    handle.kind = core::HandleKind::signals;
    int count = 0;
    for (int signal = 1; signal <= most; ++signal) {
        if ((set >> (signal - 1) & 1) == 0 || ++count > shown) continue;
        handle.text += (handle.text.empty() ? "" : ", ") + signal_name(signal);
    }
    if (count > shown) handle.text += fmt::format(", and {} more", count - shown);
    thread.handles.push_back(std::move(handle));
}

/// Of a mutex the thread that holds it. In that of glibc the futex is its first word, 2 while
/// somebody waits, and the third is the owner; in that of musl, and where priority is inherited,
/// the owner is in the futex itself.
std::int32_t owner_of(std::int32_t pid, const SleepingCall& call)
{
    constexpr std::uint64_t contended = 2;
    std::array<std::uint32_t, 3> words{};
    if (!read_memory(pid, call.args[0], words.data(), sizeof words)) return 0;
    const bool is_glibc = call.args[2] == contended && words[0] == contended;
    return static_cast<std::int32_t>((is_glibc ? words[2] : words[0]) & FUTEX_TID_MASK);
}

/// A path of the process' memory: what it is about to open.
void add_opened(const Gathering& gathering, std::int32_t pid, const SleepingCall& call,
                core::ThreadEvidence& thread)
{
    const std::size_t at = call.number == SYS_openat ? 1 : 0;
    const auto folder = at == 1 ? static_cast<std::int32_t>(call.args[0]) : AT_FDCWD;
    thread.writes_wanted = is_creat(call) || (call.args[at + 1] & O_ACCMODE) == O_WRONLY;
    const std::string path = read_text(pid, call.args[at]);
    if (path.empty()) return;
    core::Handle handle = handle_of_path(gathering, pid, folder, path);
    // What is opened here waits for its other end, whatever can be asked of its file system.
    if (thread.wchan == "wait_for_partner" || thread.wchan == "fifo_open")
        handle.kind = core::HandleKind::fifo;
    thread.handles.push_back(std::move(handle));
}

/// Calls that are about a path, and which argument it is: the file system of that path may not
/// answer. Its text is all that is looked at.
void add_path(std::int32_t pid, const SleepingCall& call, core::ThreadEvidence& thread)
{
    constexpr std::pair<long, std::size_t> calls[] = {
        {SYS_newfstatat, 1}, {SYS_statx, 1},     {SYS_faccessat, 1},  {SYS_mkdirat, 1},
        {SYS_unlinkat, 1},   {SYS_renameat2, 1}, {SYS_readlinkat, 1}, {SYS_execve, 0},
        {SYS_chdir, 0},      {SYS_statfs, 0},    {SYS_truncate, 0},
#ifdef SYS_faccessat2
        {SYS_faccessat2, 1},
#endif
#ifdef SYS_stat
        {SYS_stat, 0},       {SYS_lstat, 0},     {SYS_access, 0},     {SYS_mkdir, 0},
        {SYS_unlink, 0},     {SYS_rename, 0},    {SYS_readlink, 0},
#endif
    };
    const auto known = std::find_if(std::begin(calls), std::end(calls),
                                    [&](const auto& row) { return row.first == call.number; });
    if (known == std::end(calls)) return;
    core::Handle handle;
    handle.text = shown_text(read_text(pid, call.args[known->second]));
    if (!handle.text.empty()) thread.handles.push_back(std::move(handle));
}

void decode(const Gathering& gathering, std::int32_t pid, const SleepingCall& call,
            core::ThreadEvidence& thread)
{
    thread.call_name = system_call_name(call.number);
    if (thread.call_name.empty()) thread.call_name = fmt::format("system call {}", call.number);
    const auto known = std::find_if(std::begin(known_calls), std::end(known_calls),
                                    [&](const auto& k) { return k.number == call.number; });
    if (known == std::end(known_calls)) return add_path(pid, call, thread);
    thread.call = known->call;
    const auto command = static_cast<int>(call.args[1]);
    if (call.number == SYS_fcntl && command != F_SETLKW && command != F_OFD_SETLKW)
        thread.call = Call::unknown;
    thread.timeout = limit_of(pid, *known, call.args);
    if (const auto clock = clock_of(call); thread.timeout && clock)
        thread.timeout = left_until(*thread.timeout, *clock);
    if (thread.call == Call::futex) {
        thread.futex = call.args[0];
        thread.futex_shared = (call.args[1] & FUTEX_PRIVATE_FLAG) == 0;
        thread.futex_owner = owner_of(pid, call);
    }
    if (thread.call == Call::poll) thread.handles = polled_handles(gathering, pid, call, known->fd);
    else if (call.number == SYS_rt_sigtimedwait) add_signals(pid, call, thread);
    else if (thread.call == Call::open) add_opened(gathering, pid, call, thread);
    else if (known->fd >= 0)
        thread.handles.push_back(
            handle_of(gathering, pid, static_cast<std::int32_t>(call.args[0])));
    if (thread.call == Call::ipc) thread.futex = call.args[0];
}

void guess_by_place(core::ThreadEvidence& thread)
{
    for (const auto& [place, call] : known_places)
        if (std::string_view(thread.wchan).starts_with(place)) thread.call = call;
    if (thread.call != Call::unknown &&
        (thread.call_name.empty() || thread.call_name.starts_with("system call")))
        thread.call_name = thread.wchan;
}

std::optional<core::ThreadEvidence> thread_of(const Gathering& gathering, std::int32_t pid,
                                              std::int32_t tid)
{
    const std::string folder = fmt::format("task/{}/", tid);
    const auto stat = parse_stat(gathering.proc.read(pid, folder + "stat", 1024));
    if (!stat || stat->state == 'X' || stat->state == 'Z') return std::nullopt;
    core::ThreadEvidence thread;
    thread.tid = tid;
    thread.name = printable(stat->comm);
    thread.state = stat->state;
    thread.wchan = printable(gathering.proc.read(pid, folder + "wchan", 128));
    if (thread.wchan == "0") thread.wchan.clear();
    const std::string text = gathering.proc.read(pid, folder + "syscall", 512);
    if (text.starts_with("running")) thread.call = Call::running;
    else if (auto call = parse_syscall(text)) {
        call->number = restarted_call(*call, thread.wchan);
        decode(gathering, pid, *call, thread);
    }
    if (thread.call == Call::unknown) guess_by_place(thread);
    return thread;
}

} // namespace

bool read_memory(std::int32_t pid, std::uint64_t address, void* into, std::size_t bytes)
{
    iovec local{into, bytes};
    iovec remote{reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), bytes};
    return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

std::vector<core::ThreadEvidence> threads_of(const Gathering& gathering, std::int32_t pid)
{
    std::vector<core::ThreadEvidence> threads;
    const Fd tasks = gathering.proc.open(pid, "task", O_RDONLY | O_DIRECTORY);
    if (!tasks) return threads;
    for (const std::int32_t tid : numeric_entries(tasks.get())) {
        if (threads.size() >= core::max_threads_shown) break;
        if (auto thread = thread_of(gathering, pid, tid)) threads.push_back(std::move(*thread));
    }
    const auto is_own = [&](std::int32_t tid) {
        return std::any_of(threads.begin(), threads.end(),
                           [tid](const auto& thread) { return thread.tid == tid; });
    };
    for (auto& thread :
         threads) // any other number there is no owner, but what another use of a futex has there
        if (!is_own(thread.futex_owner)) thread.futex_owner = 0;
    return threads;
}

} // namespace bgt::os::detail
