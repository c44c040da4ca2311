// The schedules that a bgt.toml describes.
#include <bgt/ops/schedules.hpp>

#include "schedule_parts.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/os/clock.hpp>

#include <set>

namespace bgt::ops {
namespace {

using Act = AppliedSchedule::Act;

/// Whether its tasks are others than those on record. An environment that is that of the caller
/// alone does not count: it differs from shell to shell.
bool is_other_task(const SubmitRequest& now, const store::WaitingTask& before)
{
    store::TaskSpec spec = now.spec;
    spec.id = before.spec.id;
    spec.created = before.spec.created;
    spec.policy.restart_policy.seed = before.spec.policy.restart_policy.seed;
    return store::encode_spec(spec) != store::encode_spec(before.spec) ||
           (now.context.keep_env && store::context_name(now.context) != before.context);
}

bool is_same(const store::Scheduled& a, const store::Scheduled& b)
{
    const core::WaitingTasks &one = a.tasks, &other = b.tasks;
    return a.when == b.when && a.zone == b.zone && a.policy == b.policy &&
           a.expire_after == b.expire_after && one.queue == other.queue &&
           one.priority == other.priority && one.slots == other.slots && one.needs == other.needs &&
           one.key == other.key && one.held == other.held;
}

struct Apply {
    store::Root& root;
    store::QueueView& view;
    std::vector<store::QueueRecord> records = {};
    std::vector<AppliedSchedule> done = {};

    Result<void> one(ScheduleRequest& request);
};

Result<void> Apply::one(ScheduleRequest& request)
{
    BGT_TRY(store::check_schedule_name(request.name));
    BGT_TRY(store::check_queue_name(request.task.how.queue));
    if (request.zone.empty()) { BGT_TRY_ASSIGN(request.zone, own_zone()); }
    const store::Schedule* there = view.schedules().find(request.name);
    if (there && there->is.origin != request.origin)
        return Error::failed("there is a schedule " + request.name + " already, which " +
                             (there->is.origin.empty()
                                  ? "bgt schedule add made"
                                  : printable(there->is.origin) + " describes") +
                             ": take another name, or bgt schedule rm it");
    store::Scheduled next;
    if (there) next = there->is;
    next.name = request.name;
    next.when = request.when;
    next.zone = request.zone;
    next.policy = request.policy;
    next.origin = request.origin;
    fill_tasks(view, next, request.task);
    const auto before =
        there ? view.describe(*there) : Result<store::WaitingTask>(Error::failed(""));
    if (there && is_same(next, there->is) && before && !is_other_task(request.task, *before)) {
        done.push_back({request.name, Act::kept});
        return {};
    }
    core::ScheduleState state = there ? there->state : core::ScheduleState{};
    if (!there || next.when != there->is.when || next.zone != there->is.zone) {
        next.since = os::wall_now();
        if (there) note_passed(*there, next.since, records);
        state.begin_at(next.since);
    }
    BGT_TRY(check_fires(next, state));
    BGT_TRY_ASSIGN(store::Described described, describe_tasks(root, view, next, request.task));
    records.emplace_back(std::move(described));
    records.emplace_back(std::move(next));
    done.push_back({request.name, there ? Act::changed : Act::added});
    return {};
}

} // namespace

std::string_view to_string(AppliedSchedule::Act act)
{
    switch (act) {
    case Act::added: return "added";
    case Act::changed: return "changed";
    case Act::kept: return "kept";
    case Act::removed: return "removed";
    }
    return {};
}

Result<std::vector<AppliedSchedule>> apply_schedules(store::Root& root,
                                                     std::vector<ScheduleRequest> requests,
                                                     const std::string& origin)
{
    const PrivateUmask files;
    std::vector<AppliedSchedule> done;
    {
        BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root, true));
        Apply apply{root, opened.view};
        std::set<std::string> names;
        for (ScheduleRequest& request : requests) {
            request.origin = origin;
            names.insert(request.name);
            BGT_TRY(apply.one(request));
        }
        for (const auto& [id, schedule] : opened.view.schedules().all()) {
            if (schedule.is.origin != origin || names.contains(schedule.is.name)) continue;
            apply.records.emplace_back(store::Unscheduled{id});
            apply.done.push_back({schedule.is.name, Act::removed});
        }
        if (!apply.records.empty())
            BGT_TRY(opened.view.append(apply.records, store::QueueFile::Durability::machine));
        done = std::move(apply.done);
    }
    BGT_TRY(dispatch::ensure_dispatcher(root));
    return done;
}

} // namespace bgt::ops
