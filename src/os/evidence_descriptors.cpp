// What descriptors are, and who has the other side of a pipe or local socket.
#include "evidence.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

using core::HandleKind;

bool is_terminal_device(dev_t device)
{
    const unsigned kind = major(device); // Documentation/admin-guide/devices.txt of Linux
    return kind == 4 || kind == 5 || kind == 229 || (kind >= 136 && kind <= 143);
}

HandleKind kind_of(const struct stat& info)
{
    if (S_ISFIFO(info.st_mode)) return HandleKind::fifo;
    if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) return HandleKind::file;
    if (S_ISCHR(info.st_mode)) return is_terminal_device(info.st_rdev) ? HandleKind::terminal : HandleKind::device;
    return S_ISSOCK(info.st_mode) ? HandleKind::socket : HandleKind::other;
}

/// The access mode in the "flags:" line of fdinfo; -1 where it can't be read.
int access_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const std::string text = proc.read(pid, fmt::format("fdinfo/{}", fd), 512);
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::uint64_t flags = 0;
        if (words.size() == 2 && words[0] == "flags:" && read_number(words[1], flags, 8)) return static_cast<int>(flags & O_ACCMODE);
    }
    return -1;
}

void add_end(std::vector<core::PipeEnd>& ends, const core::PipeEnd& end)
{
    const bool there = std::any_of(ends.begin(), ends.end(), [&](const auto& known) { return known.pid == end.pid; });
    if (!there && ends.size() < core::max_ends_shown) ends.push_back(end);
}

/// The links whose other holders are looked for.
struct Wanted {
    std::unordered_map<std::string, std::size_t> pipes;                ///< link -> place in Evidence::pipes
    std::unordered_map<std::string, std::vector<std::size_t>> sockets; ///< link of the peer -> places in Evidence::sockets
};

void want_pipe(Gathering& gathering, Wanted& wanted, const core::Handle& handle, const std::string& link)
{
    auto& pipes = gathering.found.pipes;
    if (link.empty() || pipes.size() >= core::max_waits_shown || !wanted.pipes.emplace(link, pipes.size()).second) return;
    core::PipeEvidence pipe;
    pipe.inode = handle.inode;
    pipe.text = handle.text;
    const auto& folder = gathering.request.folder;
    pipe.task_output = !folder.empty() && (link == folder + "/out" || link == folder + "/err");
    pipes.push_back(std::move(pipe));
}

Wanted collect(Gathering& gathering)
{
    Wanted wanted;
    for (const auto& process : gathering.found.processes)
        for (const auto& thread : process.threads)
            for (const auto& handle : thread.handles) {
                if (handle.kind != HandleKind::pipe && handle.kind != HandleKind::fifo) continue;
                const std::string link = handle.fd >= 0 ? link_of(gathering.proc, process.pid, handle.fd) : handle.text;
                want_pipe(gathering, wanted, handle, link);
            }
    return wanted;
}

void want_peers(const Gathering& gathering, Wanted& wanted)
{
    const auto& sockets = gathering.found.sockets;
    for (std::size_t i = 0; i < sockets.size(); ++i)
        if (const std::uint64_t peer = number_in_link(sockets[i].peer_comm, "socket"); peer != 0)
            wanted.sockets[fmt::format("socket:[{}]", peer)].push_back(i);
}

void note_holder(Gathering& gathering, const Wanted& wanted, std::int32_t pid, std::int32_t fd, const std::string& comm)
{
    const std::string link = link_of(gathering.proc, pid, fd);
    if (const auto pipe = wanted.pipes.find(link); pipe != wanted.pipes.end()) {
        auto& found = gathering.found.pipes[pipe->second];
        const core::PipeEnd end{pid, comm, gathering.inside.contains(pid)};
        const int access = access_of(gathering.proc, pid, fd);
        if (access == O_RDONLY || access == O_RDWR) add_end(found.readers, end);
        if (access == O_WRONLY || access == O_RDWR) add_end(found.writers, end);
    }
    if (const auto sockets = wanted.sockets.find(link); sockets != wanted.sockets.end())
        for (const std::size_t at : sockets->second) {
            gathering.found.sockets[at].peer_pid = pid;
            gathering.found.sockets[at].peer_comm = comm;
        }
}

} // namespace

