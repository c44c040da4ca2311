// What can be used, and which waiting tasks are alike: those of a shape need the same, those of a
// group share a limit.
#include <bgt/core/queue.hpp>

#include <algorithm>
#include <limits>

namespace bgt::core {
namespace {

constexpr std::uint32_t total_slots = 0; // of the resources

} // namespace

std::uint32_t QueueState::resource(const std::string& name)
{
    const auto [it, is_new] =
        resource_by_name_.try_emplace(name, static_cast<std::uint32_t>(resources_.size()));
    if (is_new) resources_.push_back({name, 0, 0});
    return it->second;
}

std::uint32_t QueueState::queue(const std::string& name)
{
    const auto [it, is_new] =
        queue_by_name_.try_emplace(name, static_cast<std::uint32_t>(queues_.size()));
    if (is_new) {
        queues_.push_back({name, static_cast<std::uint32_t>(resources_.size()), false});
        resources_.push_back({"slots", 1, 0});
    }
    return it->second;
}

void QueueState::set_queue(const std::string& name, const QueueLimits& limits)
{
    Queue& changed = queues_[queue(name)];
    changed.paused = limits.paused;
    resources_[changed.slots_resource].capacity = limits.slots;
}

void QueueState::set_total_slots(std::optional<std::uint32_t> slots)
{
    resources_[total_slots].capacity = slots ? *slots : UINT64_MAX;
}

void QueueState::set_resource(const std::string& name, std::uint64_t capacity)
{
    resources_[resource(name)].capacity = capacity;
}

std::vector<std::uint64_t> QueueState::Shape::key() const
{
    std::vector<std::uint64_t> key{queue};
    for (const auto& [of, amount] : needs) key.insert(key.end(), {of, amount});
    return key;
}

/// Of most: tasks that need slots alone, like those before them.
bool QueueState::is_like_newest(const WaitingTasks& tasks) const
{
    if (newest_shape_ >= shapes_.size() || !tasks.needs.empty()) return false;
    const Shape& shape = shapes_[newest_shape_];
    return shape.items > 0 && shape.needs.size() == 2 && shape.needs[0].second == tasks.slots &&
           queues_[shape.queue].name == tasks.queue;
}

std::uint32_t QueueState::shape_for(const WaitingTasks& tasks)
{
    if (!is_like_newest(tasks)) newest_shape_ = find_shape(tasks);
    return newest_shape_;
}

std::uint32_t QueueState::find_shape(const WaitingTasks& tasks)
{
    std::map<std::uint32_t, std::uint64_t> named;
    for (const auto& [name, amount] : tasks.needs) {
        if (amount == 0) continue;
        std::uint64_t& sum = named[resource(name)];
        sum = amount > UINT64_MAX - sum ? UINT64_MAX : sum + amount;
    }
    Shape shape;
    shape.queue = queue(tasks.queue);
    shape.needs = {{total_slots, tasks.slots}, {queues_[shape.queue].slots_resource, tasks.slots}};
    shape.needs.insert(shape.needs.end(), named.begin(), named.end());
    const auto [it, is_new] =
        shape_by_needs_.try_emplace(shape.key(), static_cast<std::uint32_t>(shapes_.size()));
    if (!is_new) return it->second;
    if (free_shapes_.empty()) {
        shapes_.push_back(std::move(shape));
    } else {
        it->second = free_shapes_.back();
        free_shapes_.pop_back();
        shapes_[it->second] = std::move(shape);
    }
    return it->second;
}

std::uint32_t QueueState::group_for(const WaitingTasks& tasks)
{
    if (tasks.key.empty() && tasks.max_running == 0) return 0;
    // An array's own limit is a group of its own, which no key can name.
    const std::int64_t array = tasks.array != 0 ? tasks.array : tasks.first;
    const std::string name =
        tasks.key.empty() ? std::string(1, '\0') + std::to_string(array) : tasks.key;
    const auto [it, is_new] =
        group_by_key_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
    if (!is_new) return it->second;
    Group group{name, tasks.key.empty() ? tasks.max_running : 1, {}, {}, 0};
    if (free_groups_.empty()) {
        groups_.push_back(std::move(group));
    } else {
        it->second = free_groups_.back();
        free_groups_.pop_back();
        groups_[it->second] = std::move(group);
    }
    return it->second;
}

void QueueState::count_item(const Item& item)
{
    ++shapes_[item.shape].items;
    if (item.group != 0) ++groups_[item.group].items;
}

/// The last one takes its shape and group with it: a decision costs as many steps as there are
/// shapes.
void QueueState::discount_item(const Item& item)
{
    if (Shape& shape = shapes_[item.shape]; --shape.items == 0) {
        shape_by_needs_.erase(shape.key());
        shape = {};
        free_shapes_.push_back(item.shape);
    }
    if (item.group == 0) return;
    if (Group& group = groups_[item.group]; --group.items == 0) {
        group_by_key_.erase(group.name);
        group = {};
        free_groups_.push_back(item.group);
    }
}

/// Of each shape in the group the one that comes first.
std::vector<std::pair<std::uint32_t, QueueState::Rank>> QueueState::heads_of(const Group& group)
{
    // Before all ranks of a shape.
    constexpr Rank lowest{std::numeric_limits<std::int32_t>::max(),
                          std::numeric_limits<std::int64_t>::min(), 0};
    std::vector<std::pair<std::uint32_t, Rank>> heads;
    for (auto it = group.line.begin(); it != group.line.end();
         it = group.line.lower_bound({it->first + 1, lowest}))
        heads.push_back(*it);
    return heads;
}

/// Before the line of the group or what runs of it changes.
void QueueState::hide(std::uint32_t group)
{
    for (const auto& [shape, rank] : heads_of(groups_[group])) shapes_[shape].line.erase(rank);
}

/// After it has changed.
void QueueState::show(std::uint32_t group)
{
    if (groups_[group].running.size() >= groups_[group].max_running) return;
    for (const auto& [shape, rank] : heads_of(groups_[group])) shapes_[shape].line.insert(rank);
}

} // namespace bgt::core
