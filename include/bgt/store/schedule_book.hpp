#pragma once
/// The schedules of a root, as its journal tells them.
#include <bgt/store/queue_records.hpp>
#include <bgt/store/task_id.hpp>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bgt::store {

struct Schedule {
    struct Entry {
        core::Occurred what;
        std::int64_t task = 0; ///< 0: none
        WallTime at{};
    };
    Scheduled is;
    core::ScheduleState state;
    std::deque<Entry> history;                   ///< the newest, in the order of their decisions
    std::vector<std::int64_t> tasks;             ///< that may not have ended
    std::int64_t last_task = 0;                  ///< the newest; 0: none
    std::optional<core::TaskEventKind> last_end; ///< how that one ended

    bool is_over() const { return core::is_used_up(is.policy, state); }
};

class ScheduleBook {
public:
    const std::map<std::int64_t, Schedule>& all() const { return all_; }
    /// Null: there is none.
    const Schedule* find(std::int64_t id) const;
    const Schedule* find(const std::string& name) const;
    /// One that is not paused and may fire again.
    bool is_any_active() const;
    /// Those that records have changed since the last call, removed ones among them.
    std::set<std::int64_t> take_changed();

    // Records. Those of a schedule that is not there are passed over.
    void apply(const Scheduled&);
    void apply(const Unscheduled&);
    void apply(const SchedulePaused&);
    void apply(const ScheduleOccurred&);
    void apply(const ClockSetBack&);
    void apply(const ScheduleKept&);
    /// What became of a task, which may be one of a schedule.
    void tell(std::int64_t task, core::TaskEventKind);
    void clear();

    /// The records that amount to the same.
    void append_to(std::vector<QueueRecord>&) const;
    /// How many bytes those take, roughly.
    std::uint64_t live_bytes() const;

private:
    Schedule* change(std::int64_t id);
    std::size_t max_history() const;

    std::map<std::int64_t, Schedule> all_;
    std::map<std::string, std::int64_t> by_name_;
    std::map<std::int64_t, std::int64_t> by_task_; ///< tasks that may not have ended
    std::set<std::int64_t> changed_;
};

/// The records by which a task of the schedule begins to wait now, for one occurrence (or by hand).
void append_firing(std::vector<QueueRecord>&, const Schedule&, TaskId, const core::Occurred&,
                   WallTime now);

/// Letters, digits, `-`, `_` and `.`, a letter or digit first, at most 64 bytes. Error (usage).
Result<void> check_schedule_name(std::string_view name);

} // namespace bgt::store
