#pragma once
/// What core/queue.hpp promises, in the plainest way: each task an entry of its own in one list,
/// and every question a walk over all of it.
#include "queue_sample.hpp"

#include <bgt/core/queue.hpp>

#include <algorithm>
#include <deque>
#include <tuple>

namespace bgt::core {

struct NaiveTask {
    std::int64_t id = 0;
    WaitingTasks is; ///< its `first`, `count` and `order` mean nothing here
    bool running = false;
    bool early = false; ///< its time has not come
    std::map<std::string, std::uint64_t> needs = needs_of(is);

    /// By name: `*` are the total slots, and `/NAME` those of a queue.
    static std::map<std::string, std::uint64_t> needs_of(const WaitingTasks& is)
    {
        std::map<std::string, std::uint64_t> out{{"*", is.slots}, {"/" + is.queue, is.slots}};
        for (const Amount& need : is.needs) out[need.name] += need.amount;
        return out;
    }
};

class NaiveQueue {
public:
    void set_queue(const std::string& name, const QueueLimits& limits) { queues_[name] = limits; }
    void set_total_slots(std::optional<std::uint32_t> slots) { total_ = slots; }
    void set_resource(const std::string& name, std::uint64_t capacity)
    {
        capacities_[name] = capacity;
    }

    void add(const WaitingTasks& tasks)
    {
        queues_.try_emplace(tasks.queue);
        for (std::uint32_t i = 0; i < tasks.count; ++i) {
            NaiveTask task{tasks.first + i, tasks, false, tasks.not_before.has_value()};
            if (task.is.array == 0) task.is.array = tasks.first;
            line_.push_back(task);
        }
    }
    void add_running(std::int64_t id, const WaitingTasks& as)
    {
        if (is_running(id) || claim(id)) return;
        queues_.try_emplace(as.queue);
        line_.push_back({id, as, true, false});
        line_.back().is.after.clear();
        line_.back().is.held = false;
        if (as.array == 0) line_.back().is.array = as.first;
    }

    std::optional<std::int64_t> next()
    {
        std::set<std::string> reserved;
        for (const NaiveTask* task : ordered()) {
            if (!is_in_line(*task)) continue;
            const auto lacks = lacking(*task);
            if (lacks.empty() && !needs_any(*task, reserved)) {
                claim(task->id);
                return task->id;
            }
            if (can_ever_start(*task)) reserved.insert(lacks.begin(), lacks.end());
        }
        return std::nullopt;
    }
    bool claim(std::int64_t id)
    {
        NaiveTask* task = waiting_task(id);
        if (!task) return false;
        task->running = true;
        task->early = task->is.held = false;
        task->is.after.clear();
        return true;
    }
    void put_back(std::int64_t id)
    {
        for (NaiveTask& task : line_)
            if (task.id == id) task.running = false;
    }

    /// The ids that will never start, sorted.
    Ids tell(std::int64_t id, TaskEventKind event)
    {
        Ids skipped;
        std::deque<std::pair<std::int64_t, TaskEventKind>> open{{id, event}};
        for (; !open.empty(); open.pop_front()) {
            const auto [about, what] = open.front();
            if (is_end(what))
                std::erase_if(line_,
                              [&](const NaiveTask& t) { return t.id == about && t.running; });
            Ids now;
            for (NaiveTask& task : line_)
                if (!task.running && !lives_on(task, about, what)) now.push_back(task.id);
            for (const std::int64_t gone : now) {
                remove(gone);
                open.emplace_back(gone, TaskEventKind::never_started);
            }
            skipped.insert(skipped.end(), now.begin(), now.end());
        }
        std::ranges::sort(skipped);
        return skipped;
    }

    bool is_waiting(std::int64_t id) const
    {
        return const_cast<NaiveQueue*>(this)->waiting_task(id) != nullptr;
    }
    bool is_running(std::int64_t id) const
    {
        return std::ranges::any_of(line_,
                                   [&](const NaiveTask& t) { return t.id == id && t.running; });
    }
    bool set_held(std::int64_t id, bool held)
    {
        NaiveTask* task = waiting_task(id);
        if (task) task->is.held = held;
        return task != nullptr;
    }
    bool set_priority(std::int64_t id, std::int32_t priority)
    {
        NaiveTask* task = waiting_task(id);
        if (task) task->is.priority = priority;
        return task != nullptr;
    }
    bool move_first(std::int64_t id)
    {
        return move(id, [&] { return line_.begin(); });
    }
    bool move_last(std::int64_t id)
    {
        return move(id, [&] { return line_.end(); });
    }
    bool move_before(std::int64_t id, std::int64_t other)
    {
        if (id == other || !is_waiting(id) || !is_waiting(other)) return false;
        set_priority(id, waiting_task(other)->is.priority);
        return move(id, [&] { return std::ranges::find(line_, other, &NaiveTask::id); });
    }
    bool remove(std::int64_t id)
    {
        return std::erase_if(line_, [&](const NaiveTask& task) {
                   return task.id == id && !task.running;
               }) != 0;
    }

