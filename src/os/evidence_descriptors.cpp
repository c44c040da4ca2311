// What descriptors are, and who has the other side of a pipe or local socket.
#include "evidence.hpp"

#include "sample_waits.hpp"

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

using core::HandleKind;

bool is_terminal_device(unsigned kind)
{
    // Documentation/admin-guide/devices.txt of Linux
    return kind == 4 || kind == 5 || kind == 229 || (kind >= 136 && kind <= 143);
}

HandleKind kind_of(const struct statx& info)
{
    if (S_ISFIFO(info.stx_mode)) return HandleKind::fifo;
    if (S_ISREG(info.stx_mode) || S_ISDIR(info.stx_mode)) return HandleKind::file;
    if (S_ISCHR(info.stx_mode))
        return is_terminal_device(info.stx_rdev_major) ? HandleKind::terminal : HandleKind::device;
    return S_ISSOCK(info.stx_mode) ? HandleKind::socket : HandleKind::other;
}

/// The access mode in the "flags:" line of fdinfo; -1 where it can't be read.
int access_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const std::int64_t flags = fdinfo_number(proc, pid, fd, "flags:", 8);
    return flags < 0 ? -1 : static_cast<int>(flags & O_ACCMODE);
}

/// N of "/dev/pts/N"; -1: another text.
std::int32_t terminal_in_link(std::string_view link)
{
    constexpr std::string_view folder = "/dev/pts/";
    std::int32_t number = -1;
    return link.starts_with(folder) && read_number(link.substr(folder.size()), number) ? number
                                                                                       : -1;
}

bool is_master_link(std::string_view link)
{
    return link.starts_with("/dev/") && link.ends_with("ptmx");
}

/// N of the pseudoterminal that a process has as its controlling terminal, which /dev/tty means;
/// -1: none.
std::int32_t controlling_terminal(const ProcDir& proc, std::int32_t pid)
{
    constexpr unsigned first_major = 136, majors = 8; // of pseudoterminals, 256 in each
    const auto stat = parse_life_stat(proc.read(pid, "stat", 1024));
    if (!stat) return -1;
    const auto device = static_cast<std::uint32_t>(stat->tty);
    const unsigned kind = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    return kind >= first_major && kind < first_major + majors
               ? static_cast<std::int32_t>((kind - first_major) * 256 + minor)
               : -1;
}

/// A terminal can be opened without a wait, whoever else has it.
void look_at_terminal(const Gathering& gathering, std::int32_t pid, std::string_view link,
                      core::Handle& handle)
{
    handle.number =
        link == "/dev/tty" ? controlling_terminal(gathering.proc, pid) : terminal_in_link(link);
    if (handle.number < 0) return;
    const std::string path = fmt::format("root/dev/pts/{}", handle.number);
    handle.raw =
        is_raw_terminal(gathering.proc.open(pid, path, O_RDONLY | O_NOCTTY | O_NONBLOCK).get());
}

/// "anon_inode:[eventfd]" and the like.
HandleKind kind_of_anonymous(std::string_view link)
{
    if (link == "anon_inode:[eventfd]") return HandleKind::event;
    if (link == "anon_inode:[timerfd]") return HandleKind::timer;
    if (link == "anon_inode:[signalfd]") return HandleKind::signals;
    if (link == "anon_inode:inotify" || link == "anon_inode:[inotify]" ||
        link == "anon_inode:[fanotify]")
        return HandleKind::watch;
    return link == "anon_inode:[pidfd]" ? HandleKind::process : HandleKind::other;
}

/// Of a file that is open and on no remote file system: its inode is at hand. Nothing is brought up
/// to date first.
bool look_at_file(const Gathering& gathering, std::int32_t pid, std::int32_t fd, struct statx& info)
{
    if (is_remote(gathering, pid, fd)) return false;
    const Fd folder = gathering.proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    return folder && stat_handle(folder.get(), std::to_string(fd).c_str(), info);
}

std::vector<std::int32_t> some_descriptors(int folder)
{
    constexpr std::size_t most = 4096;
    auto fds = numeric_entries(folder);
    if (fds.size() > most) fds.resize(most);
    return fds;
}

