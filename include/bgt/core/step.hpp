#pragma once
/// The task as a pure function: `step(spec, state, event, now)`. No clock, no I/O, no randomness:
/// the same arguments give the same answer, so the whole life of a task is tested without a
/// process.
///
/// The driver's duties, on which the promises of this file rest:
///  - perform the actions in their order, and only then pass on the next event;
///  - after each step arm one timer for `next_deadline(spec, state)`, and send Tick when it fires
///  (a late, early
///    or doubled Tick is harmless: step compares `now` with the deadlines in the state);
///  - say Started (or StartFailed) before anything else of the command, and MainEnded before the
///  TreeEmpty that follows;
///  - answer CheckTree with TreeEmpty or TreeLives; say TreeEmpty only when it is proven, and say
///  it unasked as soon
///    as it is: nothing here polls for it;
///  - answer TakeSample with Sampled, StartAgain with Started or StartFailed.
#include <bgt/core/hang_state.hpp>
#include <bgt/core/task.hpp>
#include <optional>
#include <variant>
#include <vector>

namespace bgt::core {

/// How many processes each step of the ladder ended; what `bgt kill` prints.
struct StepTally {
    int signal = 0;          ///< SIGKILL for the last step
    std::uint32_t found = 0; ///< living members when the step began
    std::uint32_t ended = 0; ///< of these, ended before the next step
    bool operator==(const StepTally&) const = default;
};

/// A wish to end the task; an event (below), and kept by Starting until there is something to end.
struct StopRequested {
    Reason reason = Reason::killed;
    bool now = false; ///< skip the ladder: SIGKILL at once
    std::optional<std::vector<StopStep>>
        ladder;         ///< replaces the spec's for this stop (grace given with `bgt kill`)
    bool again = false; ///< `bgt restart`: then the command is started again, at once
    bool no_escalation =
        false; ///< leaves a stop that has begun at its pace, where another request hastens it
    bool operator==(const StopRequested&) const = default;
};

// States: each holds only what is true in it.
struct Starting {
    std::optional<StopRequested>
        wanted;                   ///< asked for before the command was exec'd; begins with Started
    std::optional<Instant> first; ///< a later attempt: when the first one started
    bool operator==(const Starting&) const = default;
};
struct Running {
    Instant started{}; ///< of the first attempt; State::hang_state knows of this one
    bool operator==(const Running&) const = default;
};
/// The main process has ended by itself; others of its tree live.
struct MainExited {
    Instant started{};
    MainEnd main_end;
    Instant since{};
    std::uint32_t living = 0; ///< as last counted
    bool operator==(const MainExited&) const = default;
};
/// Whether there is another attempt once a stop is done.
enum class Afterwards : std::uint8_t {
    as_ruled, ///< as Policy::again and the reason of the stop say
    again,    ///< `bgt restart` asked for it
    never,    ///< somebody asked for an end while it was being stopped
};
/// A reason is on record and the ladder is under way. The dates of the rungs are fixed when it
/// begins, so that late ticks do not add up: a rung whose time is over before its tick came is
/// passed over. A supervisor that takes over in the middle of a stop goes on with a ladder of one
/// rung and `rung_ends` = the recorded kill_by.
struct Stopping {
    Instant started{};               ///< of the task
    std::optional<MainEnd> main_end; ///< once it has ended
    Reason reason = Reason::killed;
    bool for_leftover = false; ///< the main process had ended by itself: its outcome stays its own
    Afterwards afterwards = Afterwards::as_ruled;
    bool main_only =
        false; ///< KillMode::mixed: the signals of the ladder go to the main process while it lives
    std::vector<StopStep> ladder; ///< the spec's, or the one that came with the request
    std::size_t rung = 0;         ///< index in `ladder`; == its size: KILL
    Instant rung_ends{};          ///< next rung, or next KILL sweep
    Duration
        sweep_pause{}; ///< current pause between two KILL sweeps: 1 ms doubling to 50 ms, then 1 s
    Instant since{};   ///< when the stopping began
    Instant kill_since{};     ///< when KILL began; valid at the last rung
    std::uint32_t living = 0; ///< as last counted
    bool swept = false;       ///< this rung has its row in the tally
    std::vector<StepTally> tally;
    bool operator==(const Stopping&) const = default;
};
/// An attempt is over, nothing of it lives, and there will be another.
struct BackingOff {
    Instant started{};            ///< of the first attempt
    std::optional<Instant> until; ///< nullopt: until a file changes (Policy::awaits_changes)
    Outcome last;                 ///< of the attempt; the task's, if it is stopped now
    bool operator==(const BackingOff&) const = default;
};
/// The outcome is final. `tree_lives`: `--leftover keep` left processes alone; the driver goes on
/// pumping their output.
struct Ended {
    Outcome outcome;
    bool tree_lives = false;
    std::vector<StepTally> tally;
    std::optional<Stopping>
        leftover_stop; ///< somebody asked to end the kept ones; the outcome does not change by it
    bool operator==(const Ended&) const = default;
};

struct State {
    std::variant<Starting, Running, MainExited, Stopping, BackingOff, Ended> phase;
    bool paused = false;    ///< the tree was sent SIGSTOP by `bgt pause`; a stop resumes it
    HangState hang_state{}; ///< the clocks of the hang rules
    Attempts attempts{};
    bool operator==(const State&) const = default;
};

// Events.
struct Started {}; ///< the command was exec'd
struct StartFailed {
    int code = 126;
}; ///< it was not; nothing runs. 127: there is no such command
struct MainEnded {
    MainEnd how;
};                   ///< reaped, or seen gone
struct TreeEmpty {}; ///< proven: no process of the tree is left
struct TreeLives {
    std::uint32_t count = 0;
}; ///< this many were found
/// Answer to SignalTree: members found living. To KillTree: the distinct processes hit since KILL
/// began.
struct Swept {
    std::uint32_t found = 0;
};
struct PauseRequested {};
struct ResumeRequested {};
struct Sampled {
    Liveness liveness;
}; ///< answer to TakeSample
struct SampleRequested {
};                    ///< a reader wants to know what it does now, or output came after `quiet`
struct Ready {};      ///< all its conditions of readiness hold
struct NeverReady {}; ///< one of them can no longer be met
struct ReadyLost {};  ///< it was ready, and one of them holds no longer
struct Extended {
    Duration by{};
}; ///< EXTEND_TIMEOUT_USEC: no hang rule fires for this long
struct WatchdogSet {
    Duration interval{};
};                      ///< WATCHDOG_USEC: heartbeats come at least this often; zero: no longer
struct HangReported {}; ///< WATCHDOG=trigger: the task says itself that it hangs
struct Tick {};         ///< time has passed

using Event = std::variant<Started, StartFailed, MainEnded, TreeEmpty, TreeLives, Swept,
                           StopRequested, PauseRequested, ResumeRequested, Sampled, SampleRequested,
                           Ready, NeverReady, ReadyLost, Extended, WatchdogSet, HangReported, Tick>;

// Actions, performed in order.
struct SaveStatus {}; ///< make the state durable; before any signal that follows it
struct CheckTree {};  ///< answer with TreeEmpty or TreeLives
/// To every member, or to the main process alone; then CONT to every member. Answer with Swept.
struct SignalTree {
    int signal = 0;
    bool main_only = false;
};
struct KillTree {};   ///< SIGKILL to every member; answer with Swept, then as CheckTree
struct PauseTree {};  ///< SIGSTOP to every member
struct ResumeTree {}; ///< SIGCONT to every member
struct TakeSample {}; ///< at the tree's signs of life; answer with Sampled
/// Gather the evidence and write the report, in about a second at most. `rule`: the one that fired;
/// self: a notice.
struct GatherReport {
    Reason rule = Reason::self;
};
struct RunHook {
    Reason rule = Reason::self;
}; ///< `--on-hang exec:CMD`
struct EndAttempt {
    Outcome outcome;
};                    ///< drain the output, put the attempt on record
struct StartAgain {}; ///< the command, with the spec and environment that it had
struct Finish {};     ///< drain the output, save the final status, tell waiters
struct Release {};    ///< nothing is left to answer for: the supervisor exits
/// What a line of events.jsonl says. The name in the file is that of to_string().
enum class Happening : std::uint8_t {
    stop,      ///< a stop began (reason, first signal)
    leftover,  ///< what the main process left behind is ended (count, first signal)
    rung,      ///< the next step of the ladder (signal)
    survivors, ///< live in spite of SIGKILL (count)
    pause,
    resume,
    hang,             ///< a rule fired and the task goes on (reason)
    quiet,            ///< a notice
    stalled,          ///< a notice
    waiting_input,    ///< a notice
    moving,           ///< no notice holds any more
    clocks_restarted, ///< the supervisor did not run for a while
    ready,
    never_ready,
    ready_lost,    ///< a condition of its readiness holds no longer
    restart_limit, ///< no further attempt (count)
    crash_loop,    ///< a notice: attempt follows attempt (count)
};
std::string_view to_string(Happening); ///< "waiting-input"

/// A line for events.jsonl.
struct Note {
    Happening what = Happening::stop;
    Reason reason = Reason::self;
    int signal = 0;
    std::uint32_t count = 0;
};

using Action =
    std::variant<SaveStatus, CheckTree, SignalTree, KillTree, PauseTree, ResumeTree, TakeSample,
                 GatherReport, RunHook, EndAttempt, StartAgain, Finish, Release, Note>;

/// The next state and what to do. Invariants (tested): after the end, signals go only to leftovers
/// that were kept; once stopping, SIGKILL starts at the latest at since + the sum of the ladder's
/// times, whatever happens in between; SaveStatus precedes the first signal; an outcome and a
/// reason never change; a stop is never undone, a second one only makes it faster: one that says
/// `now`, or by a person (Reason::killed), goes to SIGKILL at once, any other changes nothing; a
/// GatherReport precedes the signals of the hang it is about; what is being stopped by anybody is
/// not started again; two attempts never overlap. A negative time counts as zero, a sum beyond the
/// end of time as the end of time.
struct StepResult {
    State state;
    std::vector<Action> actions;
};
StepResult step(const Policy&, State, const Event&, Instant now);

/// The state as a supervisor goes on from it that took over at `now`: nobody knows what happened
/// meanwhile, so all clocks begin anew.
State take_over(const Policy&, State, bool ready, std::uint32_t attempt, Instant now);

/// Whether output, when it comes, must be told at once (SampleRequested): it ends a notice, or a
/// silence that was told.
bool waits_for_output(const State&);

/// When SIGKILL comes at the latest; nullopt unless stopping (the kept leftovers of an ended task
/// included). Kept in the status record, so that a supervisor that takes over in the middle of a
/// stop keeps the date.
std::optional<Instant> kill_by(const State&);

/// When the driver must send Tick, or nullopt when only the world can move the task.
std::optional<Instant> next_deadline(const Policy&, const State&);

Lifecycle lifecycle(const State&);

} // namespace bgt::core
