#pragma once
/// Waiting tasks for tests of core/queue.hpp.
#include "support/catch.hpp"

#include <bgt/core/queue.hpp>

#include <ctime>

namespace bgt::core {

using Ids = std::vector<std::int64_t>;

constexpr TaskEventKind started = TaskEventKind::started;
constexpr TaskEventKind ready = TaskEventKind::ready;
constexpr TaskEventKind ended_ok = TaskEventKind::ended_ok;
constexpr TaskEventKind ended_not_ok = TaskEventKind::ended_not_ok;
constexpr TaskEventKind never_started = TaskEventKind::never_started;

inline WaitingTasks task(std::int64_t id, std::int32_t priority = 0)
{
    WaitingTasks tasks;
    tasks.first = id;
    tasks.priority = priority;
    return tasks;
}

inline WaitingTasks range(std::int64_t first, std::uint32_t count)
{
    WaitingTasks tasks = task(first);
    tasks.count = count;
    return tasks;
}

inline WaitingTasks after(std::int64_t id, std::vector<Dependency> dependencies)
{
    WaitingTasks tasks = task(id);
    tasks.after = std::move(dependencies);
    return tasks;
}

inline WaitingTasks needing(std::int64_t id, std::vector<Amount> needs)
{
    WaitingTasks tasks = task(id);
    tasks.needs = std::move(needs);
    return tasks;
}

inline WaitingTasks with_slots(std::int64_t id, std::uint32_t slots)
{
    WaitingTasks tasks = task(id);
    tasks.slots = slots;
    return tasks;
}

inline WaitingTasks in_queue(std::int64_t id, const std::string& queue)
{
    WaitingTasks tasks = task(id);
    tasks.queue = queue;
    return tasks;
}

inline WaitingTasks with_key(std::int64_t id, const std::string& key)
{
    WaitingTasks tasks = task(id);
    tasks.key = key;
    return tasks;
}

/// The default queue with so many slots, and these tasks.
inline QueueState queue_of(std::uint32_t slots, const std::vector<WaitingTasks>& all = {})
{
    QueueState queue;
    queue.set_queue("default", {slots, false});
    for (const WaitingTasks& tasks : all) queue.add(tasks);
    return queue;
}

/// All that can start now, in this order.
inline Ids start_all(QueueState& queue)
{
    Ids ids;
    while (const auto id = queue.next()) ids.push_back(*id);
    return ids;
}

/// All that waits, one after the other, each ended before the next starts.
inline Ids run_all(QueueState& queue)
{
    Ids ids;
    while (const auto id = queue.next()) {
        ids.push_back(*id);
        queue.tell(*id, ended_ok);
    }
    return ids;
}

constexpr std::uint32_t many = 100'000;

/// In seconds of the processor: a debug build needs a fifth of this, and what is quadratic much
/// more.
template <class Function>
void check_takes_no_time(const Function& function)
{
    const std::clock_t begin = std::clock();
    function();
    CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 6);
}

} // namespace bgt::core
