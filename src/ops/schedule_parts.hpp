#pragma once
#include "queue_journal.hpp"

#include <bgt/ops/schedules.hpp>

namespace bgt::ops {

Error no_such_schedule(const std::string& name);

/// The journal, made where it is missing.
Result<LockedJournal> open_or_create(const store::Root&);
/// What the tasks will be, under this key; fills in how they wait.
Result<store::Described> describe(store::QueueView&, SubmitRequest&, const std::string& name,
                                  store::TaskId key);
/// So that at most one of its tasks runs at once, where it is to be so.
void set_key(core::WaitingTasks&, const std::string& name, const core::SchedulePolicy&);
/// The name of the caller's zone, as the dispatcher may have another one; empty: it has none.
Result<std::string> own_zone();
/// Error (usage): it would never fire.
Result<void> check_fires(const store::Scheduled&, const core::ScheduleState&);
/// Those that passed while it was paused, or before it is changed and nobody saw them.
void note_passed(const store::Schedule&, WallTime now, std::vector<store::QueueRecord>&);

} // namespace bgt::ops
