#include <bgt/os/sample.hpp>

#include <bgt/os/background.hpp>

#include "sample_waits.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/time.h>
#include <unordered_set>

namespace bgt::os {

namespace {

struct Seen {
    ProcessKey key;
    LifeStat stat;
};

Duration from_ticks(std::uint64_t ticks)
{
    const std::uint64_t hz = ticks_per_second();
    return std::chrono::seconds(ticks / hz) +
           std::chrono::nanoseconds(ticks % hz * (1'000'000'000 / hz));
}

std::optional<LifeStat> read_life_stat(const Fd& file)
{
    if (!file) return std::nullopt;
    std::array<char, 1024> buffer;
    return parse_life_stat(read_some(file.get(), buffer));
}

/// Each once, the older first: who waits for a process is older than it.
std::vector<ProcessKey> oldest_first(std::span<const ProcStat> members)
{
    std::vector<ProcessKey> keys;
    keys.reserve(members.size());
    for (const ProcStat& member : members) keys.push_back(member.key);
    const auto rank = [](const ProcessKey& key) { return std::pair(key.start_ticks, key.pid); };
    std::ranges::sort(keys, {}, rank);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

std::optional<Seen> read_one(const ProcDir& proc, const ProcessKey& key)
{
    const auto stat = read_life_stat(proc.open(key.pid, "stat", O_RDONLY));
    return stat && stat->start_ticks == key.start_ticks ? std::optional(Seen{key, *stat})
                                                        : std::nullopt;
}

/// Adds children of the main threads that are not among the members: zombies, which have used what
/// their parent will be told to have used, and those that were forked just now.
void add_children(const ProcDir& proc, std::vector<ProcessKey>& keys)
{
    std::unordered_set<std::int32_t> known;
    for (const ProcessKey& key : keys) known.insert(key.pid);
    constexpr std::size_t max_added =
        10'000; // a storm of forks must not keep the look from its end
    const std::size_t most = keys.size() + max_added;
    for (std::size_t at = 0; at < keys.size(); ++at) {
        const auto children = proc.children_of_main_thread(keys[at].pid);
        if (!children) continue;
        for (const std::int32_t child : *children) {
            if (keys.size() >= most || !known.insert(child).second) continue;
            const auto stat = read_life_stat(proc.open(child, "stat", O_RDONLY));
            if (stat && stat->ppid == keys[at].pid) keys.push_back({child, stat->start_ticks});
        }
    }
}

/// One after the other is read, and a process that ends meanwhile passes what it used on to one
/// that was read before: its use would be in neither, and seem new at the next look. So where
/// somebody is gone, all are read again; in a tree where always somebody is, the last round has to
/// do.
std::vector<Seen> read_all(const ProcDir& proc, std::vector<ProcessKey> keys)
{
    constexpr int rounds = 3;
    add_children(proc, keys);
    std::vector<Seen> seen;
    for (int round = 0; round < rounds; ++round) {
        seen.clear();
        for (const ProcessKey& key : keys)
            if (const auto one = read_one(proc, key)) seen.push_back(*one);
        if (seen.size() == keys.size()) break;
        keys.clear();
        for (const Seen& one : seen) keys.push_back(one.key);
    }
    return seen;
}

/// The state of a process whose main thread has ended before the others: that of one which has not.
char state_of_others(const ProcDir& proc, std::int32_t pid)
{
    const Fd tasks = proc.open(pid, "task", O_RDONLY | O_DIRECTORY);
    if (!tasks) return 'Z';
    for (const std::int32_t thread : numeric_entries(tasks.get())) {
        const std::string name = std::to_string(thread) + "/stat";
        const auto stat =
            read_life_stat(Fd(::openat(tasks.get(), name.c_str(), O_RDONLY | O_CLOEXEC)));
        if (stat && stat->state != 'Z' && stat->state != 'X') return stat->state;
    }
    return 'Z';
}

/// A background process that uses its terminal is stopped; one in the foreground is stopped by
/// somebody.
bool is_stopped_for_terminal(const LifeStat& stat)
{
    return stat.state == 'T' && stat.tty != 0 && stat.foreground > 0 &&
           stat.foreground != stat.pgrp;
}

core::ProcessSample sample_of(const ProcDir& proc, const Seen& seen, const StdinFifo& fifo)
{
    core::ProcessSample sample;
    sample.pid = seen.key.pid;
    sample.start = seen.key.start_ticks;
    sample.ppid = seen.stat.ppid;
    sample.state = seen.stat.state;
    sample.threads = seen.stat.threads;
    sample.cpu = from_ticks(seen.stat.own_ticks);
    sample.reaped_cpu = from_ticks(seen.stat.reaped_ticks);
    sample.reaped_faults = seen.stat.reaped_faults;
    if (sample.state == 'Z' && seen.stat.threads > 1)
        sample.state = state_of_others(proc, sample.pid);
    if (sample.state == 'Z' || sample.state == 'X') return sample;
    sample.stopped_for_terminal = is_stopped_for_terminal(seen.stat);
    const Fd folder = proc.open(sample.pid, "", O_PATH | O_DIRECTORY);
    if (!folder) return sample;
    if (const Fd io(::openat(folder.get(), "io", O_RDONLY | O_CLOEXEC)); io) {
        std::array<char, 512> buffer; // seven numbers
        const IoCounters counters = io_counters(read_some(io.get(), buffer));
        sample.disk_bytes = counters.storage;
        sample.read_bytes = counters.read;
        sample.written_bytes = counters.written;
    }
    if (sample.state == 'D' && is_forking(folder.get())) sample.state = 'S';
    if (sample.state == 'S')
        sample.waits_for = waits_for(folder.get(), sample.pid, seen.stat, fifo);
    return sample;
}

} // namespace

core::Sample take_sample(std::span<const ProcStat> members, const StdinFifo& fifo)
{
    core::Sample sample;
    sample.at = now();
    sample.start_now = ticks_now();
    sample.reaped_cpu = reaped_cpu();
    const ProcDir proc;
    const auto seen = read_all(proc, oldest_first(members));
    sample.processes.reserve(seen.size());
    for (const Seen& one : seen) sample.processes.push_back(sample_of(proc, one, fifo));
    return sample;
}

std::optional<Duration> cpu_wait_of(std::int32_t pid)
{
    constexpr std::size_t max_threads = 256;
    const Fd tasks = ProcDir().open(pid, "task", O_RDONLY | O_DIRECTORY);
    if (!tasks) return std::nullopt;
    auto threads = numeric_entries(tasks.get());
    threads.resize(std::min(threads.size(), max_threads));
    std::optional<Duration> sum;
    for (const std::int32_t thread : threads) {
        const std::string name = std::to_string(thread) + "/schedstat";
        const Fd file = open_at(tasks.get(), name.c_str(), O_RDONLY);
        std::array<char, 128> buffer; // three numbers
        const auto waited =
            file ? run_delay(read_some(file.get(), buffer)) : std::optional<Duration>();
        if (waited) sum = sum.value_or(Duration::zero()) + *waited;
    }
    return sum;
}

void add_cpu_waits(core::Sample& sample, const core::Sample* before)
{
    const auto is_wanted = [&](const core::ProcessSample& process) {
        if (process.state == 'R') return true;
        if (process.state == 'Z' || process.state == 'X' || !before) return false;
        const auto old = std::ranges::find_if(before->processes, [&](const auto& known) {
            return known.pid == process.pid && known.start == process.start;
        });
        if (old == before->processes.end()) return process.threads > 1;
        return old->state == 'R' || (process.threads > 1 && process.cpu > old->cpu);
    };
    for (core::ProcessSample& process : sample.processes)
        if (is_wanted(process)) process.cpu_wait = cpu_wait_of(process.pid);
}

} // namespace bgt::os
