#include "due_schedules.hpp"

#include <bgt/dispatch/schedules.hpp>
#include <bgt/os/time_zone.hpp>

#include <algorithm>
#include <memory>

namespace bgt::dispatch {
namespace {

/// Until a schedule that can't be read is read again.
constexpr auto retry_pause = std::chrono::seconds(5);

} // namespace

Result<core::Recurrence> read_recurrence(const store::Scheduled& schedule)
{
    const std::string& when = schedule.when;
    const std::size_t blank = when.find(' ');
    const std::string kind = when.substr(0, blank);
    const std::string text = blank == when.npos ? "" : when.substr(blank + 1);
    if (kind == "cron") return core::parse_cron(text);
    if (kind == "calendar") return core::parse_calendar(text);
    if (kind != "every") return Error::usage("schedule " + schedule.name + " is damaged");
    BGT_TRY_ASSIGN(core::Recurrence every, core::parse_every(text));
    // Its times are whole seconds, so that a second look at the clock finds the same ones.
    return core::anchored(std::move(every),
                          std::chrono::floor<std::chrono::seconds>(schedule.since));
}

std::string zone_of(const store::Scheduled& schedule, const core::Recurrence& recurrence)
{
    return recurrence.zone.empty() ? schedule.zone : recurrence.zone;
}

Result<core::Recurrences> read_recurrences(const store::Scheduled& schedule)
{
    BGT_TRY_ASSIGN(const core::Recurrence read, read_recurrence(schedule));
    BGT_TRY_ASSIGN(std::shared_ptr<const core::TimeZone> zone,
                   os::TimeZone::open(zone_of(schedule, read)));
    return in_zone(read, std::move(zone));
}

core::Recurrences in_zone(const core::Recurrence& read, std::shared_ptr<const core::TimeZone> zone)
{
    const auto recurrence = std::make_shared<const core::Recurrence>(read);
    core::Recurrences out;
    out.next = [recurrence, zone](WallTime after) { return core::next(*recurrence, *zone, after); };
    out.passed = [recurrence, zone](WallTime after, WallTime until, std::size_t most) {
        const core::Missed missed = core::missed(*recurrence, *zone, after, until, most);
        core::Passed passed{missed.count, {}, missed.newest};
        if (passed.count > 0)
            passed.first = passed.count == passed.newest.size()
                               ? passed.newest.front()
                               : core::next(*recurrence, *zone, after).value_or(until);
        return passed;
    };
    return out;
}

std::uint64_t room_in(const store::QueueView& view, const std::string& queue)
{
    const store::OneQueue settings = view.settings().of(queue);
    if (settings.draining) return 0;
    if (!settings.limit) return UINT64_MAX;
    const auto counts = view.state().counts();
    const auto found = counts.find(queue);
    const std::uint64_t waiting = found != counts.end() ? found->second.waiting : 0;
    return *settings.limit > waiting ? *settings.limit - waiting : 0;
}

void DueSchedules::forget(std::int64_t id)
{
    const auto found = all_.find(id);
    if (found == all_.end() || !found->second.wake) return;
    times_.erase({*found->second.wake, id});
    found->second.wake.reset();
}

/// With the zones that were opened already: there are few, and each costs some reading.
Result<core::Recurrences> DueSchedules::read(const store::Scheduled& schedule)
{
    BGT_TRY_ASSIGN(const core::Recurrence recurrence, read_recurrence(schedule));
    std::shared_ptr<const os::TimeZone>& zone = zones_[zone_of(schedule, recurrence)];
    if (!zone) { BGT_TRY_ASSIGN(zone, os::TimeZone::open(zone_of(schedule, recurrence))); }
    return in_zone(recurrence, zone);
}

std::set<std::int64_t> DueSchedules::update(store::ScheduleBook& book, Instant now)
{
    std::set<std::int64_t> changed = book.take_changed();
    if (std::ranges::any_of(zones_, [](const auto& zone) {
            return zone.second && zone.second->changed();
        })) { // the tz database
        zones_.clear();
        all_.clear();
        times_.clear();
        for (const auto& [id, schedule] : book.all()) changed.insert(id);
    }
    if (retry_at_ && now >= *retry_at_) {
        changed.insert(unread_.begin(), unread_.end());
        retry_at_.reset();
    }
    for (const std::int64_t id : changed) {
        forget(id);
        const store::Schedule* schedule = book.find(id);
        if (!schedule) {
            all_.erase(id);
            unread_.erase(id);
            continue;
        }
        One& one = all_[id];
        const store::Scheduled& is = schedule->is;
        if (one.when != is.when || one.zone != is.zone || one.since != is.since) {
            one = {is.when, is.zone, is.since, {}, {}};
        }
        if (!one.recurrences) {
            if (auto found = read(is)) one.recurrences = *std::move(found);
        }
        if (!one.recurrences) {
            unread_.insert(id);
            continue;
        }
        unread_.erase(id);
        one.wake = core::next_wake(is.policy, schedule->state, *one.recurrences, is.name);
        if (one.wake) times_.emplace(*one.wake, id);
    }
    if (unread_.empty()) retry_at_.reset();
    else if (!retry_at_) retry_at_ = now + retry_pause;
    return changed;
}

std::vector<std::int64_t> DueSchedules::due(WallTime now) const
{
    std::vector<std::int64_t> ids;
    for (const auto& [time, id] : times_) {
        if (time > now) break;
        ids.push_back(id);
    }
    return ids;
}

std::optional<WallTime> DueSchedules::next_time() const
{
    return times_.empty() ? std::nullopt : std::optional(times_.begin()->first);
}

const core::Recurrences* DueSchedules::recurrences(std::int64_t id) const
{
    const auto found = all_.find(id);
    return found != all_.end() && found->second.recurrences ? &*found->second.recurrences : nullptr;
}

} // namespace bgt::dispatch