void add_end(std::vector<core::PipeEnd>& ends, const core::PipeEnd& end)
{
    const bool there = std::any_of(ends.begin(), ends.end(),
                                   [&](const auto& known) { return known.pid == end.pid; });
    if (!there && ends.size() < core::max_ends_shown) ends.push_back(end);
}

/// Who waits at a pipe, and for whom.
struct Waiter {
    std::size_t pipe = 0;
    std::int32_t pid = 0;
    bool for_reader = false;
};

/// The links whose other holders are looked for.
struct Wanted {
    std::unordered_map<std::string, std::size_t> pipes;      ///< link -> place in Evidence::pipes
    std::unordered_map<std::int32_t, std::size_t> terminals; ///< N of /dev/pts/N -> the same
    std::unordered_map<std::string, std::vector<std::size_t>>
        sockets; ///< link of the peer -> places in Evidence::sockets
    std::vector<Waiter> waiters;
    bool is_new = false; ///< nobody was looked at yet
};

/// The place of that pipe; nullopt: there are too many.
std::optional<std::size_t> want_pipe(Gathering& gathering, Wanted& wanted,
                                     const core::Handle& handle, const std::string& link)
{
    auto& pipes = gathering.found.pipes;
    if (const auto known = wanted.pipes.find(link); known != wanted.pipes.end())
        return known->second;
    const auto told = std::find_if(pipes.begin(), pipes.end(), [&](const auto& pipe) {
        return pipe.terminal < 0 && pipe.inode == handle.inode && pipe.text == handle.text;
    });
    const auto place = static_cast<std::size_t>(told - pipes.begin());
    if (link.empty() || place >= core::max_waits_shown) return std::nullopt;
    wanted.pipes.emplace(link, place);
    if (told != pipes.end()) return place;
    core::PipeEvidence pipe;
    pipe.inode = handle.inode;
    pipe.text = handle.text;
    pipe.all_seen = false;
    const auto& folder = gathering.request.folder;
    pipe.task_output = !folder.empty() && (link == folder + "/out" || link == folder + "/err");
    pipes.push_back(std::move(pipe));
    wanted.is_new = true;
    return place;
}

std::optional<std::size_t> want_terminal(Gathering& gathering, Wanted& wanted, std::int32_t number)
{
    auto& pipes = gathering.found.pipes;
    const auto told = std::find_if(pipes.begin(), pipes.end(),
                                   [&](const auto& pipe) { return pipe.terminal == number; });
    const auto place = static_cast<std::size_t>(told - pipes.begin());
    if (place >= core::max_waits_shown) return std::nullopt;
    wanted.terminals.emplace(number, place);
    if (told != pipes.end()) return place;
    core::PipeEvidence pipe;
    pipe.text = fmt::format("/dev/pts/{}", number);
    pipe.terminal = number;
    pipe.all_seen = false;
    pipes.push_back(std::move(pipe));
    wanted.is_new = true;
    return place;
}

std::optional<std::size_t> want(Gathering& gathering, Wanted& wanted, std::int32_t pid,
                                const core::Handle& handle, bool writes)
{
    const bool fills = handle.kind == HandleKind::terminal && writes;
    if (handle.number >= 0 && (handle.kind == HandleKind::master || fills))
        return want_terminal(gathering, wanted, handle.number);
    if (handle.kind != HandleKind::pipe && handle.kind != HandleKind::fifo) return std::nullopt;
    return want_pipe(gathering, wanted, handle,
                     handle.fd >= 0 ? link_of(gathering.proc, pid, handle.fd) : handle.text);
}

Wanted collect(Gathering& gathering)
{
    Wanted wanted;
    for (const auto& process : gathering.found.processes)
        for (const auto& thread : process.threads)
            for (const auto& handle : thread.handles) {
                const bool writes = thread.call == core::Call::write ||
                                    thread.call == core::Call::send || thread.writes_wanted;
                const auto place =
                    want(gathering, wanted, process.pid, handle, thread.call == core::Call::write);
                if (place) wanted.waiters.push_back({*place, process.pid, writes});
            }
    auto& sockets = gathering.found.sockets;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const std::uint64_t peer =
            sockets[i].peer_pid == 0 ? number_in_link(sockets[i].peer_comm, "socket") : 0;
        if (peer == 0) continue;
        wanted.is_new = wanted.is_new || !sockets[i].peer_unseen;
        sockets[i].peer_unseen = true;
        wanted.sockets[fmt::format("socket:[{}]", peer)].push_back(i);
    }
    return wanted;
}

