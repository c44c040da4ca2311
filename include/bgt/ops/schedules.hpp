#pragma once
/// Commands that run again and again (`bgt schedule`). The dispatcher lets them fire.
#include <bgt/core/recurrence.hpp>
#include <bgt/core/schedule.hpp>
#include <bgt/ops/submit.hpp>
#include <bgt/store/queue_view.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct ScheduleRequest {
    std::string name;
    std::string when; ///< as store::Scheduled has it: "cron 0 2 * * *"
    std::string zone; ///< empty: that of this process
    core::SchedulePolicy policy;
    SubmitRequest task;      ///< one of its tasks; it waits for nothing and for no time
    std::string origin = {}; ///< the bgt.toml that describes it
};

/// What is to be other than it was.
struct ScheduleChange {
    std::optional<std::string> when, zone;
    std::function<void(core::SchedulePolicy&)> policy;
    std::optional<SubmitRequest> task; ///< in place of the one before, as a whole
};

/// How the newest task of a schedule ended.
struct ScheduleRun {
    std::int64_t task = 0;
    std::optional<store::Status> status;    ///< none: it is waiting, or was removed
    std::optional<core::TaskEventKind> end; ///< what is known of one that was removed
    bool waits = false;                     ///< in its queue
};

struct ScheduleInfo {
    std::string name, when, zone;
    std::string words; ///< "at 02:00", as the end of a sentence
    core::SchedulePolicy policy;
    bool paused = false;
    bool over = false;            ///< it fires never again
    std::optional<WallTime> next; ///< when it fires next, with the jitter
    std::uint64_t fired = 0;
    std::string queue, command, origin;
    std::vector<std::int64_t> tasks; ///< that have not ended
    std::optional<ScheduleRun> last;
    std::optional<WallTime> last_at; ///< of that run
    std::string problem;             ///< why it can't fire; empty: it can
};

struct HistoryRow {
    core::Occurred what;
    WallTime at{}; ///< when that was decided
    std::optional<ScheduleRun> run;
};

/// Adds one. Error: (usage) a bad name, or nothing that can be read as `when` and `zone`; (failed)
/// there is one of that name. Hazard, as of all that change something here: forks; the caller must
/// be single-threaded.
Result<ScheduleInfo> add_schedule(store::Root&, ScheduleRequest);
/// Error (not_found) of this and those that follow: there is no such schedule.
Result<ScheduleInfo> edit_schedule(store::Root&, const std::string& name, ScheduleChange);
/// By name. `only`: that one.
Result<std::vector<ScheduleInfo>> list_schedules(store::Root&, const std::string& only = {});
/// When it fires next, so many times at most.
Result<std::vector<WallTime>> next_times(store::Root&, const std::string& name, std::size_t count);
/// What became of its occurrences, the newest last.
Result<std::vector<HistoryRow>> schedule_history(store::Root&, const std::string& name);
/// Lets it fire now, whatever it waits for. Returns the task.
Result<store::TaskId> run_schedule(store::Root&, const std::string& name);
/// All of them or none.
Result<void> pause_schedules(store::Root&, const std::vector<std::string>& names);
Result<void> resume_schedules(store::Root&, const std::vector<std::string>& names);
/// Their tasks go on.
Result<void> remove_schedules(store::Root&, const std::vector<std::string>& names);

/// What apply_schedules() did to one.
struct AppliedSchedule {
    enum class Act : std::uint8_t { added, changed, kept, removed };
    std::string name;
    Act act = Act::kept;
};
std::string_view to_string(AppliedSchedule::Act);
/// Makes the schedules that come from `origin` these, all at once: adds, changes and removes what
/// differs. Error: (failed) there is one of a name that comes from elsewhere.
Result<std::vector<AppliedSchedule>> apply_schedules(store::Root&, std::vector<ScheduleRequest>,
                                                     const std::string& origin);

} // namespace bgt::ops
