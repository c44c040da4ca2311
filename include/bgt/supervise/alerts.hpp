#pragma once
/// The alerts of a root (store/alert_book): looked at where something has changed, and told.
#include <bgt/store/alert_book.hpp>
#include <bgt/store/queue_view.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace bgt::supervise {

/// What has happened.
struct AlertOccasion {
    enum class What : std::uint8_t {
        any,   ///< all is looked at
        ended, ///< a task has ended, and its record is in the history
        queue, ///< other tasks wait, or run
        clock, ///< that, or a time of day has come
    };
    What what = What::any;
    store::TaskId task = {}; ///< that has ended
    std::string name = {};   ///< of it
    /// What waits, where the caller knows; else it is read where it is asked for.
    const store::QueueView* queue = nullptr;
    /// This process looks itself, also where another one is about to look at all.
    bool wants_findings = false;
};

struct AlertRound {
    std::vector<pid_t> tellers;   ///< that run hooks; children of this process, which reaps them
    std::optional<WallTime> next; ///< when time alone may change an answer
    bool follows_queue = false;   ///< what waits and runs matters
    std::vector<std::pair<std::int64_t, core::AlertFinding>> findings; ///< by number
};

/// Looks at all alerts on which that may bear, puts changes on record, and has them told: in the
/// event stream, and by the hooks, each in a process of its own that outlives this one and takes a
/// minute at most. A change is told once, whoever is killed meanwhile. Costs one system call where
/// the root knows no alerts, else reading the history. Error: the alerts, or what they ask for,
/// can't be read or locked.
Result<AlertRound> look_at_alerts(const store::Root&, const AlertOccasion&);
/// The same in a child that outlives this process, and waits for the hooks: so nobody who waits for
/// the end of this process waits for them. Its pid; 0: there is nothing to look at, and no child.
Result<pid_t> look_at_alerts_apart(const store::Root&, const AlertOccasion&);

/// How it went.
struct AlertHookEnd {
    bool is_fine = false;
    std::optional<int> code; ///< exit code, or the status of the webhook's answer
    std::string error;       ///< empty: nothing went wrong
    std::string output;      ///< the end of it
};
/// Runs the hook of an alert as if it began, and waits for its end; nothing is put on record.
/// Error: it has none; no process could be made.
Result<AlertHookEnd> test_alert(const store::Root&, const store::KnownAlert&);

} // namespace bgt::supervise
