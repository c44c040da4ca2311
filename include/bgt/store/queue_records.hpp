#pragma once
/// What the journal of waiting tasks says, record by record, and how it is written.
#include <bgt/base/result.hpp>
#include <bgt/core/queue.hpp>
#include <bgt/core/schedule.hpp>
#include <bgt/core/task.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bgt::store {

/// What some waiting tasks will be once they are started.
struct Described {
    std::int64_t key = 0; ///< by which Submitted names it: the first id of the submission
    std::int64_t like =
        0;            ///< not 0: spec and context are those of that description, which came before
    std::string spec; ///< as spec.json holds it
    std::string
        context; ///< the name of the file with environment, umask and limits (queue_context.hpp)
    std::string changes; ///< JSON object of what differs from the spec of `like`: command, name,
                         ///< tags ...; empty: nothing
    std::int64_t index_first =
        0; ///< an array: the index of its first task, and the step to the next
    std::int64_t index_step = 0;    ///< 0: no array
    std::vector<std::string> texts; ///< of each task in turn what `{}` stands for; empty: nothing
    std::int64_t submitted_ns = 0;
    bool operator==(const Described&) const = default;
};

/// They wait from now on.
struct Submitted {
    core::WaitingTasks tasks;
    std::int64_t described_by = 0; ///< Described::key
};

/// One is being started.
struct Claimed {
    std::int64_t id = 0;
};
/// Its folder is about to get its place in tasks/: from here on a folder that is missing there, and
/// is not about to be published either, was removed, and the task is not started again.
struct Published {
    std::int64_t id = 0;
};
/// It was not, and waits again.
struct PutBack {
    std::int64_t id = 0;
};
/// What became of a task, waiting or not: others depend on it, or it gives back what it used.
struct Reported {
    std::int64_t id = 0;
    core::TaskEventKind what = core::TaskEventKind::ended_ok;
};
/// They will never start.
struct Dropped {
    core::TaskRange tasks;
    core::Reason reason = core::Reason::cancelled;
    std::int64_t described_by =
        0; ///< not 0: as it stands after a compaction, where nothing else tells
};
/// And that is on record in their folders.
struct Closed {
    core::TaskRange tasks;
};
struct Held {
    std::int64_t id = 0;
    bool held = true; ///< else released
};
struct Prioritized {
    std::int64_t id = 0;
    std::int32_t priority = 0;
};
struct Moved {
    enum class Where : std::uint8_t { first = 0, last = 1, before = 2 };
    std::int64_t id = 0;
    Where where = Where::first;
    std::int64_t other = 0; ///< of `before`
};

/// A schedule; one that is there already is changed.
struct Scheduled {
    std::int64_t id = 0;           ///< of the schedule, as the ids of tasks are: never used again
    std::int64_t described_by = 0; ///< Described::key: what its tasks will be
    std::string name;
    std::string when; ///< "every 5m", "cron 0 2 * * *", "calendar Mon..Fri 02:00"
    std::string zone; ///< of the tz database; empty: that of the machine
    core::SchedulePolicy policy;
    core::WaitingTasks tasks; ///< how each of its tasks waits
    std::optional<Duration> expire_after;
    std::string origin; ///< the bgt.toml that describes it; empty: none does
    WallTime since{};   ///< when it was added, or `when` was changed: it begins anew there
};
/// There is no such schedule any more.
struct Unscheduled {
    std::int64_t id = 0;
};
struct SchedulePaused {
    std::int64_t id = 0;
    bool paused = true; ///< else it goes on
    WallTime at{};
};
/// What became of occurrences. Of one that fires, the records of its task stand beside it.
struct ScheduleOccurred {
    std::int64_t id = 0;
    core::Occurred what;
    std::int64_t task = 0; ///< 0: none
    WallTime at{};         ///< when that was decided
};
/// What was decided for later occurrences was too early; they may come again.
struct ClockSetBack {
    WallTime to{};
};
/// A schedule as it stands after a compaction, behind its history.
struct ScheduleKept {
    std::int64_t id = 0;
    core::ScheduleState state;
    std::vector<std::int64_t> tasks;             ///< of it, that may not have ended
    std::int64_t last_task = 0;                  ///< the newest; 0: none
    std::optional<core::TaskEventKind> last_end; ///< how that one ended
};

using QueueRecord = std::variant<Described, Submitted, Claimed, PutBack, Reported, Dropped, Closed,
                                 Held, Prioritized, Moved, Scheduled, Unscheduled, SchedulePaused,
                                 ScheduleOccurred, ClockSetBack, ScheduleKept, Published>;

/// Bytes that decode_record() reads back.
std::string encode_record(const QueueRecord&);
/// Error (failed): damaged, or written by a newer bgt.
Result<QueueRecord> decode_record(std::string_view bytes);
/// The key of a description, read without the rest, which is long; nullopt: it is another record.
std::optional<std::int64_t> description_key(std::string_view bytes);

} // namespace bgt::store
