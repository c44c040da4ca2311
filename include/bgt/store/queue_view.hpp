#pragma once
/// What the journal amounts to: who waits, who is being started, who will never start, and what
/// each of them is.
#include <bgt/base/ascending_map.hpp>
#include <bgt/core/queue.hpp>
#include <bgt/store/queue_context.hpp>
#include <bgt/store/queue_file.hpp>
#include <bgt/store/queue_settings.hpp>
#include <bgt/store/schedule_book.hpp>
#include <bgt/store/spec.hpp>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace bgt::store {

/// Tasks that will never start and whose folders do not say so yet.
struct DroppedTasks {
    std::uint32_t count = 0;
    core::Reason reason = core::Reason::cancelled;
    std::int64_t described_by = 0;
};

/// One waiting task as it will be started.
struct WaitingTask {
    TaskSpec spec;
    std::string context;                ///< for read_context()
    std::vector<std::string> extra_env; ///< BGT_ARRAY_INDEX
};

class QueueView {
public:
    /// Everything that the root's journal says now. A root without a journal has an empty one.
    /// Error: that of QueueFile::open() and read_new(), with the same `boot`; the settings can't be
    /// read.
    static Result<QueueView> load(const Root&, const BootId& boot);
    /// The same of a file that is kept open, to be brought up to date by update().
    explicit QueueView(QueueFile file);

    QueueFile& file() { return file_; }
    const QueueFile& file() const { return file_; }
    core::QueueState& state() { return state_; }
    const core::QueueState& state() const { return state_; }
    const QueueSettings& settings() const { return settings_; }
    const std::map<std::int64_t, DroppedTasks>& dropped() const { return dropped_; }
    const ScheduleBook& schedules() const { return schedules_; }
    ScheduleBook& schedules() { return schedules_; }
    /// Whether a task of the schedule waits or runs.
    bool is_busy(const Schedule&) const;

    /// Reads what is new. True: all was read anew, as the journal had been replaced.
    Result<bool> update();
    /// Reads the settings again.
    Result<void> update_settings();
    /// Appends (with the lock held, and up to date), and takes it in.
    Result<void> append(const std::vector<QueueRecord>&, QueueFile::Durability);
    /// As `now` is: what has expired counts as dropped from here on. Returns it.
    std::vector<core::TaskRange> advance(WallTime now);

    bool is_waiting(TaskId id) const { return state_.is_waiting(id.value); }
    bool is_claimed(TaskId id) const { return state_.is_running(id.value); }
    /// Claimed, and its folder has got its place, or was about to.
    bool is_published(TaskId id) const { return published_.contains(id.value); }
    /// Why it will never start; nullopt: that is not known of it.
    std::optional<core::Reason> dropped_for(TaskId) const;
    /// The largest id that was ever submitted, as far as the journal goes back; 0: none.
    std::int64_t last_id() const
    {
        const auto& all = submitted_.entries();
        return all.empty() ? 0 : all.back().first + all.back().second.count - 1;
    }
    /// Nothing waits, runs or is still to be put on record.
    bool is_idle() const
    {
        return state_.waiting_count() == 0 && state_.running_ids().empty() && dropped_.empty();
    }
    /// And there is no schedule: nothing is left to be known.
    bool is_empty() const { return is_idle() && schedules_.all().empty(); }
    /// Somebody has to be there who dispatches.
    bool needs_dispatcher() const { return !is_idle() || schedules_.is_any_active(); }

    /// What the task is. Error (not_found): it does not wait. Expensive for the first of a
    /// submission, cheap for the next.
    Result<WaitingTask> describe(TaskId) const;
    /// What the tasks of a schedule are, without an id. Error: its description is damaged.
    Result<WaitingTask> describe(const Schedule&) const;
    /// Those that wait and were submitted inside of the scope (`bgt scope`) of that process. Cost:
    /// reads a description for each submission, and decodes one for each that is not like another.
    Result<std::vector<core::TaskRange>> waiting_in_scope(const BootId&, const ProcessKey&) const;
    /// A journal that amounts to the same, without what is over.
    Result<std::vector<QueueRecord>> compacted() const;
    /// How many bytes compacted() would take, roughly.
    std::uint64_t live_bytes() const;
    /// Whether a task that waits, or a schedule, needs one of these contexts.
    bool needs_any(const std::set<std::string>& contexts) const;
    /// So many contexts() reads at most, until the journal is compacted.
    std::size_t description_count() const { return descriptions_.entries().size(); }
    /// The names of all contexts that tasks need.
    Result<std::vector<std::string>> contexts() const;

private:
    struct SubmittedTasks {
        std::uint32_t count = 0;
        std::int64_t described_by = 0;
    };

    Result<void> read_new();
    void apply(const QueueRecord&);
    void note_dropped(const core::TaskRange&, core::Reason, std::int64_t described_by);
    void note_closed(const core::TaskRange&);
    void tell(std::int64_t id, core::TaskEventKind);
    /// Out of `descriptions_`, decoded.
    std::int64_t description_of(std::int64_t id) const;
    const RecordPlace* place_of(std::int64_t description) const;
    Result<std::shared_ptr<const Described>> described(std::int64_t key) const;
    Result<std::string> spec_text(const Described&) const;
    std::set<std::int64_t> used_descriptions() const;
    Result<std::set<std::int64_t>> needed_descriptions() const;

    QueueFile file_;
    core::QueueState state_;
    QueueSettings settings_;
    std::map<std::int64_t, DroppedTasks> dropped_; ///< by the first id
    ScheduleBook schedules_;
    std::set<std::int64_t> published_;
    AscendingMap<RecordPlace> descriptions_; ///< by place_key() of the key
    AscendingMap<SubmittedTasks> submitted_; ///< by the first id
    mutable std::map<std::int64_t, std::shared_ptr<const Described>>
        recent_; ///< a few descriptions, decoded
};

/// Whether the task waits or is about to be started from a queue; true where the journal can't be
/// read, but not in a copy of a root, where nothing waits. Costs nothing where the root has no
/// journal.
bool is_queued(const Root&, TaskId, const BootId& boot);

} // namespace bgt::store
