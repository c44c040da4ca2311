#pragma once
/// One loop that waits for several conditions of several tasks.
#include <bgt/supervise/condition.hpp>
#include <bgt/cli/living.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>
#include <functional>
#include <vector>

namespace bgt::cli {

struct WaitRequest {
    std::vector<supervise::Condition> conditions; ///< at least one
    bool any = false;                  ///< one condition of one task is enough; else all of all
    std::optional<Duration> timeout;
};

struct WaitAnswer {
    int code = 0;
    std::string message; ///< for stderr; empty: nothing to say
};

/// Which conditions of one task have come.
enum class Coming : std::uint8_t {
    open,  ///< not yet
    met,   ///< it came; it stays so, whatever happens later
    never, ///< it can no longer come
};

class WaitLoop {
public:
    WaitLoop(store::Root& root, WaitRequest request) : root_(root), request_(std::move(request)) {}

    /// Error: no such task, a damaged one, too many files.
    Result<void> open(const std::vector<store::TaskId>&);
    /// Waits. `show` is called now and then with a line about what is waited for, when it is given.
    Result<WaitAnswer> run(const std::function<void(const std::string&)>& show);
    /// The tasks as they were last seen, in the order given.
    std::vector<supervise::Snapshot> last_seen() const;

private:
    struct Waiting {
        LivingTask task;
        std::vector<Coming> coming; ///< one a condition
        std::optional<supervise::OutputMatcher> output;
        bool settled = false;       ///< nothing of it is open any more
    };
    /// A condition that is asked once for all tasks.
    struct Outside {
        bool held = false;
        std::optional<supervise::Prober> prober;
        std::optional<int> folder;      ///< `file`: the token of its folder in the watch
        std::optional<bool> last_check; ///< made in this round, because a task ended
    };
    struct Decisive {
        std::size_t task = 0, condition = 0;
    };

    Result<void> start_watching();
    Result<void> start_outside(std::size_t condition);
    Result<void> take_wake(const os::Watch::Wake&);
    Result<bool> check_all();
    Result<bool> check(std::size_t task);
    Result<bool> check_output(std::size_t task);
    void check_outside(std::size_t task);
    void check_ports();
    void check_end(std::size_t task);
    bool is_open(std::size_t task, supervise::Condition::Kind) const;
    bool has(supervise::Condition::Kind) const;
    void set(std::size_t task, std::size_t condition, Coming);
    void settle(Waiting&);
    std::optional<WaitAnswer> decide() const;
    WaitAnswer success() const;
    WaitAnswer failure() const;
    WaitAnswer timed_out() const;
    Instant next_look(bool more, Instant next_show) const;
    std::string live_text() const;

    store::Root& root_;
    WaitRequest request_;
    std::vector<Waiting> tasks_;
    std::optional<supervise::SignalGate> gate_;  ///< before the probers: they are ended before a signal ends this program
    std::vector<Outside> outside_;    ///< one a condition, used by those that are outside
    std::optional<os::Watch> watch_;
    std::optional<Decisive> first_met_, first_never_;
    std::size_t open_ = 0;            ///< conditions of tasks that have neither come nor become impossible
    Instant started_{};
    std::optional<Instant> deadline_;
    Instant next_poll_{};
    Duration poll_interval_ = std::chrono::milliseconds(20);
};

} // namespace bgt::cli
