#pragma once
#include <bgt/base/fd.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/root_events.hpp>
#include <bgt/supervise/start.hpp>
#include <map>
#include <optional>
#include <set>
#include <sys/types.h>
#include <vector>

#include "due_alerts.hpp"
#include "due_schedules.hpp"
#include "units.hpp"

namespace bgt::dispatch {

/// Until it is looked again whether a shutdown is over.
inline constexpr auto shutdown_pause = std::chrono::milliseconds(100);

/// Holds the lock of the one who dispatches. Sleeps until a task ends, the journal grows, or a time
/// has come.
class Dispatcher {
public:
    /// `lock` is the held lock queue/dispatcher.lock.
    Dispatcher(store::Root root, Fd lock)
        : root_(std::move(root)), lock_(std::move(lock)), events_(root_.fd())
    {}
    /// Until nothing waits and nothing runs from a queue. The exit code of the process.
    int run();

private:
    /// A task that was started from a queue, or is being started.
    struct Started {
        pid_t child = -1;  ///< its supervisor, where that was forked by this process
        Fd pidfd;          ///< else
        bool look = false; ///< something may have happened to it that its marker does not tell
        int gave_up = 0;   ///< the exit code with which its supervisor ended by itself; 0: not so
    };
    /// What its folder, its lock and the processes say.
    struct Fate {
        enum class Kind : std::uint8_t {
            over,
            gone,         ///< there is no folder
            not_executed, ///< its command was not, and nobody is about to
            lives,
            damaged, ///< its record can't be read, and it may live
            unclear, ///< that can't be told just now
        };
        Kind kind = Kind::unclear;
        core::TaskEventKind end = core::TaskEventKind::never_started; ///< `over`
        ProcessKey supervisor = {};                                   ///< `lives`
        static Fate over(core::TaskEventKind end) { return {Kind::over, end, {}}; }
    };
    void put_back(std::int64_t id, const Started&, std::vector<store::QueueRecord>&);
    void pause_starts();
    /// Wakes by then, if not before.
    void look_again_by(Instant);
    Result<void> begin();
    /// Everything that is to be decided now, under the journal's lock. False: nothing is left to do
    /// at all.
    Result<bool> turn();
    Result<void> append(std::vector<store::QueueRecord>&);
    bool must_give_way();
    void write_holder(bool stays);
    Result<void> fire_due(std::vector<store::QueueRecord>&);
    void update_schedules();
    void note_clock(WallTime now, std::vector<store::QueueRecord>&);
    void replace_older();
    void claim_next(std::vector<store::QueueRecord>&);
    void record_dropped(std::vector<store::QueueRecord>&);
    void compact_if_due();
    void clear_contexts_if_due();

    void look_at_started(std::vector<store::QueueRecord>&);
    bool is_done(std::int64_t id, Started&, std::vector<store::QueueRecord>&);
    Fate fate_of(store::TaskId);
    bool is_over(std::int64_t id, std::vector<store::QueueRecord>&);
    void forget(std::int64_t id, Started&);
    void look_soon(Started&, Duration pause);
    void look_at_depended_on(std::vector<store::QueueRecord>&);
    bool is_marked(std::int64_t id) const;

    void launch(std::int64_t id);
    void drop(std::int64_t id);
    Result<pid_t> fork_task(store::WaitingTask);
    Result<store::TaskDir> make_folder(store::TaskSpec&, const store::QueueContext&);
    Result<void> record_published(std::int64_t id);

    void watch_supervisor(Started&, const ProcessKey&);
    void watch_record(std::int64_t id);
    void watch_journal();
    void watch_active();
    void look_at_alerts();
    void set_clock();
    void drain_clock();
    void reap();
    void start_standby();
    void keep_standby();
    void end_standby();
    std::optional<Instant> wake_at() const;

    store::Root root_;
    Fd lock_;
    store::EventWriter events_;
    std::optional<store::QueueView> view_;
    os::Watch watch_;
    std::optional<int> journal_watch_, active_watch_;
    Fd signals_, clock_;
    std::optional<WallTime> clock_set_to_;
    pid_t standby_ = -1;
    Instant standby_since_{};
    bool standby_is_due_ = false; ///< the last one has ended
    std::map<std::int64_t, Started> started_;
    std::set<std::int64_t> watched_records_;
    Units units_;
    DueSchedules schedules_;
    DueAlerts alerts_;
    bool clock_was_set_ = true;         ///< since the last look, perhaps while nobody dispatched
    std::set<std::int64_t> to_replace_; ///< schedules whose older tasks are to end
    std::set<std::int64_t> stop_asked_; ///< tasks of them
    std::vector<std::int64_t> to_launch_;
    std::vector<store::QueueRecord> pending_; ///< to be appended at the next turn
    std::optional<Instant> look_again_;       ///< something could not be told just now
    std::optional<Instant> no_start_before_;  ///< the machine refused: it is given time
    Duration pause_{};
    std::map<std::int64_t, int> failures_; ///< how often the supervisor of a task gave up in a row
    std::set<std::string> known_contexts_; ///< that were looked at
    std::set<std::string> beyond_;         ///< of these, what this process can't give
    bool stays_ = false;                   ///< and it has said so
    std::set<std::string> here_, elsewhere_; ///< of these, by the namespaces of the submitter
    std::size_t there_before_ = 0;           ///< tasks of the journal, at the last turn
    std::size_t gone_since_clear_ = 1; ///< since contexts were cleared; at first what others left
    std::uint64_t checked_size_ =
        0; ///< of the journal, when it was last thought of making it smaller
};

} // namespace bgt::dispatch
