#pragma once
/// The task as a pure function: `step(spec, state, event, now)`. No clock, no I/O, no randomness: the same
/// arguments give the same answer, so the whole life of a task is tested without a process.
///
/// The driver's duties, on which the promises of this file rest:
///  - perform the actions in their order, and only then pass on the next event;
///  - after each step arm one timer for `next_deadline(spec, state)`, and send Tick when it fires (a late, early
///    or doubled Tick is harmless: step compares `now` with the deadlines in the state);
///  - say Started (or StartFailed) before anything else of the command, and RootEnded before the TreeEmpty that follows;
///  - answer LookAtTree with TreeEmpty or TreeLives; say TreeEmpty only when it is proven, and say it unasked as soon
///    as it is: nothing here polls for it.
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
    bool now = false;                           ///< skip the ladder: SIGKILL at once
    std::optional<std::vector<StopStep>> ladder;///< replaces the spec's for this stop (grace given with `bgt kill`)
    bool operator==(const StopRequested&) const = default;
};

// States: each holds only what is true in it.
struct Starting {
    std::optional<StopRequested> wanted; ///< asked for before the command was exec'd; begins with Started
    bool operator==(const Starting&) const = default;
};
struct Running {
    Instant started{};
    bool operator==(const Running&) const = default;
};
/// The root process has ended by itself; others of its tree live.
struct LeftBehind {
    Instant started{};
    RootEnd root;
    Instant since{};
    std::uint32_t living = 0; ///< as the last look found
    bool operator==(const LeftBehind&) const = default;
};
/// A reason is on record and the ladder is under way. The dates of the rungs are fixed when it begins, so that late
/// ticks do not add up: a rung whose time is over before its tick came is passed over.
/// A supervisor that takes over in the middle of a stop goes on with a ladder of one rung and `rung_ends` = the
/// recorded kill_by.
struct Stopping {
    Instant started{};                ///< of the task
    std::optional<RootEnd> root;      ///< once it has ended
    Reason reason = Reason::killed;
    bool for_leftover = false;        ///< the root process had ended by itself: its outcome stays its own
    std::vector<StopStep> ladder;     ///< the spec's, or the one that came with the request
    std::size_t rung = 0;             ///< index in `ladder`; == its size: KILL
    Instant rung_ends{};              ///< next rung, or next KILL sweep
    Duration sweep_pause{};           ///< current pause between two KILL sweeps: 1 ms doubling to 50 ms, then 1 s
    Instant since{};                  ///< when the stopping began
    Instant kill_since{};             ///< when KILL began; valid at the last rung
    std::uint32_t living = 0;         ///< as the last look found
    bool swept = false;               ///< this rung has its row in the tally
    std::vector<StepTally> tally;
    bool operator==(const Stopping&) const = default;
};
/// The outcome is final. `tree_lives`: `--leftover keep` left processes alone; the driver goes on pumping their output.
struct Ended {
    Outcome outcome;
    bool tree_lives = false;
    std::vector<StepTally> tally;
    std::optional<Stopping> leftover_stop; ///< somebody asked to end the kept ones; the outcome does not change by it
    bool operator==(const Ended&) const = default;
};

struct State {
    std::variant<Starting, Running, LeftBehind, Stopping, Ended> phase;
    bool paused = false; ///< the tree was sent SIGSTOP by `bgt pause`; a stop resumes it
    bool operator==(const State&) const = default;
};

// Events.
struct Started {};                              ///< the command was exec'd
struct StartFailed {};                          ///< it was not; nothing runs
struct RootEnded { RootEnd how; };              ///< reaped, or seen gone
struct TreeEmpty {};                            ///< proven: no process of the tree is left
struct TreeLives { std::uint32_t count = 0; };  ///< a look found this many
/// Answer to SignalTree: members found living. To KillTree: the distinct processes hit since KILL began.
struct Swept { std::uint32_t found = 0; };
struct PauseRequested {};
struct ResumeRequested {};
struct Tick {};                                 ///< time has passed

using Event = std::variant<Started, StartFailed, RootEnded, TreeEmpty, TreeLives, Swept, StopRequested,
                           PauseRequested, ResumeRequested, Tick>;

// Actions, performed in order.
struct SaveStatus {};                           ///< make the state durable; before any signal that follows it
struct LookAtTree {};                           ///< answer with TreeEmpty or TreeLives
struct SignalTree { int signal = 0; };          ///< to every member, then CONT; answer with Swept
struct KillTree {};                             ///< SIGKILL to every member; answer with Swept, then as LookAtTree
struct PauseTree {};                            ///< SIGSTOP to every member
struct ResumeTree {};                           ///< SIGCONT to every member
struct Finish {};                               ///< drain the output, save the final status, tell waiters
struct Release {};                              ///< nothing is left to answer for: the supervisor exits
/// A line for events.jsonl; `what` names what happened: "stop" (reason, first signal), "leftover" (count, first signal),
/// "rung" (signal), "survivors" (count), "pause", "resume".
struct Note {
    std::string_view what;
    Reason reason = Reason::self;
    int signal = 0;
    std::uint32_t count = 0;
};

using Action = std::variant<SaveStatus, LookAtTree, SignalTree, KillTree, PauseTree, ResumeTree, Finish, Release, Note>;

/// The next state and what to do. Invariants (tested): after the end, signals go only to leftovers that were kept;
/// once stopping, SIGKILL starts at the latest at since + the sum of the ladder's times, whatever happens in between;
/// SaveStatus precedes the first signal; an outcome and a reason never change; a stop is never undone, a second one
/// only makes it faster: one that says `now`, or by a person (Reason::killed), goes to SIGKILL at once, any other
/// changes nothing. A negative time counts as zero, a sum beyond the end of time as the end of time.
struct StepResult {
    State state;
    std::vector<Action> actions;
};
StepResult step(const Spec&, State, const Event&, Instant now);

/// When SIGKILL comes at the latest; nullopt unless stopping (the kept leftovers of an ended task included). Kept in the status record, so that a supervisor that
/// takes over in the middle of a stop keeps the date.
std::optional<Instant> kill_by(const State&);

/// When the driver must send Tick, or nullopt when only the world can move the task.
std::optional<Instant> next_deadline(const Spec&, const State&);

/// Never `queued`: such a task has no state yet.
Lifecycle lifecycle(const State&);

} // namespace bgt::core