void note_holder(Gathering& gathering, const Wanted& wanted, std::int32_t pid, std::int32_t fd,
                 const std::string& link)
{
    const auto name = [&] {
        const auto stat = gathering.proc.stat(pid);
        return stat ? shown_text(stat->comm) : std::string();
    };
    if (const auto pipe = wanted.pipes.find(link); pipe != wanted.pipes.end()) {
        auto& found = gathering.found.pipes[pipe->second];
        const core::PipeEnd end{pid, name(), gathering.inside.contains(pid)};
        const int access = access_of(gathering.proc, pid, fd);
        if (access == O_RDONLY || access == O_RDWR) add_end(found.readers, end);
        if (access == O_WRONLY || access == O_RDWR) add_end(found.writers, end);
    }
    if (!wanted.terminals.empty() && link.starts_with("/dev/")) {
        const bool master = is_master_link(link);
        const auto number =
            master ? static_cast<std::int32_t>(fdinfo_number(gathering.proc, pid, fd, "tty-index:"))
                   : terminal_in_link(link);
        if (const auto terminal = wanted.terminals.find(number);
            terminal != wanted.terminals.end()) {
            auto& found = gathering.found.pipes[terminal->second];
            add_end(master ? found.readers : found.writers,
                    {pid, name(), gathering.inside.contains(pid)});
        }
    }
    if (const auto sockets = wanted.sockets.find(link); sockets != wanted.sockets.end())
        for (const std::size_t at : sockets->second) {
            // Of several that hold the other end another process tells more than the waiting one,
            // and one of the tree most.
            auto& socket = gathering.found.sockets[at];
            if (socket.peer_pid != 0 &&
                (pid == socket.pid || gathering.inside.contains(socket.peer_pid)) &&
                socket.peer_pid != socket.pid)
                continue;
            socket.peer_pid = pid;
            socket.peer_unseen = false;
            socket.peer_comm = name();
        }
}

/// All its descriptors that are wanted. Who may not be looked at, has ended or belongs to the
/// kernel has none.
void note_descriptors(Gathering& gathering, const Wanted& wanted, std::int32_t pid)
{
    // Who gathers, and who waits for it, have as children of the supervisor the same descriptors.
    if (pid == ::getpid() || pid == ::getppid()) return;
    const Fd folder = gathering.proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
    if (!folder) return;
    std::array<char, 1024> target;
    std::array<char, 16> name{};
    for (const std::int32_t fd : some_descriptors(folder.get())) {
        *std::to_chars(name.data(), name.data() + name.size() - 1, fd).ptr = '\0';
        const ssize_t length =
            ::readlinkat(folder.get(), name.data(), target.data(), target.size());
        if (length > 0)
            note_holder(gathering, wanted, pid, fd,
                        std::string(target.data(), static_cast<std::size_t>(length)));
    }
}

/// The tree itself has what is waited for: another process than the waiting one.
bool is_found_inside(const Gathering& gathering, const Waiter& waiter)
{
    const auto& pipe = gathering.found.pipes[waiter.pipe];
    const auto& ends = waiter.for_reader ? pipe.readers : pipe.writers;
    return pipe.task_output || std::any_of(ends.begin(), ends.end(), [&](const auto& end) {
               return end.inside && end.pid != waiter.pid;
           });
}

/// First those with a row.
void note_inside(Gathering& gathering, const Wanted& wanted)
{
    for (const std::int32_t pid : gathering.shown)
        if (!gathering.is_late()) note_descriptors(gathering, wanted, pid);
    for (const std::int32_t pid : gathering.inside)
        if (!gathering.shown.contains(pid) && !gathering.is_late())
            note_descriptors(gathering, wanted, pid);
}

} // namespace