std::string link_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const Fd folder = proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    std::array<char, 1024> target;
    const ssize_t length = folder ? ::readlinkat(folder.get(), std::to_string(fd).c_str(), target.data(), target.size()) : -1;
    return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

std::vector<std::int32_t> descriptors_of(const ProcDir& proc, std::int32_t pid)
{
    constexpr std::size_t most = 4096;
    const Fd folder = proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
    auto fds = folder ? numeric_entries(folder.get()) : std::vector<std::int32_t>();
    if (fds.size() > most) fds.resize(most);
    return fds;
}

std::uint64_t number_in_link(std::string_view link, std::string_view kind)
{
    std::uint64_t number = 0;
    if (!link.starts_with(kind) || !link.ends_with("]") || link.size() < kind.size() + 4) return 0;
    if (link.substr(kind.size(), 2) != ":[") return 0;
    return read_number(link.substr(kind.size() + 2, link.size() - kind.size() - 3), number) ? number : 0;
}

core::Handle handle_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd, const StdinFifo& stdin_fifo)
{
    core::Handle handle;
    handle.fd = fd;
    const std::string link = link_of(proc, pid, fd);
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
    if (link.empty() || link.starts_with("anon_inode:")) return handle;
    const Fd folder = proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    struct stat info {};
    if (!folder || ::fstatat(folder.get(), std::to_string(fd).c_str(), &info, 0) != 0) return handle;
    handle.kind = kind_of(info);
    handle.inode = info.st_ino;
    handle.task_stdin = stdin_fifo.ino != 0 && info.st_ino == stdin_fifo.ino && info.st_dev == stdin_fifo.dev;
    return handle;
}

core::Handle handle_of_path(const ProcDir& proc, std::int32_t pid, std::int32_t dir_fd, const std::string& path)
{
    core::Handle handle;
    handle.text = shown_text(path);
    const Fd start = proc.open(pid, dir_fd == AT_FDCWD ? std::string("cwd") : fmt::format("fd/{}", dir_fd), O_PATH | O_DIRECTORY);
    if (path.empty() || (path.front() != '/' && !start)) return handle;
    // With O_PATH nothing is opened, so a FIFO does not block here too.
    const Fd target(::openat(start ? start.get() : AT_FDCWD, path.c_str(), O_PATH | O_CLOEXEC));
    struct stat info {};
    if (!target || ::fstat(target.get(), &info) != 0) return handle;
    handle.kind = kind_of(info);
    handle.inode = info.st_ino;
    // As it shows among the descriptors of those who have it open.
    std::array<char, 1024> real;
    const ssize_t length = ::readlink(fmt::format("/proc/self/fd/{}", target.get()).c_str(), real.data(), real.size());
    if (length > 0) handle.text = shown_text({real.data(), static_cast<std::size_t>(length)});
    return handle;
}

void gather_ends(Gathering& gathering)
{
    Wanted wanted = collect(gathering);
    want_peers(gathering, wanted);
    if (!wanted.pipes.empty() || !wanted.sockets.empty())
        for (const std::int32_t pid : gathering.proc.pids()) {
            if (gathering.is_late()) break;
            if (pid == ::getpid()) continue; // it has, as a child of the supervisor, the same descriptors
            const auto stat = gathering.proc.stat(pid);
            if (!stat) continue;
            const std::string comm = shown_text(stat->comm);
            for (const std::int32_t fd : descriptors_of(gathering.proc, pid)) note_holder(gathering, wanted, pid, fd, comm);
        }
    for (auto& socket : gathering.found.sockets)
        if (socket.peer_pid == 0) socket.peer_comm.clear();
}

} // namespace bgt::os::detail
