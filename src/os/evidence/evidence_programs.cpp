// What a process is by its program, and what the processes outside of the tree do that it waits
// for.
#include "evidence.hpp"

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <thread>

namespace bgt::os::detail {

namespace {

/// Where the kernel has put the program headers (man 3 getauxval).
struct Headers {
    std::uint64_t at = 0;
    std::uint64_t count = 0;
};

Headers headers_of(const ProcDir& proc, std::int32_t pid)
{
    Headers headers;
    const std::string text = proc.read(pid, "auxv", 4096);
    std::array<std::uint64_t, 2> pair{};
    for (std::size_t at = 0; at + sizeof pair <= text.size(); at += sizeof pair) {
        std::copy_n(text.data() + at, sizeof pair, reinterpret_cast<char*>(pair.data()));
        if (pair[0] == AT_PHDR) headers.at = pair[1];
        if (pair[0] == AT_PHNUM) headers.count = pair[1];
    }
    return headers;
}

/// A note begins with the sizes of its name and its content, and its kind.
bool has_go_note(std::int32_t pid, std::uint64_t at, std::uint64_t size)
{
    constexpr std::uint32_t build_id = 4; ///< of cmd/link, ELF_NOTE_GOBUILDID_TAG
    std::array<std::uint32_t, 4> note{};
    constexpr std::array<char, 4> name{'G', 'o', '\0', '\0'};
    if (size < sizeof note || !read_memory(pid, at, note.data(), sizeof note)) return false;
    return note[0] == name.size() && note[2] == build_id &&
           std::equal(name.begin(), name.end(), reinterpret_cast<const char*>(&note[3]));
}

/// The time for which a process has had a core, its first threads summed; nullopt: the kernel does
/// not tell.
std::optional<Duration> time_on_core(const ProcDir& proc, std::int32_t pid)
{
    constexpr std::size_t most = 32;
    const Fd tasks = proc.open(pid, "task", O_RDONLY | O_DIRECTORY);
    if (!tasks) return std::nullopt;
    auto threads = numeric_entries(tasks.get());
    threads.resize(std::min(threads.size(), most));
    std::uint64_t sum = 0;
    for (const std::int32_t tid : threads) {
        const std::string text = proc.read(pid, fmt::format("task/{}/schedstat", tid), 128);
        std::uint64_t used = 0;
        const auto words = words_of(text);
        if (words.empty() || !read_number(words[0], used)) return std::nullopt;
        sum += used;
    }
    return std::chrono::nanoseconds(sum);
}

/// Sockets at which a thread waits for a process outside of the tree; at most a few.
std::vector<core::SocketEvidence*> asked_outside(Gathering& gathering)
{
    constexpr std::size_t most = 4;
    std::vector<core::SocketEvidence*> asked;
    const auto waits_at = [](const core::ProcessEvidence& process, std::uint64_t inode) {
        for (const auto& thread : process.threads)
            for (const auto& handle : thread.handles)
                if (handle.kind == core::HandleKind::socket && handle.inode == inode) return true;
        return false;
    };
    for (auto& socket : gathering.found.sockets) {
        const auto& processes = gathering.found.processes;
        if (socket.peer_pid <= 0 || gathering.inside.contains(socket.peer_pid)) continue;
        if (asked.size() < most &&
            std::any_of(processes.begin(), processes.end(),
                        [&](const auto& p) { return waits_at(p, socket.inode); }))
            asked.push_back(&socket);
    }
    return asked;
}

} // namespace

bool is_made_by_go(const Gathering& gathering, std::int32_t pid)
{
    constexpr std::size_t most = 64;
    const Headers headers = headers_of(gathering.proc, pid);
    std::vector<ElfW(Phdr)> table(std::min<std::size_t>(headers.count, most));
    if (table.empty() ||
        !read_memory(pid, headers.at, table.data(), table.size() * sizeof table.front()))
        return false;
    std::uint64_t moved =
        0; // of a program that can be anywhere: how far it is from where it was linked
    for (const auto& header : table)
        if (header.p_type == PT_PHDR) moved = headers.at - header.p_vaddr;
    return std::any_of(table.begin(), table.end(), [&](const auto& header) {
        return header.p_type == PT_NOTE && has_go_note(pid, moved + header.p_vaddr, header.p_memsz);
    });
}

void gather_peers(Gathering& gathering)
{
    constexpr std::chrono::milliseconds span{50};
    const auto asked = asked_outside(gathering);
    if (asked.empty() || gathering.is_late()) return;
    std::vector<std::optional<Duration>> before;
    const Instant from = now();
    for (auto* socket : asked) {
        socket->peer_command = shown_text(command_line(socket->peer_pid));
        before.push_back(time_on_core(gathering.proc, socket->peer_pid));
    }
    std::this_thread::sleep_for(span);
    for (std::size_t at = 0; at < asked.size(); ++at) {
        const auto used = time_on_core(gathering.proc, asked[at]->peer_pid);
        const double seconds = std::chrono::duration<double>(now() - from).count();
        if (used && before[at] && seconds > 0)
            asked[at]->peer_share =
                std::chrono::duration<double>(*used - *before[at]).count() / seconds;
    }
}

} // namespace bgt::os::detail
