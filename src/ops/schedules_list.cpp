// What is told of schedules.
#include <bgt/ops/schedules.hpp>

#include "schedule_parts.hpp"

#include <bgt/dispatch/schedules.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <map>
#include <memory>

namespace bgt::ops {
namespace {

/// As the clock shows now: it may have been set back since the last decision.
core::ScheduleState state_now(const store::Schedule& schedule, WallTime now)
{
    core::ScheduleState state = schedule.state;
    state.clock_set_back(now);
    return state;
}

ScheduleRun run_of(store::Root& root, const store::QueueView& view, const store::Schedule& schedule,
                   std::int64_t task)
{
    ScheduleRun run;
    run.task = task;
    run.waits = view.is_waiting(store::TaskId{task});
    if (task == schedule.last_task) run.end = schedule.last_end;
    if (run.waits) return run;
    if (auto seen = recover_and_inspect(root, store::TaskId{task}, {});
        seen && seen->problem.empty())
        run.status = std::move(seen->status);
    return run;
}

/// When it fires after `state`, with the jitter; the occurrence counts as decided then.
std::optional<WallTime> take_next(const store::Schedule& schedule, core::ScheduleState& state,
                                  const core::Recurrences& due)
{
    const core::SchedulePolicy& policy = schedule.is.policy;
    const auto at = core::next_occurrence(policy, state, due);
    if (!at) return std::nullopt;
    state.note({core::OccurrenceFate::fired, *at, *at, 1});
    return *at + core::jitter_of(policy, schedule.is.name, *at);
}

/// By their names: there are few, and each costs some reading.
using Zones = std::map<std::string, std::shared_ptr<const os::TimeZone>>;

/// When it fires. Error: it can't be read, or there is no such zone.
Result<void> add_times(ScheduleInfo& info, const store::Schedule& schedule, WallTime now,
                       Zones& zones)
{
    BGT_TRY_ASSIGN(const core::Recurrence recurrence, dispatch::read_recurrence(schedule.is));
    info.words = core::in_words(recurrence);
    if (!recurrence.zone.empty()) info.zone = recurrence.zone;
    std::shared_ptr<const os::TimeZone>& zone = zones[info.zone];
    if (!zone) { BGT_TRY_ASSIGN(zone, os::TimeZone::open(info.zone)); }
    core::ScheduleState state = state_now(schedule, now);
    info.next = take_next(schedule, state, dispatch::in_zone(recurrence, zone));
    info.over = info.over || !info.next;
    if (info.paused) info.next.reset();
    return {};
}

ScheduleInfo info_of(store::Root& root, const store::QueueView& view,
                     const store::Schedule& schedule, WallTime now, Zones& zones)
{
    ScheduleInfo info;
    info.name = schedule.is.name;
    info.when = schedule.is.when;
    info.zone = schedule.is.zone;
    info.policy = schedule.is.policy;
    info.paused = schedule.state.paused;
    info.over = schedule.is_over();
    info.fired = schedule.state.fired;
    info.queue = schedule.is.tasks.queue;
    info.origin = schedule.is.origin;
    if (const auto task = view.describe(schedule)) info.command = store::shown_command(task->spec);
    else info.problem = task.error().message;
    if (const auto timed = add_times(info, schedule, now, zones); !timed)
        info.problem = timed.error().message;
    for (const std::int64_t task : schedule.tasks)
        if (view.is_waiting(store::TaskId{task}) || view.is_claimed(store::TaskId{task}))
            info.tasks.push_back(task);
    if (schedule.last_task != 0) {
        info.last = run_of(root, view, schedule, schedule.last_task);
        for (const store::Schedule::Entry& entry : schedule.history)
            if (entry.task == schedule.last_task) info.last_at = entry.at;
    }
    return info;
}

Result<store::QueueView> load(const store::Root& root)
{
    BGT_TRY_ASSIGN(store::QueueView view, store::QueueView::load(root, os::boot_id()));
    view.advance(os::wall_now());
    return view;
}

} // namespace

Result<std::vector<ScheduleInfo>> list_schedules(store::Root& root, const std::string& only)
{
    BGT_TRY_ASSIGN(const store::QueueView view, load(root));
    const WallTime now = os::wall_now();
    Zones zones;
    std::vector<ScheduleInfo> out;
    for (const auto& [id, schedule] : view.schedules().all())
        if (only.empty() || schedule.is.name == only)
            out.push_back(info_of(root, view, schedule, now, zones));
    if (out.empty() && !only.empty()) return no_such_schedule(only);
    std::ranges::sort(out, {}, &ScheduleInfo::name);
    return out;
}

Result<std::vector<WallTime>> next_times(store::Root& root, const std::string& name,
                                         std::size_t count)
{
    BGT_TRY_ASSIGN(const store::QueueView view, load(root));
    BGT_TRY_ASSIGN(const store::Schedule* schedule, find_schedule(view, name));
    BGT_TRY_ASSIGN(const core::Recurrences due, dispatch::read_recurrences(schedule->is));
    core::ScheduleState state = state_now(*schedule, os::wall_now());
    std::vector<WallTime> out;
    while (out.size() < count) {
        const auto at = take_next(*schedule, state, due);
        if (!at) break;
        out.push_back(*at);
    }
    return out;
}

Result<std::vector<HistoryRow>> schedule_history(store::Root& root, const std::string& name)
{
    BGT_TRY_ASSIGN(const store::QueueView view, load(root));
    BGT_TRY_ASSIGN(const store::Schedule* schedule, find_schedule(view, name));
    std::vector<HistoryRow> out;
    for (const store::Schedule::Entry& entry : schedule->history) {
        HistoryRow row{entry.what, entry.at, {}};
        if (entry.task != 0) row.run = run_of(root, view, *schedule, entry.task);
        out.push_back(std::move(row));
    }
    return out;
}

} // namespace bgt::ops
