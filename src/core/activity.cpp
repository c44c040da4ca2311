#include <bgt/core/activity.hpp>

#include <bgt/core/share.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

namespace bgt::core {

namespace {

using Key = std::pair<std::int32_t, std::uint64_t>;

Key key_of(const ProcessSample& process)
{
    return {process.pid, process.start};
}

template <class Counter>
Counter growth(Counter before, Counter now)
{
    return now > before ? now - before : Counter{};
}

/// What was used up to a sample and was counted then.
Duration counted(const ProcessSample& process)
{
    return std::max(process.cpu, Duration::zero()) + std::max(process.reaped_cpu, Duration::zero());
}

/// What the reaped_cpu of each process grew by, and how much of that was counted when the reaped
/// ones still lived.
class Ledger {
public:
    Ledger(const Sample& before, const Sample& now)
        : supervisor_growth_(growth(before.reaped_cpu, now.reaped_cpu))
    {
        for (const ProcessSample& process : before.processes)
            if (by_key_.try_emplace(key_of(process), entries_.size()).second)
                entries_.push_back({&process});
        find_parents();
    }

    /// The process as it was before; nullptr when it was not seen, or was asked for already. From
    /// now on it lives on.
    const ProcessSample* survives(const ProcessSample& now)
    {
        const auto found = by_key_.find(key_of(now));
        if (found == by_key_.end() || entries_[found->second].lives) return nullptr;
        Entry& entry = entries_[found->second];
        entry.lives = true;
        entry.growth = growth(entry.before->reaped_cpu, now.reaped_cpu);
        return entry.before;
    }
    bool knows(const ProcessSample& process) const { return by_key_.contains(key_of(process)); }

