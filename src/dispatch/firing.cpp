// What schedules do now.
#include "dispatcher.hpp"

#include <bgt/dispatch/schedules.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/shutdown_lock.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>

namespace bgt::dispatch {
namespace {

/// Until one that is just being started can be asked to stop.
constexpr auto stop_pause = std::chrono::milliseconds(50);

struct Decided {
    const store::Schedule* schedule = nullptr;
    std::vector<core::Occurred> occurred;
};

std::size_t fired_in(const std::vector<core::Occurred>& occurred)
{
    return static_cast<std::size_t>(
        std::ranges::count(occurred, core::OccurrenceFate::fired, &core::Occurred::fate));
}

/// `task`: what it got; 0: none.
store::RootEvent occurrence_event(const store::Schedule& schedule, const core::Occurred& what,
                                  store::TaskId task, WallTime now)
{
    const bool has_fired = what.fate == core::OccurrenceFate::fired;
    store::RootEvent event;
    event.at = now;
    event.type = "schedule";
    event.level = has_fired ? core::EventLevel::info : core::EventLevel::warning;
    event.task = task;
    event.data = {{"schedule", schedule.is.name},
                  {"what", std::string(core::to_string(what.fate))},
                  {"first", format_rfc3339(what.first)},
                  {"last", format_rfc3339(what.last)},
                  {"count", static_cast<std::int64_t>(what.count)}};
    return event;
}

/// Those that wait and are not to start any more.
void drop_older(std::vector<store::QueueRecord>& records, const store::QueueView& view,
                const store::Schedule& schedule)
{
    for (const std::int64_t task : schedule.tasks)
        if (view.state().is_waiting(task))
            records.emplace_back(store::Dropped{{task, 1}, core::Reason::superseded, 0});
}

} // namespace

/// Where the clock was set back, what was decided for later times is no reason to wait for them.
void Dispatcher::note_clock(WallTime now, std::vector<store::QueueRecord>& records)
{
    if (!std::exchange(clock_was_set_, false)) return;
    const auto& all = view_->schedules().all();
    if (std::ranges::any_of(all, [&](const auto& one) { return one.second.state.mark > now; }))
        records.emplace_back(store::ClockSetBack{now});
}

void Dispatcher::update_schedules()
{
    for (const std::int64_t id : schedules_.update(view_->schedules(), os::now())) {
        const store::Schedule* schedule = view_->schedules().find(id);
        if (schedule && schedule->is.policy.on_overlap == core::OnOverlap::replace &&
            schedule->tasks.size() > 1)
            to_replace_.insert(id);
    }
    if (const auto at = schedules_.retry_at()) look_again_by(*at);
}

/// The records say that the occurrences have fired, and hold the tasks: both are there, or neither
/// is.
Result<void> Dispatcher::fire_due(std::vector<store::QueueRecord>& records)
{
    const WallTime now = os::wall_now();
    note_clock(now, records);
    BGT_TRY(append(records));
    update_schedules();
    const std::vector<std::int64_t> due = schedules_.due(now);
    if (due.empty()) return {};
    if (!store::check_not_shut_down(root_)) { // nobody tells when one that was killed is over
        look_again_ = os::now() + shutdown_pause;
        return {};
    }
    std::vector<Decided> decided;
    std::size_t count = 0;
    std::map<std::string, std::uint64_t> room;
    for (const std::int64_t id : due) {
        const store::Schedule& schedule = *view_->schedules().find(id);
        const std::string& queue = schedule.is.tasks.queue;
        const auto [left, is_new] = room.try_emplace(queue);
        if (is_new) left->second = room_in(*view_, queue);
        decided.push_back({&schedule, core::decide(schedule.is.policy, schedule.state,
                                                   *schedules_.recurrences(id), schedule.is.name,
                                                   {view_->is_busy(schedule), left->second}, now)});
        const std::size_t fired = fired_in(decided.back().occurred);
        count += fired;
        if (left->second != UINT64_MAX) left->second -= fired;
    }
    store::TaskId next;
    if (count > 0) { BGT_TRY_ASSIGN(next, root_.allocate_ids(static_cast<std::uint32_t>(count))); }
    std::vector<store::RootEvent> events;
    for (const auto& [schedule, occurred] : decided) {
        for (const core::Occurred& one : occurred) {
            if (one.fate != core::OccurrenceFate::fired) {
                events.push_back(occurrence_event(*schedule, one, {}, now));
                records.emplace_back(store::ScheduleOccurred{schedule->is.id, one, 0, now});
                continue;
            }
            if (schedule->is.policy.on_overlap == core::OnOverlap::replace)
                drop_older(records, *view_, *schedule);
            store::append_firing(records, *schedule, next, one, now);
            events.push_back(occurrence_event(*schedule, one, next, now));
            events.push_back(store::queued_event(next, 1, {}, schedule->is.tasks.queue, now));
            ++next.value;
        }
    }
    // Also after a crash of the machine none of them fires again.
    BGT_TRY(view_->append(records, store::QueueFile::Durability::machine));
    records.clear();
    for (const store::RootEvent& event : events) static_cast<void>(events_.append(event));
    update_schedules();
    return {};
}

/// Ends what newer tasks of the same schedule are to replace. Not under the journal's lock: a
/// supervisor is asked, and may take its time.
void Dispatcher::replace_older()
{
    for (auto it = to_replace_.begin(); it != to_replace_.end();) {
        const store::Schedule* schedule = view_->schedules().find(*it);
        bool is_done = true;
        for (const std::int64_t task : schedule ? schedule->tasks : std::vector<std::int64_t>()) {
            if (task == schedule->last_task || !view_->state().is_running(task)) continue;
            if (stop_asked_.contains(task)) continue;
            if (supervise::request_stop(root_, store::TaskId{task}, {})) stop_asked_.insert(task);
            else is_done = false;
        }
        if (is_done) it = to_replace_.erase(it);
        else ++it;
    }
    if (to_replace_.empty()) return stop_asked_.clear();
    look_again_by(os::now() + stop_pause);
}

} // namespace bgt::dispatch
