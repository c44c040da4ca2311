#include <bgt/store/schedule_book.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::store {
namespace {

/// Of all schedules together, and of one.
constexpr std::size_t max_of_all = 50'000, min_of_one = 10, max_of_one = 1000;

} // namespace

const Schedule* ScheduleBook::find(std::int64_t id) const
{
    const auto found = all_.find(id);
    return found != all_.end() ? &found->second : nullptr;
}

const Schedule* ScheduleBook::find(const std::string& name) const
{
    const auto found = by_name_.find(name);
    return found != by_name_.end() ? find(found->second) : nullptr;
}

bool ScheduleBook::is_any_active() const
{
    return std::ranges::any_of(all_, [](const auto& entry) {
        return !entry.second.state.paused && !entry.second.is_over();
    });
}

std::set<std::int64_t> ScheduleBook::take_changed()
{
    return std::exchange(changed_, {});
}

std::size_t ScheduleBook::max_history() const
{
    return std::clamp(max_of_all / std::max<std::size_t>(all_.size(), 1), min_of_one, max_of_one);
}

Schedule* ScheduleBook::change(std::int64_t id)
{
    const auto found = all_.find(id);
    if (found == all_.end()) return nullptr;
    changed_.insert(id);
    return &found->second;
}

void ScheduleBook::apply(const Scheduled& record)
{
    Schedule& schedule = all_[record.id];
    if (!schedule.is.name.empty()) by_name_.erase(schedule.is.name);
    if (schedule.is.since != record.since) schedule.state.begin_at(record.since);
    schedule.is = record;
    by_name_[record.name] = record.id;
    changed_.insert(record.id);
}

void ScheduleBook::apply(const Unscheduled& record)
{
    const Schedule* schedule = change(record.id);
    if (!schedule) return;
    for (const std::int64_t task : schedule->tasks) by_task_.erase(task);
    by_name_.erase(schedule->is.name);
    all_.erase(record.id);
}

void ScheduleBook::apply(const SchedulePaused& record)
{
    Schedule* schedule = change(record.id);
    if (!schedule) return;
    if (schedule->state.paused && !record.paused) schedule->state.begin_at(record.at);
    schedule->state.paused = record.paused;
}

void ScheduleBook::apply(const ScheduleOccurred& record)
{
    Schedule* schedule = change(record.id);
    if (!schedule) return;
    schedule->state.note(record.what);
    schedule->history.push_back({record.what, record.task, record.at});
    while (schedule->history.size() > max_history()) schedule->history.pop_front();
    if (record.task == 0) return;
    schedule->tasks.push_back(record.task);
    by_task_[record.task] = record.id;
    schedule->last_task = record.task;
    schedule->last_end.reset();
}

void ScheduleBook::apply(const ClockSetBack& record)
{
    for (auto& [id, schedule] : all_) {
        if (schedule.state.mark <= record.to) continue;
        schedule.state.clock_set_back(record.to);
        changed_.insert(id);
    }
}

void ScheduleBook::apply(const ScheduleKept& record)
{
    Schedule* schedule = change(record.id);
    if (!schedule) return;
    for (const std::int64_t task : schedule->tasks) by_task_.erase(task);
    schedule->state = record.state;
    schedule->tasks = record.tasks;
    for (const std::int64_t task : schedule->tasks) by_task_[task] = record.id;
    schedule->last_task = record.last_task;
    schedule->last_end = record.last_end;
}

void ScheduleBook::tell(std::int64_t task, core::TaskEventKind event)
{
    if (!core::is_end(event)) return;
    const auto found = by_task_.find(task);
    if (found == by_task_.end()) return;
    Schedule& schedule = all_.at(found->second);
    std::erase(schedule.tasks, task);
    if (schedule.last_task == task) schedule.last_end = event;
    by_task_.erase(found);
}

void ScheduleBook::clear()
{
    for (const auto& [id, schedule] : all_) changed_.insert(id);
    all_.clear();
    by_name_.clear();
    by_task_.clear();
}

void ScheduleBook::append_to(std::vector<QueueRecord>& records) const
{
    for (const auto& [id, schedule] : all_) {
        records.emplace_back(schedule.is);
        for (const Schedule::Entry& entry : schedule.history)
            records.emplace_back(ScheduleOccurred{id, entry.what, entry.task, entry.at});
        records.emplace_back(ScheduleKept{id, schedule.state, schedule.tasks, schedule.last_task,
                                          schedule.last_end});
    }
}

std::uint64_t ScheduleBook::live_bytes() const
{
    constexpr std::uint64_t bytes_a_schedule = 256, bytes_an_entry = 48;
    std::uint64_t bytes = all_.size() * bytes_a_schedule;
    for (const auto& [id, schedule] : all_) bytes += schedule.history.size() * bytes_an_entry;
    return bytes;
}

void append_firing(std::vector<QueueRecord>& records, const Schedule& schedule, TaskId id,
                   const core::Occurred& what, WallTime now)
{
    Described own;
    own.key = id.value;
    own.like = schedule.is.described_by;
    own.submitted_ns = now.time_since_epoch().count();
    core::WaitingTasks tasks = schedule.is.tasks;
    tasks.first = id.value;
    tasks.count = 1;
    if (schedule.is.expire_after) tasks.expires = now + *schedule.is.expire_after;
    records.emplace_back(std::move(own));
    records.emplace_back(Submitted{std::move(tasks), id.value});
    records.emplace_back(ScheduleOccurred{schedule.is.id, what, id.value, now});
}

Result<void> check_schedule_name(std::string_view name)
{
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const bool good = !name.empty() && name.size() <= 64 && is_plain(name[0]) &&
                      std::ranges::all_of(name, [&](char c) {
                          return is_plain(c) || c == '-' || c == '_' || c == '.';
                      });
    if (good) return {};
    return Error::usage(
        "'" + fit(printable(name), 40) +
        "' is no name of a schedule: letters, digits, - _ . and at most 64 of them");
}

} // namespace bgt::store