    /// The ids that have waited for too long, sorted.
    Ids advance(WallTime now)
    {
        Ids expired;
        for (NaiveTask& task : line_) {
            if (task.early && *task.is.not_before <= now) task.early = false;
            if (!task.running && task.is.expires && *task.is.expires <= now)
                expired.push_back(task.id);
        }
        for (const std::int64_t id : expired) remove(id);
        std::ranges::sort(expired);
        return expired;
    }
    std::optional<WallTime> next_time() const
    {
        std::optional<WallTime> next;
        for (const NaiveTask& task : line_) {
            if (task.running) continue;
            if (task.early)
                next = std::min(next.value_or(*task.is.not_before), *task.is.not_before);
            if (task.is.expires) next = std::min(next.value_or(*task.is.expires), *task.is.expires);
        }
        return next;
    }

    std::optional<WaitReasons> why_waiting(std::int64_t id) const
    {
        const NaiveTask* task = const_cast<NaiveQueue*>(this)->waiting_task(id);
        if (!task) return std::nullopt;
        WaitReasons why;
        why.held = task->is.held;
        why.dependencies = task->is.after;
        if (task->early) why.not_before = task->is.not_before;
        why.queue_paused = queues_.at(task->is.queue).paused;
        if (!group_has_room(*task)) why.key_holder = group_runs(*task).front();
        for (const auto& [name, need] : task->needs)
            if (need > free(name))
                why.lacks.push_back({shown(name), need, free(name), capacity(name)});
        for (const NaiveTask* first : ordered()) {
            if (first == task) break;
            why.before += first->is.queue == task->is.queue;
            const auto lacks = lacking(*first);
            if (!why.behind && is_in_line(*first) && can_ever_start(*first) &&
                needs_any(*task, lacks))
                why.behind = first->id;
        }
        return why;
    }
    std::map<std::string, QueueCounts> counts() const
    {
        std::map<std::string, QueueCounts> out;
        for (const auto& [name, limits] : queues_) out[name];
        for (const NaiveTask& task : line_) {
            QueueCounts& of = out[task.is.queue];
            of.waiting += !task.running;
            of.held += !task.running && task.is.held;
            of.running += task.running;
            if (task.running) of.used_slots += task.is.slots;
        }
        return out;
    }
    std::optional<std::string> queue_of(std::int64_t id) const
    {
        const NaiveTask* task = const_cast<NaiveQueue*>(this)->waiting_task(id);
        return task ? std::optional(task->is.queue) : std::nullopt;
    }
    std::size_t waiting_at_least(const std::string& queue, std::int32_t priority) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(line_, [&](const NaiveTask& task) {
            return !task.running && task.is.queue == queue && task.is.priority >= priority;
        }));
    }
    Ids with_key(const std::string& key, bool running) const
    {
        Ids ids;
        for (const NaiveTask& task : line_)
            if (task.is.key == key && task.running == running) ids.push_back(task.id);
        std::ranges::sort(ids);
        return ids;
    }
    Ids in_order() const
    {
        Ids ids;
        for (const NaiveTask* task : ordered()) ids.push_back(task->id);
        return ids;
    }
    Ids running_ids() const
    {
        Ids ids;
        for (const NaiveTask& task : line_)
            if (task.running) ids.push_back(task.id);
        std::ranges::sort(ids);
        return ids;
    }
    Ids depended_on() const
    {
        std::set<std::int64_t> tasks;
        for (const NaiveTask& task : line_)
            for (const Dependency& dependency : task.is.after) tasks.insert(dependency.task);
        return {tasks.begin(), tasks.end()};
    }
    bool is_awaited(std::int64_t id, DependsOn on) const
    {
        return std::ranges::any_of(line_, [&](const NaiveTask& task) {
            return std::ranges::count(task.is.after, Dependency{id, on}) > 0;
        });
    }
    const std::map<std::string, QueueLimits>& queues() const { return queues_; }
    const std::map<std::string, std::uint64_t>& capacities() const { return capacities_; }
    std::optional<std::uint32_t> total_slots() const { return total_; }

