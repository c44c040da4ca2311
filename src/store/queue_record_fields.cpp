#include "queue_record_fields.hpp"

#include <algorithm>

namespace bgt::store::detail {
namespace {

constexpr std::uint64_t max_tasks = 1u << 24; ///< of one record

void put_time(ByteWriter& out, const std::optional<WallTime>& time)
{
    out.whole(time ? time->time_since_epoch().count() : 0);
}

std::optional<WallTime> take_time(ByteReader& in)
{
    const std::int64_t count = in.whole();
    return count != 0 ? std::optional(WallTime(Duration(count))) : std::nullopt;
}

void put_wall_time(ByteWriter& out, WallTime time)
{
    out.whole(time.time_since_epoch().count());
}

void put_duration(ByteWriter& out, const std::optional<Duration>& duration)
{
    out.number(duration ? 1 : 0);
    if (duration) out.whole(duration->count());
}

std::optional<Duration> take_duration(ByteReader& in)
{
    if (in.number() == 0) return std::nullopt;
    return Duration(in.whole());
}

constexpr std::array missed_ways{core::OnMissed::once, core::OnMissed::skip, core::OnMissed::all};
constexpr std::array overlap_ways{core::OnOverlap::skip, core::OnOverlap::queue,
                                  core::OnOverlap::replace, core::OnOverlap::allow};
constexpr std::array fates{core::OccurrenceFate::fired,  core::OccurrenceFate::manual,
                           core::OccurrenceFate::missed, core::OccurrenceFate::overlapped,
                           core::OccurrenceFate::paused, core::OccurrenceFate::refused};

} // namespace

WallTime take_wall_time(ByteReader& in)
{
    return WallTime(Duration(in.whole()));
}

void put_range(ByteWriter& out, const core::TaskRange& range)
{
    out.whole(range.first);
    out.number(range.count);
}

core::TaskRange take_range(ByteReader& in)
{
    core::TaskRange range;
    range.first = in.whole();
    range.count = static_cast<std::uint32_t>(std::min(in.number(), max_tasks));
    return range;
}

void put(ByteWriter& out, const core::WaitingTasks& tasks)
{
    put_range(out, {tasks.first, tasks.count});
    out.number((tasks.held ? 1u : 0u) | (tasks.hold_on_failure ? 2u : 0u) |
               (tasks.order ? 4u : 0u));
    out.text(tasks.queue == "default" ? std::string_view() : tasks.queue);
    out.whole(tasks.priority);
    out.number(tasks.slots);
    out.number(tasks.needs.size());
    for (const core::Amount& need : tasks.needs) {
        out.text(need.name);
        out.number(need.amount);
    }
    out.number(tasks.after.size());
    for (const core::Dependency& dependency : tasks.after) {
        out.whole(dependency.task);
        out.number(static_cast<std::uint64_t>(dependency.on));
    }
    out.text(tasks.key);
    out.number(tasks.max_running);
    out.whole(tasks.array);
    if (tasks.order) out.whole(*tasks.order);
    put_time(out, tasks.not_before);
    put_time(out, tasks.expires);
}

core::WaitingTasks take_tasks(ByteReader& in)
{
    core::WaitingTasks tasks;
    const core::TaskRange range = take_range(in);
    tasks.first = range.first;
    tasks.count = range.count;
    const std::uint64_t flags = in.number();
    tasks.held = (flags & 1) != 0;
    tasks.hold_on_failure = (flags & 2) != 0;
    if (const std::string queue = in.text(); !queue.empty()) tasks.queue = queue;
    tasks.priority = static_cast<std::int32_t>(in.whole());
    tasks.slots = static_cast<std::uint32_t>(in.number());
    tasks.needs.resize(in.count());
    for (core::Amount& need : tasks.needs) {
        need.name = in.text();
        need.amount = in.number();
    }
    tasks.after.resize(in.count());
    for (core::Dependency& dependency : tasks.after) {
        dependency.task = in.whole();
        dependency.on = static_cast<core::DependsOn>(std::min<std::uint64_t>(in.number(), 4));
    }
    tasks.key = in.text();
    tasks.max_running = static_cast<std::uint32_t>(in.number());
    tasks.array = in.whole();
    if ((flags & 4) != 0) tasks.order = in.whole();
    tasks.not_before = take_time(in);
    tasks.expires = take_time(in);
    return tasks;
}

namespace {

void put_policy(ByteWriter& out, const core::SchedulePolicy& policy)
{
    out.number(static_cast<std::uint64_t>(policy.on_missed));
    out.number(policy.max_missed);
    put_duration(out, policy.missed_within);
    out.number(static_cast<std::uint64_t>(policy.on_overlap));
    out.whole(policy.jitter.count());
    put_time(out, policy.until);
    out.number(policy.times ? *policy.times + 1 : 0);
}

core::SchedulePolicy take_policy(ByteReader& in, bool& known)
{
    core::SchedulePolicy policy;
    policy.on_missed = take_enum(in, known, missed_ways);
    policy.max_missed = static_cast<std::uint32_t>(in.number());
    policy.missed_within = take_duration(in);
    policy.on_overlap = take_enum(in, known, overlap_ways);
    policy.jitter = Duration(in.whole());
    policy.until = take_time(in);
    if (const std::uint64_t times = in.number(); times != 0) policy.times = times - 1;
    return policy;
}

} // namespace

void put(ByteWriter& out, const Scheduled& record)
{
    out.whole(record.id);
    out.whole(record.described_by);
    out.text(record.name);
    out.text(record.when);
    out.text(record.zone);
    put_policy(out, record.policy);
    put(out, record.tasks);
    put_duration(out, record.expire_after);
    out.text(record.origin);
    put_wall_time(out, record.since);
}

Scheduled take_scheduled(ByteReader& in, bool& known)
{
    Scheduled record;
    record.id = in.whole();
    record.described_by = in.whole();
    record.name = in.text();
    record.when = in.text();
    record.zone = in.text();
    record.policy = take_policy(in, known);
    record.tasks = take_tasks(in);
    record.expire_after = take_duration(in);
    record.origin = in.text();
    record.since = take_wall_time(in);
    return record;
}

void put(ByteWriter& out, const SchedulePaused& record)
{
    out.whole(record.id);
    out.number(record.paused ? 1 : 0);
    put_wall_time(out, record.at);
}

SchedulePaused take_schedule_paused(ByteReader& in)
{
    const std::int64_t id = in.whole();
    const bool paused = in.number() != 0;
    return {id, paused, take_wall_time(in)};
}

void put(ByteWriter& out, const ScheduleOccurred& record)
{
    out.whole(record.id);
    out.number(static_cast<std::uint64_t>(record.what.fate));
    put_wall_time(out, record.what.first);
    put_wall_time(out, record.what.last);
    out.number(record.what.count);
    out.whole(record.task);
    put_wall_time(out, record.at);
}

ScheduleOccurred take_schedule_occurred(ByteReader& in, bool& known)
{
    ScheduleOccurred record;
    record.id = in.whole();
    record.what.fate = take_enum(in, known, fates);
    record.what.first = take_wall_time(in);
    record.what.last = take_wall_time(in);
    record.what.count = in.number();
    record.task = in.whole();
    record.at = take_wall_time(in);
    return record;
}

void put(ByteWriter& out, const ClockSetBack& record)
{
    put_wall_time(out, record.to);
}

void put(ByteWriter& out, const ScheduleKept& record)
{
    out.whole(record.id);
    put_wall_time(out, record.state.mark);
    out.number(record.state.closed.size());
    for (const core::ScheduleState::Span& span : record.state.closed) {
        put_wall_time(out, span.from);
        put_wall_time(out, span.to);
    }
    out.number(record.state.fired);
    out.number(record.state.paused ? 1 : 0);
    out.number(record.tasks.size());
    for (const std::int64_t task : record.tasks) out.whole(task);
    out.whole(record.last_task);
    out.number(record.last_end ? static_cast<std::uint64_t>(*record.last_end) + 1 : 0);
}

ScheduleKept take_schedule_kept(ByteReader& in, bool& known)
{
    ScheduleKept record;
    record.id = in.whole();
    record.state.mark = take_wall_time(in);
    record.state.closed.resize(in.count());
    for (core::ScheduleState::Span& span : record.state.closed) {
        span.from = take_wall_time(in);
        span.to = take_wall_time(in);
    }
    record.state.fired = in.number();
    record.state.paused = in.number() != 0;
    record.tasks.resize(in.count());
    for (std::int64_t& task : record.tasks) task = in.whole();
    record.last_task = in.whole();
    if (const std::uint64_t end = in.number(); end != 0) {
        const auto value = core::by_number(task_events, static_cast<std::int64_t>(end - 1));
        if (!value) known = false;
        record.last_end = value;
    }
    return record;
}

} // namespace bgt::store::detail
