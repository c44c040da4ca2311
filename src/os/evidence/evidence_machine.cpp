// The machine, and what Java prints of its locks.
#include "evidence.hpp"

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

/// Nothing where the answer may never come.
std::optional<std::uint64_t> free_at(const Gathering& gathering, const std::string& path)
{
    struct statvfs info {};
    if (path.empty() || Mounts::place_of(gathering.proc, ::getpid(), path).remote ||
        ::statvfs(path.c_str(), &info) != 0)
        return std::nullopt;
    return std::uint64_t{info.f_bavail} * info.f_frsize;
}

void read_memory_info(core::MachineEvidence& machine)
{
    const Fd fd(::open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
    if (!fd) return;
    std::array<char, 4096> buffer;
    std::string_view rest = read_some(fd.get(), buffer), line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::uint64_t kib = 0;
        if (words.size() < 2 || !read_number(words[1], kib)) continue;
        if (words[0] == "MemTotal:") machine.memory_bytes = kib * 1024;
        if (words[0] == "MemAvailable:") machine.memory_free = kib * 1024;
    }
}

bool anybody_in_disk_wait(const core::Evidence& evidence)
{
    for (const auto& process : evidence.processes)
        for (const auto& thread : process.threads)
            if (thread.state == 'D') return true;
    return false;
}

} // namespace

void gather_machine(Gathering& gathering)
{
    auto& machine = gathering.found.machine;
    double load = 0;
    if (::getloadavg(&load, 1) == 1) machine.load = load;
    machine.cores = core_count();
    read_memory_info(machine);
    machine.state_disk_free = free_at(gathering, gathering.request.folder);
    // Where a process waits for a disk, asking that disk might mean to wait with it.
    if (!anybody_in_disk_wait(gathering.found))
        machine.disk_free = free_at(gathering, gathering.request.cwd);
}

std::optional<bool> await_java_locks(const Gathering& gathering, std::uint64_t from)
{
    constexpr std::chrono::milliseconds longest{400}, pause{10};
    constexpr std::size_t max_text = 4u << 20; // some thousand threads
    const Instant end = std::min(gathering.end, now() + longest);
    std::string text;
    while (text.size() < max_text && now() < end) {
        const auto block = gathering.request.store.read_output(from);
        if (!block) break;
        if (block->empty()) {
            std::this_thread::sleep_for(pause);
            continue;
        }
        text += *block;
        if (const auto last = text.find("\nHeap\n"); last != text.npos)
            return text.find("Java-level deadlock") < last;
    }
    return std::nullopt;
}

} // namespace bgt::os::detail
