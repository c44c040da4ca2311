// Who waits and who is next. Dependencies and times: queue_events.cpp; what is told of it all: queue_report.cpp.
#include <bgt/core/queue.hpp>

#include <algorithm>
#include <iterator>

namespace bgt::core {
namespace {

/// Between the places of two tasks submitted one after the other, for those that are moved in between.
constexpr std::int64_t order_step = std::int64_t{1} << 20;

} // namespace

std::uint32_t QueueState::resource(const std::string& name)
{
    const auto [it, is_new] = resource_by_name_.try_emplace(name, static_cast<std::uint32_t>(resources_.size()));
    if (is_new) resources_.push_back({name, 0, 0});
    return it->second;
}

std::uint32_t QueueState::queue(const std::string& name)
{
    const auto [it, is_new] = queue_by_name_.try_emplace(name, static_cast<std::uint32_t>(queues_.size()));
    if (is_new) {
        // No resource that a person can name has a NUL byte.
        const std::uint32_t slots = resource(std::string(1, '\0') + name);
        resources_[slots].capacity = 1;
        queues_.push_back({name, slots, false});
    }
    return it->second;
}

void QueueState::set_queue(const std::string& name, const QueueLimits& limits)
{
    const std::uint32_t at = queue(name);
    queues_[at].paused = limits.paused;
    resources_[queues_[at].slots_resource].capacity = limits.slots;
}

void QueueState::set_total_slots(std::optional<std::uint32_t> slots)
{
    total_slots_ = slots;
}

void QueueState::set_resource(const std::string& name, std::uint64_t capacity)
{
    resources_[resource(name)].capacity = capacity;
}

std::uint32_t QueueState::shape_for(const WaitingTasks& tasks)
{
    Shape shape;
    shape.queue = queue(tasks.queue);
    shape.needs.emplace_back(queues_[shape.queue].slots_resource, tasks.slots);
    for (const Amount& need : tasks.needs) shape.needs.emplace_back(resource(need.name), need.amount);
    std::sort(shape.needs.begin() + 1, shape.needs.end());
    std::vector<std::uint64_t> key{shape.queue};
    for (const auto& [of, amount] : shape.needs) key.insert(key.end(), {of, amount});
    const auto [it, is_new] = shape_by_needs_.try_emplace(std::move(key), static_cast<std::uint32_t>(shapes_.size()));
    if (is_new) shapes_.push_back(std::move(shape));
    return it->second;
}

std::uint32_t QueueState::group_for(const WaitingTasks& tasks)
{
    if (tasks.key.empty() && tasks.max_running == 0) return 0;
    // An array's own limit is a group of its own, which no key can name.
    const std::int64_t array = tasks.array != 0 ? tasks.array : tasks.first;
    const std::string name = tasks.key.empty() ? std::string(1, '\0') + std::to_string(array) : tasks.key;
    const auto [it, is_new] = group_by_key_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
    if (is_new) groups_.push_back({name, tasks.key.empty() ? tasks.max_running : 1, {}, {}, {}});
    return it->second;
}

QueueState::Items::iterator QueueState::find(std::int64_t id)
{
    const auto after = items_.upper_bound(id);
    if (after == items_.begin()) return items_.end();
    const auto it = std::prev(after);
    return id < it->first + it->second.count ? it : items_.end();
}

QueueState::Items::const_iterator QueueState::find(std::int64_t id) const
{
    return const_cast<QueueState*>(this)->find(id);
}

QueueState::Rank QueueState::rank_of(Items::const_iterator it)
{
    return {it->second.priority, it->second.order, it->first};
}

void QueueState::show_best(std::uint32_t at)
{
    Group& group = groups_[at];
    const bool has_room = group.running.size() < group.max_running;
    const std::optional<Rank> best = has_room && !group.line.empty() ? std::optional(*group.line.begin()) : std::nullopt;
    if (group.shown) shapes_[items_.at(group.shown->first).shape].line.erase(*group.shown);
    group.shown = best;
    if (best) shapes_[items_.at(best->first).shape].line.insert(*best);
}

void QueueState::line_up(Items::iterator it)
{
    if (!can_line_up(it->second)) return;
    if (it->second.group == 0) {
        shapes_[it->second.shape].line.insert(rank_of(it));
        return;
    }
    groups_[it->second.group].line.insert(rank_of(it));
    show_best(it->second.group);
}

void QueueState::leave_line(Items::iterator it)
{
    if (!can_line_up(it->second)) return;
    if (it->second.group == 0) {
        shapes_[it->second.shape].line.erase(rank_of(it));
        return;
    }
    groups_[it->second.group].line.erase(rank_of(it));
    show_best(it->second.group);
}

void QueueState::add(const WaitingTasks& tasks)
{
    Item item;
    item.count = tasks.count;
    item.priority = tasks.priority;
    item.order = tasks.order.value_or(tasks.first * order_step);
    item.shape = shape_for(tasks);
    item.group = group_for(tasks);
    item.held = tasks.held;
    item.hold_on_failure = tasks.hold_on_failure;
    item.not_before = tasks.not_before;
    item.expires = tasks.expires;
    item.early = tasks.not_before.has_value();
    item.unresolved = static_cast<std::uint32_t>(tasks.after.size());
    if (tasks.not_before) starts_.emplace(*tasks.not_before, tasks.first);
    if (tasks.expires) ends_.emplace(*tasks.expires, tasks.first);
    for (const Dependency& dependency : tasks.after) dependants_[dependency.task].insert(tasks.first);
    if (!tasks.after.empty()) unresolved_[tasks.first] = tasks.after;
    waiting_count_ += tasks.count;
    line_up(items_.emplace(tasks.first, std::move(item)).first);
}

/// The tasks from `id` on become an item of their own. Both halves stand in the same place.
void QueueState::split_before(Items::iterator it, std::int64_t id)
{
    if (it->first == id) return;
    Item rest = it->second;
    rest.count = static_cast<std::uint32_t>(it->first + it->second.count - id);
    it->second.count -= rest.count;
    if (const auto found = unresolved_.find(it->first); found != unresolved_.end()) {
        const std::vector<Dependency> after = found->second;
        for (const Dependency& dependency : after) dependants_[dependency.task].insert(id);
        unresolved_[id] = after;
    }
    if (rest.not_before && rest.early) starts_.emplace(*rest.not_before, id);
    if (rest.expires) ends_.emplace(*rest.expires, id);
    line_up(items_.emplace(id, std::move(rest)).first);
}

QueueState::Items::iterator QueueState::isolate(std::int64_t id)
{
    if (find(id) == items_.end()) return items_.end();
    split_before(find(id), id);
    const auto it = items_.find(id);
    if (it->second.count > 1) split_before(it, id + 1);
    return it;
}

void QueueState::erase(Items::iterator it)
{
    leave_line(it);
    waiting_count_ -= it->second.count;
    if (const auto found = unresolved_.find(it->first); found != unresolved_.end()) {
        for (const Dependency& dependency : found->second) {
            const auto who = dependants_.find(dependency.task);
            if (who != dependants_.end() && who->second.erase(it->first) != 0 && who->second.empty()) dependants_.erase(who);
        }
        unresolved_.erase(found);
    }
    items_.erase(it);
}

bool QueueState::fits(const Shape& shape, const std::vector<char>& reserved) const
{
    const std::uint64_t slots = shape.needs.front().second;
    if (total_slots_ && used_slots_ + slots > *total_slots_) return false;
    return std::ranges::all_of(shape.needs, [&](const auto& need) {
        const Resource& of = resources_[need.first];
        return !reserved[need.first] && of.used + need.second <= of.capacity;
    });
}

void QueueState::take(const Shape& shape)
{
    used_slots_ += shape.needs.front().second;
    for (const auto& [of, amount] : shape.needs) resources_[of].used += amount;
}

void QueueState::give_back(const Shape& shape)
{
    used_slots_ -= shape.needs.front().second;
    for (const auto& [of, amount] : shape.needs) resources_[of].used -= amount;
}

std::optional<std::int64_t> QueueState::next()
{
    std::vector<std::pair<Rank, std::uint32_t>> heads;
    for (std::uint32_t at = 0; at < shapes_.size(); ++at)
        if (!shapes_[at].line.empty() && !queues_[shapes_[at].queue].paused) heads.emplace_back(*shapes_[at].line.begin(), at);
    std::sort(heads.begin(), heads.end());
    std::vector<char> reserved(resources_.size(), 0);
    for (const auto& [rank, at] : heads) {
        const Shape& shape = shapes_[at];
        if (fits(shape, reserved)) {
            start(rank.first);
            return rank.first;
        }
        // Who comes later may pass only without what this one lacks: else it would never be its turn.
        if (total_slots_ && used_slots_ + shape.needs.front().second > *total_slots_) return std::nullopt;
        for (const auto& [of, amount] : shape.needs)
            if (resources_[of].used + amount > resources_[of].capacity) reserved[of] = 1;
    }
    return std::nullopt;
}

bool QueueState::claim(std::int64_t id)
{
    if (isolate(id) == items_.end()) return false;
    start(id);
    return true;
}

/// `id` is the first of an item.
void QueueState::start(std::int64_t id)
{
    const auto it = items_.find(id);
    leave_line(it);
    Item one = it->second;
    if (it->second.count == 1) {
        items_.erase(it);
    } else {
        auto rest = items_.extract(it);
        rest.key() = id + 1;
        --rest.mapped().count;
        if (rest.mapped().expires) ends_.emplace(*rest.mapped().expires, id + 1);
        line_up(items_.insert(std::move(rest)).position);
    }
    --waiting_count_;
    one.count = 1;
    take(shapes_[one.shape]);
    if (one.group != 0) {
        groups_[one.group].running.insert(id);
        show_best(one.group);
    }
    running_[id] = {one.shape, one.group, one};
}

void QueueState::add_running(std::int64_t id, const WaitingTasks& as)
{
    if (running_.contains(id)) return;
    if (const auto it = isolate(id); it != items_.end()) erase(it);
    Item item;
    item.priority = as.priority;
    item.order = as.order.value_or(id * order_step);
    item.not_before = as.not_before;
    item.expires = as.expires;
    item.shape = shape_for(as);
    item.group = group_for(as);
    take(shapes_[item.shape]);
    if (item.group != 0) {
        groups_[item.group].running.insert(id);
        show_best(item.group);
    }
    running_[id] = {item.shape, item.group, item};
}

void QueueState::put_back(std::int64_t id)
{
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    const Item item = found->second.item;
    running_.erase(found);
    give_back(shapes_[item.shape]);
    if (item.group != 0) groups_[item.group].running.erase(id);
    ++waiting_count_;
    if (item.expires) ends_.emplace(*item.expires, id);
    line_up(items_.emplace(id, item).first);
}

bool QueueState::is_waiting(std::int64_t id) const
{
    return find(id) != items_.end();
}

bool QueueState::hold(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    leave_line(it);
    it->second.held = true;
    return true;
}

bool QueueState::release(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    if (!it->second.held) return true;
    it->second.held = false;
    line_up(it);
    return true;
}

bool QueueState::set_priority(std::int64_t id, std::int32_t priority)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    leave_line(it);
    it->second.priority = priority;
    line_up(it);
    return true;
}

bool QueueState::move_first(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    leave_line(it);
    for (const auto& [first, other] : items_)
        if (first != id) it->second.order = std::min(it->second.order, other.order - order_step);
    line_up(it);
    return true;
}

bool QueueState::move_last(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    leave_line(it);
    for (const auto& [first, other] : items_)
        if (first != id) it->second.order = std::max(it->second.order, other.order + order_step);
    line_up(it);
    return true;
}

/// Half way to whoever stands before it now.
std::int64_t QueueState::place_before(Items::const_iterator target) const
{
    std::int64_t previous = target->second.order - order_step;
    for (auto it = items_.begin(); it != items_.end(); ++it)
        if (it->second.priority == target->second.priority && it->second.order < target->second.order)
            previous = std::max(previous, it->second.order);
    return previous + (target->second.order - previous) / 2;
}

bool QueueState::move_before(std::int64_t id, std::int64_t other)
{
    if (id == other || !is_waiting(id) || !is_waiting(other)) return false;
    const auto target = isolate(other);
    const auto it = isolate(id);
    leave_line(it);
    it->second.priority = target->second.priority;
    it->second.order = place_before(target);
    line_up(it);
    return true;
}

bool QueueState::remove(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    erase(it);
    return true;
}

} // namespace bgt::core
