#pragma once
/// The [schedule.NAME] of a bgt.toml, made into what ops::apply_schedules() takes.
#include <bgt/config/settings.hpp>
#include <bgt/ops/schedules.hpp>
#include <bgt/ops/start.hpp>
#include <vector>

namespace bgt::cli {

/// Reads all of them. The working folder must be that of the file: relative paths count from there.
/// Error (usage): one message for the first thing that makes no sense, with its place.
Result<std::vector<ops::ScheduleRequest>> read_schedules(const config::Settings&);

/// A task of a schedule like one that starts now. `remove`: --rm.
ops::SubmitRequest scheduled_task(ops::StartRequest, bool remove);

} // namespace bgt::cli