std::string link_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const Fd folder = proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    std::array<char, 1024> target;
    const ssize_t length = folder ? ::readlinkat(folder.get(), std::to_string(fd).c_str(),
                                                 target.data(), target.size())
                                  : -1;
    return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length))
                      : std::string();
}

std::vector<std::int32_t> descriptors_of(const ProcDir& proc, std::int32_t pid)
{
    const Fd folder = proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
    return folder ? some_descriptors(folder.get()) : std::vector<std::int32_t>();
}

std::uint64_t number_in_link(std::string_view link, std::string_view kind)
{
    std::uint64_t number = 0;
    if (!link.starts_with(kind) || !link.ends_with("]") || link.size() < kind.size() + 4) return 0;
    if (link.substr(kind.size(), 2) != ":[") return 0;
    return read_number(link.substr(kind.size() + 2, link.size() - kind.size() - 3), number) ? number
                                                                                            : 0;
}

std::int64_t fdinfo_number(const ProcDir& proc, std::int32_t pid, std::int32_t fd,
                           std::string_view word, int base)
{
    const std::string text = proc.read(pid, fmt::format("fdinfo/{}", fd), 4096);
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::int64_t number = 0;
        if (words.size() == 2 && words[0] == word)
            return read_number(words[1], number, base) ? number : -1;
    }
    return -1;
}

bool is_remote(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    const std::int64_t mount = fdinfo_number(gathering.proc, pid, fd, "mnt_id:");
    return mount < 0 ||
           gathering.mounts.is_remote(gathering.proc, pid, static_cast<std::int32_t>(mount));
}

core::Handle handle_of(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    core::Handle handle;
    handle.fd = fd;
    const std::string link = link_of(gathering.proc, pid, fd);
    handle.text = shown_text(link);
    if (const auto socket = number_in_link(link, "socket"); socket != 0) {
        handle.kind = HandleKind::socket;
        handle.inode = socket;
        return handle;
    }
    if (const auto pipe = number_in_link(link, "pipe"); pipe != 0) {
        handle.kind = HandleKind::pipe;
        handle.inode = pipe;
        return handle;
    }
    if (link.starts_with("anon_inode:")) handle.kind = kind_of_anonymous(link);
    if (handle.kind == HandleKind::watch) handle.text = watched_files(gathering, pid, fd);
    if (handle.kind == HandleKind::process)
        handle.number = static_cast<std::int32_t>(fdinfo_number(gathering.proc, pid, fd, "Pid:"));
    if (!link.starts_with('/')) return handle;
    if (is_master_link(link)) {
        handle.kind = HandleKind::master;
        handle.number =
            static_cast<std::int32_t>(fdinfo_number(gathering.proc, pid, fd, "tty-index:"));
        return handle;
    }
    struct statx info {};
    handle.kind = HandleKind::file; // of a file system that may not answer no more is asked
    if (!look_at_file(gathering, pid, fd, info)) return handle;
    handle.kind = kind_of(info);
    handle.inode = info.stx_ino;
    handle.task_stdin = gathering.request.stdin_fifo.is(
        ::makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino);
    if (handle.kind == HandleKind::terminal) look_at_terminal(gathering, pid, link, handle);
    return handle;
}

