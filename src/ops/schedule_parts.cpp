#include "schedule_parts.hpp"

#include "submit_parts.hpp"

#include <bgt/base/text.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/dispatch/schedules.hpp>
#include <bgt/os/clock.hpp>

namespace bgt::ops {

Error no_such_schedule(const std::string& name)
{
    return Error::not_found("no schedule '" + fit(printable(name), 40) +
                            "' (bgt schedule ls lists all)");
}

Result<LockedJournal> open_journal_of(const store::Root& root, const std::string& name)
{
    if (!store::QueueFile::is_there(root)) return no_such_schedule(name);
    return open_locked(root);
}

Result<const store::Schedule*> find_schedule(const store::QueueView& view, const std::string& name)
{
    const store::Schedule* found = view.schedules().find(name);
    if (!found) return no_such_schedule(name);
    return found;
}

void fill_tasks(const store::QueueView& view, store::Scheduled& schedule, SubmitRequest& request)
{
    set_key(request.how, schedule.name, schedule.policy);
    put_how_into_spec(request);
    request.spec.tags["schedule"] = schedule.name;
    request.spec.priority =
        request.priority.value_or(view.settings().of(request.how.queue).priority);
    request.how.priority = request.spec.priority;
    schedule.tasks = request.how;
    schedule.expire_after = request.expire_after;
}

Result<store::Described> describe_tasks(store::Root& root, store::QueueView& view,
                                        store::Scheduled& schedule, SubmitRequest& request)
{
    BGT_TRY_ASSIGN(request.spec.id, root.allocate_ids(1));
    store::Described described;
    described.key = request.spec.id.value;
    BGT_TRY_ASSIGN(described.context, store::keep_context(view.file(), request.context));
    described.submitted_ns = os::wall_now().time_since_epoch().count();
    described.spec = store::encode_spec(request.spec);
    schedule.described_by = described.key;
    if (schedule.id == 0) schedule.id = described.key;
    BGT_TRY(dispatch::prepare_dispatcher(root, request.context));
    return described;
}

void set_key(core::WaitingTasks& tasks, const std::string& name, const core::SchedulePolicy& policy)
{
    const std::string own = "schedule=" + name;
    const bool is_alone = policy.on_overlap != core::OnOverlap::allow;
    if (is_alone && tasks.key.empty()) tasks.key = own;
    if (!is_alone && tasks.key == own) tasks.key.clear();
}

Result<std::string> own_zone()
{
    BGT_TRY_ASSIGN(const auto zone, os::TimeZone::open());
    return os::TimeZone::open(zone->name()) ? zone->name() : std::string();
}

Result<void> check_fires(const store::Scheduled& schedule, const core::ScheduleState& state)
{
    BGT_TRY_ASSIGN(const core::Recurrences due, dispatch::read_recurrences(schedule));
    if (core::next_occurrence(schedule.policy, state, due)) return {};
    return Error::usage("schedule " + schedule.name + " would never fire: there is no such time" +
                        (schedule.policy.until ? " before " + format_rfc3339(*schedule.policy.until)
                                               : std::string()));
}

void note_passed(const store::Schedule& schedule, WallTime now,
                 std::vector<store::QueueRecord>& records)
{
    const auto due = dispatch::read_recurrences(schedule.is);
    if (!due || schedule.state.mark >= now || schedule.is_over()) return;
    const core::Passed passed = due->passed(schedule.state.mark, now, 1);
    if (passed.count == 0) return;
    const auto fate =
        schedule.state.paused ? core::OccurrenceFate::paused : core::OccurrenceFate::missed;
    records.emplace_back(store::ScheduleOccurred{
        schedule.is.id, {fate, passed.first, passed.newest.back(), passed.count}, 0, now});
}

} // namespace bgt::ops
