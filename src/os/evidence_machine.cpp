// The machine, and the end of the task's output.
#include "evidence.hpp"

#include <bgt/base/terminal_text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/log_file.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

constexpr std::uint64_t tail_bytes = 64 * 1024;

/// Nothing where the answer may never come.
std::optional<std::uint64_t> free_at(const Gathering& gathering, const std::string& path)
{
    struct statvfs info {};
    if (path.empty() || Mounts::place_of(gathering.proc, ::getpid(), path).remote || ::statvfs(path.c_str(), &info) != 0) return std::nullopt;
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

struct Tail {
    std::vector<std::string> lines;
    bool unfinished = false;
    timespec changed{};
};

Tail tail_of(const store::TaskDir& folder, store::WhichLog which)
{
    Tail tail;
    auto log = store::LogFile::open(folder, which);
    struct stat info {};
    if (!log || !log->exists() || ::fstat(log->fd(), &info) != 0) return tail;
    tail.changed = info.st_mtim;
    const std::uint64_t size = log->size();
    std::uint64_t at = std::max(log->freed(0), size > tail_bytes ? size - tail_bytes : 0);
    LineRenderer renderer(4096);
    std::string text;
    while (at < size) {
        const auto block = log->read(at, size);
        if (!block || block->bytes.empty()) break;
        renderer.feed(block->bytes, text);
        at = block->offset + block->bytes.size();
    }
    const std::size_t finished = text.size();
    tail.unfinished = renderer.flush(text) && text.find_first_not_of(" \t", finished) != text.npos;
    std::string_view rest = text, line;
    while (next_line(rest, line)) tail.lines.push_back(shown_text(line));
    return tail;
}

/// Its descriptor is negative where there is none.
store::TaskDir folder_of(const Gathering& gathering)
{
    const std::string& path = gathering.request.folder;
    return {{}, path, Fd(path.empty() ? -1 : ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))};
}

void keep_last(std::vector<std::string>& lines, std::size_t most)
{
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
}

bool is_older(const timespec& a, const timespec& b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

} // namespace

void gather_machine(Gathering& gathering)
{
    auto& machine = gathering.found.machine;
    double load = 0;
    if (::getloadavg(&load, 1) == 1) machine.load = load;
    machine.cores = static_cast<std::uint32_t>(std::max(1l, ::sysconf(_SC_NPROCESSORS_ONLN)));
    read_memory_info(machine);
    machine.state_disk_free = free_at(gathering, gathering.request.folder);
    // Where a process waits for a disk, asking that disk might mean to wait with it.
    if (!anybody_in_disk_wait(gathering.found)) machine.disk_free = free_at(gathering, gathering.request.cwd);
}

std::uint64_t end_of_output(const Gathering& gathering)
{
    const store::TaskDir folder = folder_of(gathering);
    const auto log = store::LogFile::open(folder, store::WhichLog::out);
    return log && log->exists() ? log->size() : 0;
}

std::optional<bool> await_java_locks(const Gathering& gathering, std::uint64_t from)
{
    constexpr std::chrono::milliseconds longest{400}, pause{10};
    constexpr std::size_t max_text = 4u << 20; // some thousand threads
    const Instant end = std::min(gathering.end, now() + longest);
    const store::TaskDir folder = folder_of(gathering);
    auto log = store::LogFile::open(folder, store::WhichLog::out);
    std::string text;
    while (log && log->exists() && text.size() < max_text && now() < end) {
        const auto block = log->read(from, log->size());
        if (!block) break;
        if (block->bytes.empty()) {
            std::this_thread::sleep_for(pause);
            continue;
        }
        text += block->bytes;
        from = block->offset + block->bytes.size();
        if (const auto last = text.find("\nHeap\n"); last != text.npos) return text.find("Java-level deadlock") < last;
    }
    return std::nullopt;
}

void gather_output(Gathering& gathering)
{
    if (gathering.is_late()) return;
    const store::TaskDir folder = folder_of(gathering);
    if (folder.fd() < 0) return;
    Tail older = tail_of(folder, store::WhichLog::out), newer = tail_of(folder, store::WhichLog::err);
    if (is_older(newer.changed, older.changed)) std::swap(older, newer);
    // With a log for each stream, what was written last comes last.
    if (!newer.lines.empty() && !older.lines.empty()) keep_last(older.lines, core::max_lines_shown / 2);
    auto& output = gathering.found.output;
    output = std::move(older.lines);
    output.insert(output.end(), newer.lines.begin(), newer.lines.end());
    keep_last(output, core::max_lines_shown);
    gathering.found.unfinished_line = newer.lines.empty() ? older.unfinished : newer.unfinished;
}

} // namespace bgt::os::detail
