// What others and the clock do to those that wait.
#include <bgt/core/queue.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>

namespace bgt::core {
namespace {

constexpr std::array<std::pair<DependsOn, std::string_view>, 5> dependency_words{
    {{DependsOn::ok, "ok"},
     {DependsOn::fail, "fail"},
     {DependsOn::any, "any"},
     {DependsOn::start, "start"},
     {DependsOn::ready, "ready"}}};

enum class Now : std::uint8_t { holds, open, never };

/// What the event means for one who depends so. An end comes after all others of a task.
Now after(DependsOn on, TaskEventKind event)
{
    switch (on) {
    case DependsOn::ok:
        return event == TaskEventKind::ended_ok ? Now::holds
               : is_end(event)                  ? Now::never
                                                : Now::open;
    case DependsOn::fail:
        return event == TaskEventKind::ended_not_ok ? Now::holds
               : is_end(event)                      ? Now::never
                                                    : Now::open;
    case DependsOn::any: return is_end(event) ? Now::holds : Now::open;
    case DependsOn::start:
        // Whoever tells an end may not have told the start.
        return event == TaskEventKind::never_started ? Now::never : Now::holds;
    case DependsOn::ready:
        return event == TaskEventKind::ready ? Now::holds : is_end(event) ? Now::never : Now::open;
    }
    return Now::open;
}

} // namespace

std::string_view to_string(DependsOn on)
{
    for (const auto& [value, word] : dependency_words)
        if (value == on) return word;
    return {};
}

std::optional<DependsOn> parse_depends_on(std::string_view text)
{
    for (const auto& [value, word] : dependency_words)
        if (word == text) return value;
    return std::nullopt;
}

void QueueState::add_dependencies(std::int64_t first, const std::vector<Pending>& after)
{
    if (after.empty()) return;
    for (const Pending& dependency : after)
        if (dependency.open) dependants_[dependency.task].insert(first);
    unresolved_[first] = after;
}

/// What becomes of the task does not matter to the item any more.
void QueueState::forget_dependency(std::int64_t first, std::int64_t task)
{
    const auto who = dependants_.find(task);
    if (who == dependants_.end()) return;
    who->second.erase(first);
    if (who->second.empty()) dependants_.erase(who);
}

/// Of the waiting item `first`, which depends on `task`. False: it can never start.
bool QueueState::resolve(std::int64_t first, std::int64_t task, TaskEventKind event)
{
    const auto it = items_.find(first);
    auto& [id, item] = *it;
    // A search, as there may be very many.
    const auto on_task = std::ranges::equal_range(unresolved_.at(first), task, {}, &Pending::task);
    bool never = false;
    bool is_open = false;
    for (const Pending& dependency : on_task) {
        const Now now = dependency.open ? after(dependency.on, event) : Now::holds;
        never = never || now == Now::never;
        is_open = is_open || now == Now::open;
    }
    if (never && !item.hold_on_failure) return false;
    // Whoever releases what is held then wants it in spite of that.
    if (never) item.held = true;
    for (Pending& dependency : on_task) {
        if (!dependency.open || (!never && after(dependency.on, event) == Now::open)) continue;
        dependency.open = false;
        --item.unresolved;
    }
    if (never || !is_open) forget_dependency(first, task);
    if (item.unresolved > 0) return true;
    unresolved_.erase(first);
    line_up(it);
    return true;
}

std::vector<TaskRange> QueueState::tell(std::int64_t id, TaskEventKind event)
{
    std::vector<TaskRange> skipped;
    // A list of what is still to be told, as a chain may be long.
    std::deque<std::pair<TaskRange, TaskEventKind>> open{{{id, 1}, event}};
    while (!open.empty()) {
        const auto [tasks, what] = open.front();
        open.pop_front();
        for (std::int64_t task = tasks.first; task < tasks.first + tasks.count; ++task) {
            if (is_end(what))
                if (const auto ended = stop_running(task)) discount_item(*ended);
            const auto found = dependants_.find(task);
            if (found == dependants_.end()) continue;
            const std::set<std::int64_t> waiting = found->second; // a copy: it shrinks meanwhile
            for (const std::int64_t first : waiting) {
                if (resolve(first, task, what)) continue;
                const auto it = items_.find(first);
                skipped.push_back({first, it->second.count});
                erase(it);
                open.emplace_back(skipped.back(), TaskEventKind::never_started);
            }
        }
    }
    return skipped;
}

std::vector<TaskRange> QueueState::advance(WallTime now)
{
    while (!starts_.empty() && starts_.begin()->first <= now) {
        const auto it = items_.find(starts_.begin()->second);
        starts_.erase(starts_.begin());
        it->second.early = false;
        line_up(it);
    }
    std::vector<TaskRange> expired;
    while (!ends_.empty() && ends_.begin()->first <= now) {
        const auto it = items_.find(ends_.begin()->second);
        expired.push_back({it->first, it->second.count});
        erase(it);
    }
    return expired;
}

std::optional<WallTime> QueueState::next_time() const
{
    if (starts_.empty() && ends_.empty()) return std::nullopt;
    if (starts_.empty()) return ends_.begin()->first;
    if (ends_.empty()) return starts_.begin()->first;
    return std::min(starts_.begin()->first, ends_.begin()->first);
}

std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& after)
{
    // Whoever depends on nobody that is left can go; what remains holds a circle.
    std::vector<std::size_t> open(after.size());
    std::vector<std::vector<std::size_t>> dependants(after.size());
    for (std::size_t at = 0; at < after.size(); ++at) {
        open[at] = after[at].size();
        for (const std::size_t on : after[at]) dependants[on].push_back(at);
    }
    std::vector<std::size_t> free;
    for (std::size_t at = 0; at < after.size(); ++at)
        if (open[at] == 0) free.push_back(at);
    std::size_t gone = 0;
    while (!free.empty()) {
        const std::size_t at = free.back();
        free.pop_back();
        ++gone;
        for (const std::size_t dependant : dependants[at])
            if (--open[dependant] == 0) free.push_back(dependant);
    }
    if (gone == after.size()) return {};
    std::size_t at = 0;
    while (open[at] == 0) ++at;
    // Along what remains until somebody comes twice.
    std::vector<std::size_t> path;
    std::vector<char> seen(after.size(), 0);
    while (!seen[at]) {
        seen[at] = 1;
        path.push_back(at);
        at = *std::ranges::find_if(after[at], [&](std::size_t on) { return open[on] != 0; });
    }
    path.erase(path.begin(), std::ranges::find(path, at));
    path.push_back(at);
    return path;
}

} // namespace bgt::core