    /// What was reaped and had not been counted. Nothing tells who waited for a process, but it was
    /// one of its ancestors: so what was counted is taken off the nearest that lives on, what is
    /// left then off the next, and at last off the supervisor. Where each was waited for that is
    /// exact, and it is never too much.
    Duration settle()
    {
        Duration news{};
        Duration owed_by_supervisor{};
        for (const std::size_t index : children_first()) {
            Entry& entry = entries_[index];
            if (!entry.lives) entry.owed += counted(*entry.before);
            const Duration off = std::min(entry.owed, entry.growth);
            news += entry.growth - off;
            (entry.parent == none ? owed_by_supervisor : entries_[entry.parent].owed) +=
                entry.owed - off;
        }
        return news + growth(owed_by_supervisor, supervisor_growth_);
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct Entry {
        const ProcessSample* before = nullptr;
        std::size_t parent = none; ///< none: the supervisor
        std::size_t children = 0;
        bool lives = false;
        Duration growth{};
        Duration owed{};
    };

    void find_parents()
    {
        std::unordered_map<std::int32_t, std::size_t> by_pid;
        for (std::size_t index = 0; index < entries_.size(); ++index)
            by_pid.emplace(entries_[index].before->pid, index);
        for (Entry& entry : entries_) {
            const auto found = by_pid.find(entry.before->ppid);
            if (found == by_pid.end()) continue;
            entry.parent = found->second;
            ++entries_[found->second].children;
        }
    }

    std::vector<std::size_t> children_first()
    {
        std::vector<std::size_t> order;
        order.reserve(entries_.size());
        for (std::size_t index = 0; index < entries_.size(); ++index)
            if (entries_[index].children == 0) order.push_back(index);
        for (std::size_t at = 0; at < order.size(); ++at) {
            const std::size_t parent = entries_[order[at]].parent;
            if (parent != none && --entries_[parent].children == 0) order.push_back(parent);
        }
        // Only a damaged /proc holds processes that are each other's ancestors.
        for (std::size_t index = 0; index < entries_.size(); ++index) {
            if (entries_[index].children == 0) continue;
            entries_[index].parent = none;
            order.push_back(index);
        }
        return order;
    }

    std::vector<Entry> entries_;
    std::map<Key, std::size_t> by_key_;
    Duration supervisor_growth_;
};

std::uint64_t net_growth(const Sample& before, const Sample& now)
{
    if (!before.sockets_known || !now.sockets_known) return 0;
    std::unordered_map<std::uint64_t, std::uint64_t> known;
    for (const SocketSample& socket : before.sockets) known.emplace(socket.inode, socket.bytes);
    std::uint64_t bytes = 0;
    for (const SocketSample& socket : now.sockets) {
        const auto found = known.find(socket.inode);
        bytes += growth(found == known.end() ? 0 : found->second, socket.bytes);
        if (found != known.end()) found->second = std::max(found->second, socket.bytes);
    }
    return bytes;
}

double seconds_of(Duration d)
{
    return std::chrono::duration<double>(d).count();
}

bool is_busy(const Used& used)
{
    if (used.span < min_share_span) return false;
    const double span = seconds_of(used.span);
    const double cpu = std::max(busy_cpu * span, seconds_of(min_busy_cpu));
    return seconds_of(used.cpu) >= cpu ||
           static_cast<double>(used.disk_bytes) >= busy_disk * span ||
           static_cast<double>(used.net_bytes) >= busy_net * span ||
           static_cast<double>(used.written_bytes) >= busy_written * span ||
           static_cast<double>(used.read_bytes) >= busy_read * span;
}

bool has_ended(const ProcessSample& process)
{
    return process.state == 'Z' || process.state == 'X' || process.state == 'x';
}

/// A program that would work, and that a loaded machine or its own nice value keeps from it.
bool is_starved(const Sample& before, const Sample& now, Duration span)
{
    if (span < min_share_span) return false;
    return std::ranges::any_of(now.processes, [&](const ProcessSample& process) {
        const auto waited = waited_for_cpu(before, process, span);
        return waited && seconds_of(*waited) >= starved_share * seconds_of(span);
    });
}

bool is_stopped(const ProcessSample& process)
{
    return process.state == 'T' || process.state == 't';
}

bool wants_input(const ProcessSample& process, bool unfinished_line)
{
    if (process.stopped_for_terminal) return true;
    switch (process.waits_for) {
    case WaitsFor::input: return true;
    case WaitsFor::maybe_input: return unfinished_line;
    case WaitsFor::sleep:
    case WaitsFor::other: break;
    }
    return false;
}

bool is_unkillable(const ProcessSample& process, const Sample& before)
{
    return process.state == 'D' &&
           std::ranges::any_of(before.processes, [&](const ProcessSample& old) {
               return old.state == 'D' && key_of(old) == key_of(process);
           });
}

} // namespace

std::optional<Duration> waited_for_cpu(const Sample& before, const ProcessSample& now,
                                       Duration span)
{
    if (has_ended(now) || is_stopped(now)) return std::nullopt;
    const auto old =
        std::ranges::find(before.processes, key_of(now), [](const auto& p) { return key_of(p); });
    if (old == before.processes.end()) {
        if (now.start <= before.start_now || !now.cpu_wait) return std::nullopt;
        return std::min(*now.cpu_wait, span);
    }
    const bool stayed = old->state == 'R' && now.state == 'R';
    if (!now.cpu_wait || !old->cpu_wait) {
        if (!stayed || now.cpu <= old->cpu) return std::nullopt;
        return span;
    }
    const Duration waited = growth(*old->cpu_wait, *now.cpu_wait);
    return stayed && waited == Duration::zero() ? span : std::min(waited, span);
}

Used compare(const Sample& before, const Sample& now)
{
    Used used;
    used.span = std::max(now.at - before.at, Duration::zero());
    Ledger ledger(before, now);
    const std::uint64_t printed = growth(before.output_bytes, now.output_bytes);
    for (const ProcessSample& process : now.processes) {
        if (const ProcessSample* old = ledger.survives(process)) {
            used.cpu += growth(old->cpu, process.cpu);
            used.disk_bytes += growth(old->disk_bytes, process.disk_bytes);
            used.written_bytes +=
                growth(printed, growth(old->written_bytes, process.written_bytes));
            if (process.waits_for != WaitsFor::sleep && process.reaped_faults == old->reaped_faults)
                used.read_bytes += growth(old->read_bytes, process.read_bytes);
        } else if (process.start > before.start_now && !ledger.knows(process)) {
            used.cpu += counted(process);
            used.disk_bytes += process.disk_bytes;
            used.written_bytes += growth(printed, process.written_bytes);
        }
    }
    used.cpu += ledger.settle();
    used.net_bytes = net_growth(before, now);
    return used;
}

Activity classify(const Used& used, const Sample& before, const Sample& now, bool unfinished_line)
{
    if (is_busy(used) || is_starved(before, now, used.span)) return Activity::busy;
    std::vector<ProcessSample> living;
    std::ranges::remove_copy_if(now.processes, std::back_inserter(living), has_ended);
    if (living.empty()) return now.processes.empty() ? Activity::unknown : Activity::zombie;
    const auto wants = [&](const ProcessSample& process) {
        return wants_input(process, unfinished_line);
    };
    if (std::ranges::any_of(living, wants)) return Activity::waiting_input;
    if (std::ranges::all_of(living, is_stopped)) return Activity::stopped;
    const bool used_nothing = used.cpu <= Duration::zero() && used.disk_bytes == 0 &&
                              used.net_bytes == 0 && used.written_bytes == 0;
    const auto stuck = [&](const ProcessSample& process) { return is_unkillable(process, before); };
    if (used_nothing && std::ranges::any_of(living, stuck)) return Activity::unkillable;
    return used_nothing ? Activity::blocked : Activity::trickle;
}

} // namespace bgt::core
