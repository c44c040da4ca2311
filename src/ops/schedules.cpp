// What changes schedules. What is told of them: schedules_list.cpp.
#include <bgt/ops/schedules.hpp>

#include "schedule_parts.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/dispatch/schedules.hpp>
#include <bgt/os/clock.hpp>

namespace bgt::ops {
namespace {

constexpr auto durable = store::QueueFile::Durability::machine;

/// Appends one record for each; all of them must be there.
Result<void> change_each(
    store::Root& root, const std::vector<std::string>& names,
    const std::function<Result<void>(const store::Schedule&, std::vector<store::QueueRecord>&)>&
        change)
{
    const PrivateUmask files;
    if (names.empty()) return Error::usage("which schedule? name one or more (bgt schedule ls)");
    {
        BGT_TRY_ASSIGN(LockedJournal opened, open_journal_of(root, names.front()));
        std::vector<store::QueueRecord> records;
        for (const std::string& name : names) {
            BGT_TRY_ASSIGN(const store::Schedule* schedule, find_schedule(opened.view, name));
            BGT_TRY(change(*schedule, records));
        }
        if (!records.empty()) BGT_TRY(opened.view.append(records, durable));
    }
    return dispatch::ensure_dispatcher(root);
}

} // namespace

Result<ScheduleInfo> add_schedule(store::Root& root, ScheduleRequest request)
{
    const PrivateUmask files;
    BGT_TRY(store::check_schedule_name(request.name));
    BGT_TRY(store::check_queue_name(request.task.how.queue));
    if (request.zone.empty()) { BGT_TRY_ASSIGN(request.zone, own_zone()); }
    {
        BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root, true));
        store::QueueView& view = opened.view;
        if (view.schedules().find(request.name))
            return Error::failed("there is a schedule " + request.name +
                                 " already: bgt schedule edit changes it, bgt schedule rm removes "
                                 "it");
        store::Scheduled schedule;
        schedule.name = request.name;
        schedule.when = std::move(request.when);
        schedule.zone = std::move(request.zone);
        schedule.policy = request.policy;
        schedule.origin = std::move(request.origin);
        schedule.since = os::wall_now();
        core::ScheduleState state;
        state.begin_at(schedule.since);
        BGT_TRY(check_fires(schedule, state));
        fill_tasks(view, schedule, request.task);
        BGT_TRY_ASSIGN(store::Described described,
                       describe_tasks(root, view, schedule, request.task));
        BGT_TRY(view.append({std::move(described), std::move(schedule)}, durable));
    }
    BGT_TRY_ASSIGN(std::vector<ScheduleInfo> now, list_schedules(root, request.name));
    return std::move(now.front());
}

Result<ScheduleInfo> edit_schedule(store::Root& root, const std::string& name,
                                   ScheduleChange change)
{
    const PrivateUmask files;
    {
        BGT_TRY_ASSIGN(LockedJournal opened, open_journal_of(root, name));
        store::QueueView& view = opened.view;
        BGT_TRY_ASSIGN(const store::Schedule* found, find_schedule(view, name));
        store::Scheduled schedule = found->is;
        std::vector<store::QueueRecord> records;
        core::ScheduleState state = found->state;
        if (change.when || change.zone) {
            schedule.since = os::wall_now();
            note_passed(*found, schedule.since, records);
            state.begin_at(schedule.since);
        }
        if (change.when) schedule.when = *std::move(change.when);
        if (change.zone) schedule.zone = *std::move(change.zone);
        if (change.policy) change.policy(schedule.policy);
        BGT_TRY(check_fires(schedule, state));
        if (change.task) {
            BGT_TRY(store::check_queue_name(change.task->how.queue));
            fill_tasks(view, schedule, *change.task);
            BGT_TRY_ASSIGN(store::Described described,
                           describe_tasks(root, view, schedule, *change.task));
            records.emplace_back(std::move(described));
        }
        set_key(schedule.tasks, name, schedule.policy);
        records.emplace_back(std::move(schedule));
        BGT_TRY(view.append(records, durable));
    }
    BGT_TRY(dispatch::ensure_dispatcher(root));
    BGT_TRY_ASSIGN(std::vector<ScheduleInfo> now, list_schedules(root, name));
    return std::move(now.front());
}

Result<store::TaskId> run_schedule(store::Root& root, const std::string& name)
{
    const PrivateUmask files;
    BGT_TRY_ASSIGN(LockedJournal opened, open_journal_of(root, name));
    store::QueueView& view = opened.view;
    BGT_TRY_ASSIGN(const store::Schedule* schedule, find_schedule(view, name));
    BGT_TRY_ASSIGN(const store::WaitingTask task, view.describe(*schedule));
    BGT_TRY_ASSIGN(const store::QueueContext context,
                   store::read_context(view.file(), task.context));
    BGT_TRY_ASSIGN(const store::TaskId id, root.allocate_ids(1));
    BGT_TRY(dispatch::prepare_dispatcher(root, context));
    std::vector<store::QueueRecord> records;
    if (schedule->is.policy.on_overlap == core::OnOverlap::replace)
        for (const std::int64_t older : schedule->tasks)
            if (view.state().is_waiting(older))
                records.emplace_back(store::Dropped{{older, 1}, core::Reason::superseded, 0});
    const WallTime now = os::wall_now();
    store::append_firing(records, *schedule, id, {core::OccurrenceFate::manual, now, now, 1}, now);
    BGT_TRY(view.append(records, durable));
    return id;
}

Result<void> pause_schedules(store::Root& root, const std::vector<std::string>& names)
{
    return change_each(root, names, [](const store::Schedule& schedule, auto& records) {
        if (!schedule.state.paused)
            records.emplace_back(store::SchedulePaused{schedule.is.id, true, os::wall_now()});
        return Result<void>();
    });
}

Result<void> resume_schedules(store::Root& root, const std::vector<std::string>& names)
{
    return change_each(root, names, [](const store::Schedule& schedule, auto& records) {
        if (!schedule.state.paused) return Result<void>();
        const WallTime now = os::wall_now();
        note_passed(schedule, now, records);
        records.emplace_back(store::SchedulePaused{schedule.is.id, false, now});
        return Result<void>();
    });
}

Result<void> remove_schedules(store::Root& root, const std::vector<std::string>& names)
{
    return change_each(root, names, [](const store::Schedule& schedule, auto& records) {
        records.emplace_back(store::Unscheduled{schedule.is.id});
        return Result<void>();
    });
}

} // namespace bgt::ops