private:
    static bool is_end(TaskEventKind event)
    {
        using enum TaskEventKind;
        return event == ended_ok || event == ended_not_ok || event == never_started;
    }
    static bool holds(DependsOn on, TaskEventKind event)
    {
        using enum TaskEventKind;
        switch (on) {
        case DependsOn::ok: return event == ended_ok;
        case DependsOn::fail: return event == ended_not_ok;
        case DependsOn::any: return is_end(event);
        case DependsOn::start: return event != never_started; // what has ended was started
        case DependsOn::ready: return event == ready;
        }
        return false;
    }
    /// Takes the event in. False: it will never start.
    static bool lives_on(NaiveTask& task, std::int64_t about, TaskEventKind event)
    {
        std::vector<Dependency>& after = task.is.after;
        std::erase_if(after,
                      [&](const Dependency& d) { return d.task == about && holds(d.on, event); });
        const auto is_lost = [&](const Dependency& d) { return d.task == about && is_end(event); };
        if (std::ranges::none_of(after, is_lost)) return true;
        if (!task.is.hold_on_failure) return false;
        task.is.held = true;
        std::erase_if(after, is_lost);
        return true;
    }

    NaiveTask* waiting_task(std::int64_t id)
    {
        for (NaiveTask& task : line_)
            if (task.id == id && !task.running) return &task;
        return nullptr;
    }
    template <class Where>
    bool move(std::int64_t id, const Where& where)
    {
        const NaiveTask* found = waiting_task(id);
        if (!found) return false;
        const NaiveTask task = *found;
        remove(id);
        line_.insert(where(), task);
        return true;
    }
    /// Who waits: the higher priority first, else as they stand.
    std::vector<const NaiveTask*> ordered() const
    {
        std::vector<const NaiveTask*> tasks;
        for (const NaiveTask& task : line_)
            if (!task.running) tasks.push_back(&task);
        std::ranges::stable_sort(tasks, std::greater{},
                                 [](const NaiveTask* task) { return task->is.priority; });
        return tasks;
    }

    static std::string shown(const std::string& name)
    {
        return name == "*" ? "total slots" : name[0] == '/' ? "slots" : name;
    }
    std::uint64_t capacity(const std::string& name) const
    {
        if (name == "*") return total_.value_or(UINT32_MAX);
        if (name[0] == '/') return queues_.at(name.substr(1)).slots;
        const auto found = capacities_.find(name);
        return found == capacities_.end() ? 0 : found->second;
    }
    std::uint64_t free(const std::string& name) const
    {
        std::uint64_t used = 0;
        for (const NaiveTask& task : line_) {
            if (!task.running) continue;
            if (const auto use = task.needs.find(name); use != task.needs.end())
                used += use->second;
        }
        return capacity(name) - std::min(used, capacity(name));
    }
    std::set<std::string> lacking(const NaiveTask& task) const
    {
        std::set<std::string> out;
        for (const auto& [name, need] : task.needs)
            if (need > free(name)) out.insert(name);
        return out;
    }
    static bool needs_any(const NaiveTask& task, const std::set<std::string>& names)
    {
        return std::ranges::any_of(task.needs, [&](const auto& need) {
            return need.second > 0 && names.contains(need.first);
        });
    }
    bool can_ever_start(const NaiveTask& task) const
    {
        return std::ranges::all_of(
            task.needs, [&](const auto& need) { return need.second <= capacity(need.first); });
    }
    /// The running tasks with its key, or of its array.
    Ids group_runs(const NaiveTask& task) const
    {
        Ids ids;
        for (const NaiveTask& other : line_) {
            const bool same_array =
                other.is.key.empty() && other.is.max_running > 0 && other.is.array == task.is.array;
            if (other.running && (task.is.key.empty() ? same_array : other.is.key == task.is.key))
                ids.push_back(other.id);
        }
        std::ranges::sort(ids);
        return ids;
    }
    bool group_has_room(const NaiveTask& task) const
    {
        if (!task.is.key.empty()) return group_runs(task).empty();
        return task.is.max_running == 0 || group_runs(task).size() < task.is.max_running;
    }
    /// It can start as soon as there is room.
    bool is_in_line(const NaiveTask& task) const
    {
        return !task.is.held && !task.early && task.is.after.empty() &&
               !queues_.at(task.is.queue).paused && group_has_room(task);
    }

    std::vector<NaiveTask> line_; ///< who waits or runs, in their order
    std::map<std::string, QueueLimits> queues_;
    std::map<std::string, std::uint64_t> capacities_;
    std::optional<std::uint32_t> total_;
};

} // namespace bgt::core
