// Places in the line, and who is kept out of it.
#include <bgt/core/queue.hpp>

#include "queue_order.hpp"

#include <algorithm>

namespace bgt::core {

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
    it->second.order = first_order_ -= order_step;
    line_up(it);
    return true;
}

bool QueueState::move_last(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    leave_line(it);
    it->second.order = end_order_;
    end_order_ += order_step;
    line_up(it);
    return true;
}

/// Half way between the target and whoever stands before it now, also with another priority, or
/// running: that may change. nullopt: there is no room.
std::optional<std::int64_t> QueueState::place_before(std::int64_t id, const Item& target)
{
    std::optional<std::int64_t> previous;
    const auto look_at = [&](const Item& item) {
        const std::int64_t last = item.order + (item.count - std::int64_t{1}) * order_step;
        if (last < target.order) previous = std::max(previous.value_or(last), last);
    };
    for (const auto& [first, item] : items_)
        if (first != id) look_at(item);
    for (const auto& [running, item] : running_) look_at(item);
    if (!previous) return first_order_ -= order_step;
    if (target.order - *previous < 2) return std::nullopt;
    return *previous + (target.order - *previous) / 2;
}

/// Makes room between all, where they stand.
void QueueState::renumber()
{
    std::vector<Item*> all;
    for (auto it = items_.begin(); it != items_.end(); ++it) {
        leave_line(it);
        all.push_back(&it->second);
    }
    for (auto& [id, item] : running_) all.push_back(&item);
    std::ranges::sort(all, {}, [](const Item* item) { return item->order; });
    first_order_ = end_order_ = 0;
    for (Item* item : all) {
        item->order = end_order_;
        end_order_ += item->count * order_step;
    }
    for (auto it = items_.begin(); it != items_.end(); ++it) line_up(it);
}

bool QueueState::move_before(std::int64_t id, std::int64_t other)
{
    if (id == other || !is_waiting(id) || !is_waiting(other)) return false;
    const auto target = isolate(other);
    const auto it = isolate(id);
    auto order = place_before(id, target->second);
    if (!order) {
        renumber();
        order = place_before(id, target->second);
    }
    leave_line(it);
    it->second.priority = target->second.priority;
    it->second.order = *order;
    line_up(it);
    return true;
}

} // namespace bgt::core