core::Handle handle_of_path(const Gathering& gathering, std::int32_t pid, std::int32_t dir_fd,
                            const std::string& path)
{
    core::Handle handle;
    handle.text = shown_text(path);
    std::string whole = path;
    if (!path.starts_with(
            '/')) { // as the kernel knows where the process is, no file system is asked
        std::array<char, 1024> room;
        const Fd folder = gathering.proc.open(pid, "", O_PATH | O_DIRECTORY);
        const std::string name = dir_fd == AT_FDCWD ? "cwd" : fmt::format("fd/{}", dir_fd);
        const ssize_t length =
            folder ? ::readlinkat(folder.get(), name.c_str(), room.data(), room.size()) : -1;
        if (length <= 0) return handle;
        whole = std::string(room.data(), static_cast<std::size_t>(length)) + "/" + path;
    }
    handle.text = shown_text(whole);
    const auto place = Mounts::place_of(gathering.proc, pid, whole);
    if (place.remote) return handle;
    // With O_PATH nothing is opened, so a FIFO does not block here too; and no symlink leads out of
    // that file system.
    const Fd root = gathering.proc.open(pid, "root", O_PATH | O_DIRECTORY);
    std::string_view inner = std::string_view(whole).substr(place.folder.size());
    while (inner.starts_with('/')) inner.remove_prefix(1);
    const std::string folder = place.folder == "/" ? "." : place.folder.substr(1);
    const Fd mount(root ? ::openat(root.get(), folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)
                        : -1);
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV;
    const Fd target(mount
                        ? static_cast<int>(::syscall(SYS_openat2, mount.get(),
                                                     std::string(inner).c_str(), &how, sizeof how))
                        : -1);
    struct statx info {};
    if (!target || ::statx(target.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS,
                           &info) != 0)
        return handle;
    handle.kind = kind_of(info);
    handle.inode = info.stx_ino;
    // As it shows among the descriptors of those who have it open.
    std::array<char, 1024> real;
    const ssize_t length =
        ::readlink(fmt::format("/proc/self/fd/{}", target.get()).c_str(), real.data(), real.size());
    if (length > 0) handle.text = shown_text({real.data(), static_cast<std::size_t>(length)});
    return handle;
}

std::string watched_files(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    // "inotify wd:1 ino:9e7e sdev:800013 mask:..." in hexadecimal digits; sdev is the kernel's own
    // form of a device number.
    const std::string text = gathering.proc.read(pid, fmt::format("fdinfo/{}", fd), 64 * 1024);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> watched;
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::uint64_t inode = 0, device = 0;
        if (words.size() < 4 || words[0] != "inotify" || !words[2].starts_with("ino:") ||
            !words[3].starts_with("sdev:"))
            continue;
        if (read_number(words[2].substr(4), inode, 16) &&
            read_number(words[3].substr(5), device, 16))
            watched.emplace_back(inode, device);
    }
    std::string name;
    std::size_t named = 0;
    for (const std::int32_t other :
         watched.empty() ? std::vector<std::int32_t>() : descriptors_of(gathering.proc, pid)) {
        struct statx info {};
        const std::string link = link_of(gathering.proc, pid, other);
        if (!link.starts_with('/') || !look_at_file(gathering, pid, other, info)) continue;
        const std::uint64_t device = std::uint64_t{info.stx_dev_major} << 20 | info.stx_dev_minor;
        if (std::find(watched.begin(), watched.end(),
                      std::pair<std::uint64_t, std::uint64_t>{info.stx_ino, device}) ==
            watched.end())
            continue;
        if (named++ == 0) name = link;
    }
    if (name.empty())
        return watched.size() == 1 ? "a file or folder"
                                   : fmt::format("{} files or folders", watched.size());
    return watched.size() > 1 ? fmt::format("{} and {} more", shown_text(name), watched.size() - 1)
                              : shown_text(name);
}

void gather_ends(Gathering& gathering)
{
    const Wanted wanted = collect(gathering);
    if (wanted.is_new) note_inside(gathering, wanted);
}

void gather_outer_ends(Gathering& gathering)
{
    // Thousands of processes take longer; other pieces are to follow.
    const Instant begin = now(), end = begin + (gathering.end - begin) / 2;
    const Wanted wanted = collect(gathering);
    if (wanted.is_new) note_inside(gathering, wanted);
    const auto is_open = [&](const Waiter& waiter) { return !is_found_inside(gathering, waiter); };
    if (wanted.sockets.empty() &&
        std::none_of(wanted.waiters.begin(), wanted.waiters.end(), is_open))
        return;
    for (const std::int32_t pid : gathering.proc.pids()) {
        if (now() >= end || gathering.is_late()) {
            gathering.found.complete = false;
            gathering.found.unseen.emplace_back("pipes of some other processes");
            return;
        }
        if (!gathering.inside.contains(pid)) note_descriptors(gathering, wanted, pid);
    }
    for (auto& pipe : gathering.found.pipes) pipe.all_seen = true;
    for (auto& socket : gathering.found.sockets) socket.peer_unseen = false;
}

} // namespace bgt::os::detail
