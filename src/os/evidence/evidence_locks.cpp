// File locks that somebody of the tree waits for, and who holds them (/proc/locks,
// /proc/PID/fdinfo).
#include "evidence.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

struct LockLine {
    std::uint64_t number = 0; ///< of the lock; those who wait for it have the same
    bool waits = false;
    bool writes = false;   ///< nobody else may even read
    std::string_view kind; ///< FLOCK POSIX OFDLCK LEASE
    std::int32_t pid = 0;  ///< -1 for locks of open file descriptions, which belong to no process
    std::string_view file; ///< "08:01:1234", device and inode: fdinfo writes it in the same way
    std::uint64_t inode = 0;
};

/// "3: -> FLOCK  ADVISORY  WRITE 812 08:01:1234 0 EOF"
std::optional<LockLine> parse_line(std::string_view line)
{
    auto words = words_of(line);
    LockLine lock;
    if (words.size() < 2 || !words[0].ends_with(":") ||
        !read_number(words[0].substr(0, words[0].size() - 1), lock.number))
        return std::nullopt;
    lock.waits = words[1] == "->";
    const std::size_t first = lock.waits ? 2 : 1;
    if (words.size() < first + 5) return std::nullopt;
    lock.kind = words[first];
    lock.writes = words[first + 2] == "WRITE";
    lock.file = words[first + 4];
    if (!read_number(words[first + 3], lock.pid) ||
        !read_number(lock.file.substr(lock.file.rfind(':') + 1), lock.inode))
        return std::nullopt;
    return lock;
}

std::string kind_word(std::string_view kind)
{
    if (kind == "FLOCK") return "flock";
    if (kind == "POSIX") return "fcntl";
    return kind == "OFDLCK" ? "ofd" : std::string(shown_text(kind));
}

std::string read_locks()
{
    constexpr std::size_t most = 1 << 20;
    const Fd fd(::open("/proc/locks", O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (fd && text.size() < most) {
        const auto got = read_some(fd.get(), buffer);
        if (got.empty()) break;
        text += got;
    }
    return text;
}

/// The descriptor of the process that is this file; -1: none.
std::int32_t find_file(const Gathering& gathering, std::int32_t pid, std::uint64_t inode)
{
    for (const std::int32_t fd : descriptors_of(gathering.proc, pid)) {
        const auto handle = handle_of(gathering, pid, fd);
        if (handle.kind == core::HandleKind::file && handle.inode == inode) return fd;
    }
    return -1;
}

/// The process whose descriptor carries the lock: for locks that were inherited from a process that
/// has ended, or that belong to no process. fdinfo of such a descriptor has a "lock:" line.
std::int32_t find_holder(Gathering& gathering, std::string_view file, std::int32_t waiter)
{
    const std::string mark = fmt::format(" {} ", file);
    for (const std::int32_t pid : gathering.proc.pids()) {
        if (gathering.is_late()) return 0;
        if (pid == waiter || pid == ::getpid()) continue;
        for (const std::int32_t fd : descriptors_of(gathering.proc, pid)) {
            const std::string text = gathering.proc.read(pid, fmt::format("fdinfo/{}", fd), 2048);
            const auto at = text.find("lock:");
            if (at != text.npos && text.find(mark, at) != text.npos) return pid;
        }
    }
    return 0;
}

void add(Gathering& gathering, std::int32_t waiter, std::int32_t fd, const LockLine& held)
{
    core::LockEvidence lock;
    lock.waiter = waiter;
    lock.kind = kind_word(held.kind);
    lock.holder = held.pid > 0 && gathering.proc.stat(held.pid)
                      ? held.pid
                      : find_holder(gathering, held.file, waiter);
    if (lock.holder > 0) lock.holder_command = shown_text(command_line(lock.holder));
    if (fd >= 0) lock.path = shown_text(link_of(gathering.proc, waiter, fd));
    gathering.found.locks.push_back(std::move(lock));
}

/// The waiters that /proc/locks itself names.
void add_named(Gathering& gathering, const std::vector<LockLine>& lines)
{
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!lines[i].waits || !gathering.shown.contains(lines[i].pid)) continue;
        if (gathering.found.locks.size() >= core::max_waits_shown || gathering.is_late()) return;
        std::size_t held = i; // those who wait come right behind the lock they wait for
        while (held > 0 && lines[held].waits) --held;
        if (lines[held].number == lines[i].number && !lines[held].waits)
            add(gathering, lines[i].pid, find_file(gathering, lines[i].pid, lines[i].inode),
                lines[held]);
    }
}

/// The lock that others hold on this descriptor's file. Some file systems (btrfs, overlays) show
/// another device to stat than to /proc/locks: there the inode has to do.
const LockLine* held_on(const Gathering& gathering, std::int32_t pid, const core::Handle& handle,
                        const std::vector<LockLine>& lines)
{
    struct statx info {};
    const Fd folder = gathering.proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    std::string file;
    if (folder && !is_remote(gathering, pid, handle.fd) &&
        ::statx(folder.get(), std::to_string(handle.fd).c_str(), AT_STATX_DONT_SYNC, STATX_INO,
                &info) == 0)
        file =
            fmt::format("{:02x}:{:02x}:{}", info.stx_dev_major, info.stx_dev_minor, info.stx_ino);
    const LockLine* similar = nullptr;
    for (const auto& line : lines) {
        if (line.waits || line.inode != handle.inode) continue;
        if (line.file == file) return &line;
        if (!similar) similar = &line;
    }
    return similar;
}

