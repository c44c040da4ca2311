// Who has the other side of a pipe, a pseudoterminal or a local socket.
#include "evidence.hpp"

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

using core::HandleKind;

/// The access mode in the "flags:" line of fdinfo; -1 where it can't be read.
int access_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const std::int64_t flags = fdinfo_number(proc, pid, fd, "flags:", 8);
    return flags < 0 ? -1 : static_cast<int>(flags & O_ACCMODE);
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
