#pragma once
/// When the schedules of a root are due.
#include <bgt/core/recurrence.hpp>
#include <bgt/core/schedule.hpp>
#include <bgt/os/time_zone.hpp>
#include <bgt/store/queue_view.hpp>
#include <memory>

namespace bgt::dispatch {

/// `every 5m`, `cron 0 2 * * *` or `calendar Mon..Fri 02:00`, as Scheduled::when has it. Error
/// (usage): none of them, or a mistake in it.
Result<core::Recurrence> read_recurrence(const store::Scheduled&);
/// The name of the time zone in which it is meant; empty: that of this process.
std::string zone_of(const store::Scheduled&, const core::Recurrence&);
core::Recurrences in_zone(const core::Recurrence&, std::shared_ptr<const core::TimeZone>);
/// All three in one. Error (usage) besides: this machine does not know the zone.
Result<core::Recurrences> read_recurrences(const store::Scheduled&);

/// How many more tasks a queue takes.
std::uint64_t room_in(const store::QueueView&, const std::string& queue);

} // namespace bgt::dispatch