/// The others, by the system call in which they wait: locks of open file descriptions have no pid.
void add_by_call(Gathering& gathering, const std::vector<LockLine>& lines)
{
    auto& locks = gathering.found.locks;
    for (const auto& process : gathering.found.processes)
        for (const auto& thread : process.threads) {
            if (thread.call != core::Call::lock || thread.handles.empty()) continue;
            if (locks.size() >= core::max_waits_shown || gathering.is_late()) return;
            const auto known = [&](const core::LockEvidence& lock) {
                return lock.waiter == process.pid;
            };
            if (std::any_of(locks.begin(), locks.end(), known)) continue;
            if (const auto* held = held_on(gathering, process.pid, thread.handles.front(), lines))
                add(gathering, process.pid, thread.handles.front().fd, *held);
        }
}

/// It looks again by itself, a minute later at most: whoever waits for a lock without its call
/// does.
bool looks_again(const core::ProcessEvidence& process)
{
    constexpr Duration longest = std::chrono::minutes(1);
    return std::any_of(process.threads.begin(), process.threads.end(), [=](const auto& thread) {
        const bool waits = thread.call == core::Call::sleep || thread.call == core::Call::poll;
        return waits && thread.timeout && *thread.timeout > Duration::zero() &&
               *thread.timeout <= longest;
    });
}

/// Whether the process holds a lock on this file by that very descriptor: it has inherited one.
bool holds_by(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    return gathering.proc.read(pid, fmt::format("fdinfo/{}", fd), 2048).find("lock:") !=
           std::string::npos;
}

/// Files that a process has open which looks again and again, and which another, outside of the
/// tree, has locked.
void add_polled(Gathering& gathering, const std::vector<LockLine>& lines)
{
    constexpr std::size_t max_descriptors = 64;
    std::vector<LockLine> held;
    for (const auto& line : lines)
        if (!line.waits && line.writes && line.pid > 0 && !gathering.inside.contains(line.pid))
            held.push_back(line);
    if (held.empty()) return;
    auto& locks = gathering.found.locks;
    for (const auto& process : gathering.found.processes) {
        if (!looks_again(process)) continue;
        auto fds = descriptors_of(gathering.proc, process.pid);
        fds.resize(std::min(fds.size(), max_descriptors));
        for (const std::int32_t fd : fds) {
            if (locks.size() >= core::max_waits_shown || gathering.is_late()) return;
            const auto handle = handle_of(gathering, process.pid, fd);
            if (handle.kind != core::HandleKind::file || handle.inode == 0) continue;
            const LockLine* line = held_on(gathering, process.pid, handle, held);
            if (!line || !gathering.proc.stat(line->pid) || holds_by(gathering, process.pid, fd))
                continue;
            add(gathering, process.pid, fd, *line);
            locks.back().polled = true;
            break;
        }
    }
}

/// The file of a named semaphore that is mapped at that address of the process; empty: another
/// memory.
std::string mapped_semaphore(const Gathering& gathering, std::int32_t pid, std::uint64_t address)
{
    constexpr std::string_view folder = "/dev/shm/sem.";
    const std::string text = gathering.proc.read(pid, "maps", 1 << 20);
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto dash = line.find('-'), end = line.find(' '), path = line.find(folder);
        std::uint64_t first = 0, last = 0;
        if (path == line.npos || dash == line.npos || end == line.npos || dash > end) continue;
        if (!read_number(line.substr(0, dash), first, 16) ||
            !read_number(line.substr(dash + 1, end - dash - 1), last, 16))
            continue;
        if (address >= first && address < last) return shown_text(line.substr(path));
    }
    return {};
}

void add_semaphore(Gathering& gathering, const core::ProcessEvidence& process,
                   const core::ThreadEvidence& thread)
{
    core::LockEvidence lock;
    lock.waiter = process.pid;
    lock.kind = "semaphore";
    if (thread.call_name.starts_with("sem")) {
        const auto id = static_cast<int>(thread.futex);
        lock.path = fmt::format("System V semaphores {}", id);
        lock.holder = std::max(0, ::semctl(id, 0, GETPID)); // who changed it last
        if (lock.holder == process.pid) lock.holder = 0;
        if (lock.holder > 0) lock.holder_command = shown_text(command_line(lock.holder));
    } else if (thread.call == core::Call::futex && thread.futex_shared) {
        lock.path = mapped_semaphore(gathering, process.pid, thread.futex);
    }
    if (!lock.path.empty()) gathering.found.locks.push_back(std::move(lock));
}

void add_semaphores(Gathering& gathering)
{
    for (const auto& process : gathering.found.processes)
        for (const auto& thread : process.threads) {
            if (gathering.found.locks.size() >= core::max_waits_shown || gathering.is_late())
                return;
            if (thread.call == core::Call::ipc || thread.call == core::Call::futex)
                add_semaphore(gathering, process, thread);
        }
}

} // namespace

void gather_locks(Gathering& gathering)
{
    const std::string text = read_locks();
    std::vector<LockLine> lines;
    std::string_view rest = text, line;
    while (next_line(rest, line))
        if (const auto lock = parse_line(line)) lines.push_back(*lock);
    add_named(gathering, lines);
    add_by_call(gathering, lines);
    add_semaphores(gathering);
    add_polled(gathering, lines);
}

} // namespace bgt::os::detail
