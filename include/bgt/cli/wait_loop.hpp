#pragma once
/// One loop that waits for several conditions of several tasks.
#include <bgt/supervise/condition.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <bgt/supervise/output_age.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>
#include <functional>
#include <vector>

namespace bgt::cli {

struct WaitRequest {
    std::vector<supervise::Condition> conditions; ///< at least one
    bool any = false;                  ///< one condition of one task is enough; else all of all
    bool or_stuck = false;             ///< ends, with 121, when a task is stalled or waits for input
    std::optional<Duration> timeout;
};

struct WaitAnswer {
    int code = 0;
    std::string message; ///< for stderr; empty: nothing to say
};

/// Which conditions of one task have come.
enum class ConditionState : std::uint8_t {
    open,  ///< not yet
    met,   ///< it came; it stays so, whatever happens later
    never, ///< it can no longer come
};

class WaitLoop {
public:
    WaitLoop(store::Root& root, WaitRequest request) : root_(root), request_(std::move(request)) {}

    /// Error: no such task, a damaged one, too many files.
    Result<void> open(const std::vector<store::TaskId>&);
    /// Waits. `show` is called now and then when it is given: with the width of the terminal in mind, it draws what
    /// live_text() says.
    Result<WaitAnswer> run(const std::function<void()>& show);
    /// A line about what is waited for, of at most so many columns.
    std::string live_text(std::size_t columns);
    /// The tasks as they were last seen, in the order given.
    std::vector<supervise::Snapshot> last_seen() const;

private:
    /// Progress at a moment.
    struct Seen {
        double fraction = 0;
        Instant at{};
    };
    struct Waiting {
        ops::TaskMonitor task;
        std::vector<ConditionState> coming; ///< one a condition
        std::optional<supervise::OutputMatcher> output;
        std::optional<supervise::OutputAge> age;
        Instant quiet_since{};
        bool never_ready = false;   ///< it has no condition of readiness
        std::optional<Seen> seen;   ///< progress, when this wait first saw it
        bool settled = false;       ///< nothing of it is open any more
    };
    /// A condition that is asked once for all tasks.
    struct ExternalCheck {
        bool held = false;
        std::optional<supervise::Prober> prober;
        std::optional<int> folder;      ///< `file`: the token of its folder in the watch
        std::optional<bool> last_check; ///< made in this round, because a task ended
    };
    struct Decisive {
        std::size_t task = 0, condition = 0;
    };

    Result<void> open_task(store::TaskId);
    Result<void> start_watching();
    Result<void> start_outside(std::size_t condition);
    Result<void> take_wake(const os::Watch::Wake&);
    Result<bool> check_all();
    Result<bool> check(std::size_t task);
    Result<bool> check_output(std::size_t task);
    void check_record(std::size_t task);
    void check_quiet(std::size_t task);
    void check_outside(std::size_t task);
    void check_ports();
    void check_end(std::size_t task);
    void check_guards(std::size_t task);
    void request_looks();
    bool is_open(std::size_t task, supervise::Condition::Kind) const;
    bool has(supervise::Condition::Kind) const;
    void set(std::size_t task, std::size_t condition, ConditionState);
    void settle(Waiting&);
    std::optional<WaitAnswer> decide() const;
    WaitAnswer success() const;
    WaitAnswer failure() const;
    std::optional<WaitAnswer> stuck() const;
    WaitAnswer timed_out() const;
    Instant next_check(bool more, Instant next_show) const;
    bool wants(bool (supervise::Condition::*)() const) const;
    std::optional<Duration> time_left(Waiting&) const;

    store::Root& root_;
    WaitRequest request_;
    std::vector<Waiting> tasks_;
    std::optional<supervise::SignalGate> gate_;  ///< before the probers: they are ended before a signal ends this program
    std::vector<ExternalCheck> outside_;    ///< one a condition, used by those that are outside
    std::optional<os::Watch> watch_;
    std::optional<Decisive> first_met_, first_never_;
    std::optional<Decisive> broken_;  ///< the guard that a line matched
    std::size_t open_ = 0;            ///< conditions of tasks that have neither come nor become impossible
    Instant started_{};
    std::optional<Instant> deadline_;
    Instant next_poll_{};
    Instant next_request_{};          ///< of a look by the supervisor
    Duration poll_interval_ = std::chrono::milliseconds(20);
};

} // namespace bgt::cli
