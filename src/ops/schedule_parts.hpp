#pragma once
#include "queue_journal.hpp"

#include <bgt/ops/schedules.hpp>

namespace bgt::ops {

Error no_such_schedule(const std::string& name);

/// Error (not_found), of both: there is no such schedule.
Result<LockedJournal> open_journal_of(const store::Root&, const std::string& name);
Result<const store::Schedule*> find_schedule(const store::QueueView&, const std::string& name);
/// Makes what is requested the tasks of the schedule, but for their key.
void fill_tasks(const store::QueueView&, store::Scheduled&, SubmitRequest&);
/// What these tasks will be, under a new key; that is the id of a new schedule, too. Precondition:
/// fill_tasks().
Result<store::Described> describe_tasks(store::Root&, store::QueueView&, store::Scheduled&,
                                        SubmitRequest&);
/// So that at most one of its tasks runs at once, where it is to be so.
void set_key(core::WaitingTasks&, const std::string& name, const core::SchedulePolicy&);
/// The name of the caller's zone, as the dispatcher may have another one; empty: it has none.
Result<std::string> own_zone();
/// Error (usage): it would never fire.
Result<void> check_fires(const store::Scheduled&, const core::ScheduleState&);
/// Those that passed while it was paused, or before it is changed and nobody saw them.
void note_passed(const store::Schedule&, WallTime now, std::vector<store::QueueRecord>&);

} // namespace bgt::ops
