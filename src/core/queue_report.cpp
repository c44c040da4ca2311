// What a queue tells of itself.
#include <bgt/core/queue.hpp>

#include "queue_order.hpp"

#include <algorithm>

namespace bgt::core {

std::optional<std::string> QueueState::queue_of(std::int64_t id) const
{
    const auto it = find(id);
    if (it == items_.end()) return std::nullopt;
    return queues_[shapes_[it->second.shape].queue].name;
}

std::optional<WallTime> QueueState::not_before(std::int64_t id) const
{
    const auto it = find(id);
    return it != items_.end() && it->second.early ? it->second.not_before : std::nullopt;
}

std::vector<Dependency> QueueState::open_dependencies(std::int64_t first) const
{
    std::vector<Dependency> out;
    if (const auto found = unresolved_.find(first); found != unresolved_.end())
        for (const Pending& dependency : found->second)
            if (dependency.open) out.push_back({dependency.task, dependency.on});
    return out;
}

std::optional<std::int64_t> QueueState::who_reserved(const Shape& shape, const Rank& before) const
{
    std::vector<char> reserved(resources_.size(), 0);
    for (const auto& [rank, at] : heads()) {
        if (!(rank < before)) break;
        reserve(shapes_[at], reserved);
        for (const auto& [of, amount] : shape.needs)
            if (amount > 0 && reserved[of]) return rank.first;
    }
    return std::nullopt;
}

std::optional<WaitReasons> QueueState::why_waiting(std::int64_t id) const
{
    const auto it = find(id);
    if (it == items_.end()) return std::nullopt;
    const Item& item = it->second;
    const Shape& shape = shapes_[item.shape];
    const std::int64_t place = id - it->first;
    const Rank own{item.priority, item.order + place * order_step, id};
    WaitReasons why;
    why.held = item.held;
    why.dependencies = open_dependencies(it->first);
    if (item.early) why.not_before = item.not_before;
    why.queue_paused = queues_[shape.queue].paused;
    if (item.group != 0 && groups_[item.group].running.size() >= groups_[item.group].max_running)
        why.key_holder = *groups_[item.group].running.begin();
    why.behind = who_reserved(shape, own);
    for (const auto& [of, amount] : shape.needs) {
        const Resource& resource = resources_[of];
        if (amount > resource.free())
            why.lacks.push_back({resource.name, amount, resource.free(), resource.capacity});
    }
    for (auto other = items_.cbegin(); other != items_.cend(); ++other)
        if (other != it && shapes_[other->second.shape].queue == shape.queue &&
            rank_of(other) < own)
            why.before += other->second.count;
    why.before += static_cast<std::size_t>(place);
    return why;
}

std::map<std::string, QueueCounts> QueueState::counts() const
{
    std::map<std::string, QueueCounts> out;
    for (const Queue& queue : queues_)
        out[queue.name].used_slots = resources_[queue.slots_resource].used;
    for (const auto& [first, item] : items_) {
        QueueCounts& counts = out[queues_[shapes_[item.shape].queue].name];
        counts.waiting += item.count;
        if (item.held) counts.held += item.count;
    }
    for (const auto& [id, item] : running_) ++out[queues_[shapes_[item.shape].queue].name].running;
    return out;
}

std::size_t QueueState::waiting_at_least(const std::string& queue, std::int32_t priority) const
{
    std::size_t count = 0;
    for (const auto& [first, item] : items_)
        if (item.priority >= priority && queues_[shapes_[item.shape].queue].name == queue)
            count += item.count;
    return count;
}

std::vector<std::int64_t> QueueState::waiting_with_key(const std::string& key) const
{
    std::vector<std::int64_t> out;
    const auto group = group_by_key_.find(key);
    if (group == group_by_key_.end()) return out;
    for (const auto& [first, item] : items_)
        if (item.group == group->second)
            for (std::uint32_t at = 0; at < item.count; ++at) out.push_back(first + at);
    return out;
}

std::vector<std::int64_t> QueueState::running_with_key(const std::string& key) const
{
    const auto group = group_by_key_.find(key);
    if (group == group_by_key_.end()) return {};
    return {groups_[group->second].running.begin(), groups_[group->second].running.end()};
}

std::vector<std::int64_t> QueueState::in_order(std::size_t most) const
{
    std::vector<Rank> ranks;
    ranks.reserve(items_.size());
    for (auto it = items_.begin(); it != items_.end(); ++it) ranks.push_back(rank_of(it));
    const auto end = ranks.begin() + static_cast<std::ptrdiff_t>(std::min(most, ranks.size()));
    std::partial_sort(ranks.begin(), end, ranks.end());
    std::vector<std::int64_t> out;
    for (auto rank = ranks.begin(); rank != end; ++rank)
        for (std::uint32_t at = 0; at < items_.at(rank->first).count && out.size() < most; ++at)
            out.push_back(rank->first + at);
    return out;
}

std::vector<std::int64_t> QueueState::running_ids() const
{
    std::vector<std::int64_t> out;
    for (const auto& [id, running] : running_) out.push_back(id);
    std::ranges::sort(out);
    return out;
}

WaitingTasks QueueState::export_item(std::int64_t first, const Item& item) const
{
    const Shape& shape = shapes_[item.shape];
    WaitingTasks tasks;
    tasks.first = first;
    tasks.count = item.count;
    tasks.queue = queues_[shape.queue].name;
    tasks.priority = item.priority;
    tasks.order = item.order;
    tasks.slots = static_cast<std::uint32_t>(shape.needs.front().second);
    for (std::size_t at = 2; at < shape.needs.size(); ++at)
        tasks.needs.push_back({resources_[shape.needs[at].first].name, shape.needs[at].second});
    tasks.after = open_dependencies(first);
    tasks.hold_on_failure = item.hold_on_failure;
    if (item.group != 0) {
        const Group& group = groups_[item.group];
        if (group.name.front() != '\0') tasks.key = group.name;
        else tasks.array = std::stoll(group.name.substr(1));
        if (tasks.key.empty()) tasks.max_running = group.max_running;
    }
    tasks.held = item.held;
    if (item.early) tasks.not_before = item.not_before;
    tasks.expires = item.expires;
    return tasks;
}

std::vector<std::int64_t> QueueState::waiting_firsts() const
{
    std::vector<std::int64_t> firsts;
    firsts.reserve(items_.size());
    for (const auto& [first, item] : items_) firsts.push_back(first);
    return firsts;
}

std::vector<WaitingTasks> QueueState::waiting() const
{
    std::vector<WaitingTasks> out;
    out.reserve(items_.size());
    for (const auto& [first, item] : items_) out.push_back(export_item(first, item));
    return out;
}

std::optional<WaitingTasks> QueueState::running(std::int64_t id) const
{
    const auto found = running_.find(id);
    if (found == running_.end()) return std::nullopt;
    return export_item(id, found->second);
}

std::vector<std::int64_t> QueueState::depended_on() const
{
    std::vector<std::int64_t> out;
    out.reserve(dependants_.size());
    for (const auto& [task, who] : dependants_) out.push_back(task);
    std::ranges::sort(out);
    return out;
}

bool QueueState::is_awaited(std::int64_t id, DependsOn on) const
{
    const auto found = dependants_.find(id);
    if (found == dependants_.end()) return false;
    return std::ranges::any_of(found->second, [&](std::int64_t first) {
        const auto on_task =
            std::ranges::equal_range(unresolved_.at(first), id, {}, &Pending::task);
        return std::ranges::any_of(on_task, [&](const Pending& p) { return p.open && p.on == on; });
    });
}

} // namespace bgt::core
