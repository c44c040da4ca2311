// Who waits and who is next. Places in the line: queue_places.cpp; kinds of need: queue_kinds.cpp;
// dependencies and times: queue_events.cpp; what is told of it all: queue_report.cpp.
#include <bgt/core/queue.hpp>

#include "queue_order.hpp"

#include <algorithm>
#include <iterator>

namespace bgt::core {

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

void QueueState::line_up(Items::iterator it)
{
    const Item& item = it->second;
    if (!can_line_up(item)) return;
    if (item.group == 0) {
        std::set<Rank>& line = shapes_[item.shape].line;
        line.insert(line.end(), rank_of(it));
        return;
    }
    hide(item.group);
    groups_[item.group].line.emplace(item.shape, rank_of(it));
    show(item.group);
}

void QueueState::leave_line(Items::iterator it)
{
    const Item& item = it->second;
    if (!can_line_up(item)) return;
    if (item.group == 0) {
        shapes_[item.shape].line.erase(rank_of(it));
        return;
    }
    hide(item.group);
    groups_[item.group].line.erase({item.shape, rank_of(it)});
    show(item.group);
}

QueueState::Items::iterator QueueState::put_in(std::int64_t first, const Item& item)
{
    waiting_count_ += item.count;
    if (item.early) starts_.emplace(*item.not_before, first);
    if (item.expires) ends_.emplace(*item.expires, first);
    const auto it = items_.emplace_hint(items_.end(), first, item); // mostly it is the last
    line_up(it);
    return it;
}

/// It still counts as an item of its shape and group.
QueueState::Item QueueState::take_out(Items::iterator it)
{
    leave_line(it);
    const std::int64_t first = it->first;
    const Item item = it->second;
    waiting_count_ -= item.count;
    if (item.early) starts_.erase({*item.not_before, first});
    if (item.expires) ends_.erase({*item.expires, first});
    if (const auto found = unresolved_.find(first); found != unresolved_.end()) {
        for (const Pending& dependency : found->second) forget_dependency(first, dependency.task);
        unresolved_.erase(found);
    }
    items_.erase(it);
    return item;
}

void QueueState::erase(Items::iterator it)
{
    discount_item(take_out(it));
}

QueueState::Item QueueState::make_item(const WaitingTasks& tasks)
{
    const std::int64_t order = tasks.order.value_or(end_order_);
    first_order_ = std::min(first_order_, order);
    end_order_ = std::max(end_order_, order + tasks.count * order_step);
    Item item;
    item.count = tasks.count;
    item.priority = tasks.priority;
    item.order = order;
    item.shape = shape_for(tasks);
    item.group = group_for(tasks);
    item.hold_on_failure = tasks.hold_on_failure;
    item.not_before = tasks.not_before;
    item.expires = tasks.expires;
    count_item(item);
    return item;
}

void QueueState::add(const WaitingTasks& tasks)
{
    if (tasks.count == 0) return;
    Item item = make_item(tasks);
    item.held = tasks.held;
    item.early = tasks.not_before.has_value();
    std::vector<Pending> after;
    for (const auto& [task, on] : tasks.after) after.push_back({task, on, true});
    std::ranges::sort(after, {}, [](const Pending& p) { return std::pair(p.task, p.on); });
    const auto same =
        std::ranges::unique(after, {}, [](const Pending& p) { return std::pair(p.task, p.on); });
    after.erase(same.begin(), same.end());
    item.unresolved = static_cast<std::uint32_t>(after.size());
    add_dependencies(tasks.first, after);
    put_in(tasks.first, item);
}

/// The tasks from `id` on become an item of their own.
void QueueState::split_before(Items::iterator it, std::int64_t id)
{
    if (it->first == id) return;
    Item rest = it->second;
    rest.count = static_cast<std::uint32_t>(it->first + it->second.count - id);
    rest.order += (id - it->first) * order_step;
    it->second.count -= rest.count;
    waiting_count_ -= rest.count;
    count_item(rest);
    if (const auto found = unresolved_.find(it->first); found != unresolved_.end())
        add_dependencies(id, std::vector(found->second));
    put_in(id, rest);
}

QueueState::Items::iterator QueueState::isolate(std::int64_t id)
{
    if (find(id) == items_.end()) return items_.end();
    split_before(find(id), id);
    const auto it = items_.find(id);
    if (it->second.count > 1) split_before(it, id + 1);
    return it;
}

void QueueState::run(std::int64_t id, const Item& item)
{
    for (const auto& [of, amount] : shapes_[item.shape].needs) resources_[of].used += amount;
    if (item.group != 0) {
        hide(item.group);
        groups_[item.group].running.insert(id);
        show(item.group);
    }
    running_[id] = item;
}

/// It gives back what it used. It still counts as an item of its shape and group.
std::optional<QueueState::Item> QueueState::stop_running(std::int64_t id)
{
    const auto found = running_.find(id);
    if (found == running_.end()) return std::nullopt;
    const Item item = found->second;
    running_.erase(found);
    for (const auto& [of, amount] : shapes_[item.shape].needs) resources_[of].used -= amount;
    if (item.group != 0) {
        hide(item.group);
        groups_[item.group].running.erase(id);
        show(item.group);
    }
    return item;
}

QueueState::Heads QueueState::heads() const
{
    Heads heads;
    for (std::uint32_t at = 0; at < shapes_.size(); ++at)
        if (!shapes_[at].line.empty() && !queues_[shapes_[at].queue].paused)
            heads.emplace_back(*shapes_[at].line.begin(), at);
    std::sort(heads.begin(), heads.end());
    return heads;
}

bool QueueState::fits(const Shape& shape, const std::vector<char>& reserved) const
{
    return std::ranges::all_of(shape.needs, [&](const auto& need) {
        return need.second == 0 ||
               (!reserved[need.first] && need.second <= resources_[need.first].free());
    });
}

/// Marks what a task lacks. If another took of that what becomes free, it would never be its turn.
void QueueState::reserve(const Shape& shape, std::vector<char>& reserved) const
{
    for (const auto& [of, amount] : shape.needs)
        if (amount > resources_[of].capacity) return;
    for (const auto& [of, amount] : shape.needs)
        if (amount > resources_[of].free()) reserved[of] = 1;
}

std::optional<std::int64_t> QueueState::next()
{
    std::vector<char> reserved(resources_.size(), 0);
    for (const auto& [rank, at] : heads()) {
        if (fits(shapes_[at], reserved)) {
            claim(rank.first);
            return rank.first;
        }
        reserve(shapes_[at], reserved);
    }
    return std::nullopt;
}

bool QueueState::claim(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    Item item = take_out(it);
    item.unresolved = 0;
    item.held = item.early = false;
    run(id, item);
    return true;
}

void QueueState::add_running(std::int64_t id, const WaitingTasks& as)
{
    if (running_.contains(id) || claim(id)) return;
    WaitingTasks one = as;
    one.count = 1;
    run(id, make_item(one));
}

void QueueState::put_back(std::int64_t id)
{
    if (const auto item = stop_running(id)) put_in(id, *item);
}

bool QueueState::is_waiting(std::int64_t id) const
{
    return find(id) != items_.end();
}

bool QueueState::remove(std::int64_t id)
{
    const auto it = isolate(id);
    if (it == items_.end()) return false;
    erase(it);
    return true;
}

} // namespace bgt::core
