#pragma once
/// Fields of the records of the journal.
#include "byte_text.hpp"

#include <array>
#include <bgt/store/queue_records.hpp>
#include <optional>

namespace bgt::store::detail {

void put_range(ByteWriter&, const core::TaskRange&);
core::TaskRange take_range(ByteReader&);
void put(ByteWriter&, const core::WaitingTasks&);
core::WaitingTasks take_tasks(ByteReader&);
WallTime take_wall_time(ByteReader&);

// Of schedules.
void put(ByteWriter&, const Scheduled&);
void put(ByteWriter&, const SchedulePaused&);
void put(ByteWriter&, const ScheduleOccurred&);
void put(ByteWriter&, const ClockSetBack&);
void put(ByteWriter&, const ScheduleKept&);
/// `known` becomes false where a newer bgt wrote something that this one does not know.
Scheduled take_scheduled(ByteReader&, bool& known);
SchedulePaused take_schedule_paused(ByteReader&);
ScheduleOccurred take_schedule_occurred(ByteReader&, bool& known);
ScheduleKept take_schedule_kept(ByteReader&, bool& known);

template <class Enum, std::size_t Size>
Enum take_enum(ByteReader& in, bool& known, const std::array<Enum, Size>& all)
{
    const auto value = core::by_number(all, static_cast<std::int64_t>(in.number()));
    if (!value) known = false;
    return value.value_or(all[0]);
}

inline constexpr std::array task_events{
    core::TaskEventKind::started, core::TaskEventKind::ready, core::TaskEventKind::ended_ok,
    core::TaskEventKind::ended_not_ok, core::TaskEventKind::never_started};

} // namespace bgt::store::detail
