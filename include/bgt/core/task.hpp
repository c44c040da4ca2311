#pragma once
/// The words of the field as types: what a task is asked to be, and how it can end.
#include <array>
#include <bgt/base/time.hpp>
#include <bgt/core/policy.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bgt::core {

/// Where a task stands in its life. The numbers are part of the status record: append only.
enum class Lifecycle : std::uint8_t {
    starting = 0,    ///< its folder exists, the command is not exec'd yet
    running = 1,     ///< the main process lives, or others of its tree do and are waited for
    stopping = 2,    ///< a reason to end it is on record and the stop ladder is under way
    ended = 3,       ///< nothing of it runs but what `--leftover keep` left; the outcome is final
    queued = 4,      ///< waits to be started; no process yet
    backing_off = 5, ///< between two attempts; its supervisor waits, for a time or for a change
};

/// How a task ended. Numbers as above.
enum class OutcomeKind : std::uint8_t {
    none = 0,            ///< not ended
    exited = 1,          ///< the main process called exit; `code` holds its status
    signaled = 2,        ///< a signal ended the main process; `signal` holds which
    failed_to_start = 3, ///< the command could not be executed
    lost = 4,            ///< nobody saw the main process end; its code can't be known
    not_started = 5,     ///< the command was never executed, and will not be
};

/// Who ended it. Written before the first signal is sent. Numbers as above.
enum class Reason : std::uint8_t {
    self = 0,             ///< it ended by itself
    killed = 1,           ///< a person or a script asked (`bgt kill`, `--replace`)
    timeout = 2,          ///< its `--timeout` passed
    output_timeout = 3,   ///< no byte of output for too long
    progress_timeout = 4, ///< no progress for too long
    idle_timeout = 5,     ///< no activity for too long
    ready_timeout = 6,    ///< not ready in time
    owner_gone = 7,       ///< the process named by `--owner` ended
    shutdown =
        8, ///< its supervisor was told to end (SIGTERM: the machine or an outer task goes down)
    // 9 was never written, and is not used again
    cpu_limit = 10,         ///< its `--cpu-limit` passed
    dependency_failed = 11, ///< it waited for another task, which did not end as it had to
    cancelled = 12,         ///< it waited, and a person or a script asked that it does not start
    expired = 13,           ///< it waited for longer than its `--expire`
    superseded = 14,        ///< it waited, and a newer task of its key took its place
};

/// What a task is for. Numbers as above.
enum class Kind : std::uint8_t {
    job = 0,     ///< must finish
    service = 1, ///< runs until it is stopped, and may be quiet once it is ready
};

/// What happens to living members of the tree once the main process has ended by itself. Numbers as
/// above.
enum class Leftover : std::uint8_t {
    kill = 0, ///< after Policy::leftover_wait they are ended by the stop ladder
    wait = 1, ///< the task ends when the tree is empty
    keep = 2, ///< the task ends at once, they are left alone
};

/// Who gets the stop signals, in systemd's words (man 5 systemd.kill). SIGKILL always goes to the
/// whole tree. Numbers as above.
enum class KillMode : std::uint8_t {
    tree = 0,  ///< every process
    mixed = 1, ///< the main process, which ends its children itself; every process once the main
               ///< process is gone
};

/// All values of each. A number in a record that is in no list was written by a newer bgt.
inline constexpr std::array lifecycles{Lifecycle::starting, Lifecycle::running,
                                       Lifecycle::stopping, Lifecycle::ended,
                                       Lifecycle::queued,   Lifecycle::backing_off};
inline constexpr std::array outcome_kinds{OutcomeKind::none,     OutcomeKind::exited,
                                          OutcomeKind::signaled, OutcomeKind::failed_to_start,
                                          OutcomeKind::lost,     OutcomeKind::not_started};
inline constexpr std::array reasons{Reason::self,
                                    Reason::killed,
                                    Reason::timeout,
                                    Reason::output_timeout,
                                    Reason::progress_timeout,
                                    Reason::idle_timeout,
                                    Reason::ready_timeout,
                                    Reason::owner_gone,
                                    Reason::shutdown,
                                    Reason::cpu_limit,
                                    Reason::dependency_failed,
                                    Reason::cancelled,
                                    Reason::expired,
                                    Reason::superseded};
inline constexpr std::array kinds{Kind::job, Kind::service};

/// The value with this number, if there is one among them.
template <class List>
constexpr std::optional<typename List::value_type> by_number(const List& all, std::int64_t number)
{
    for (const auto value : all)
        if (static_cast<std::int64_t>(value) == number) return value;
    return std::nullopt;
}

/// The names used in JSON, on the command line and in tables ("failed-to-start", "owner-gone").
std::string_view to_string(Lifecycle);
std::string_view to_string(OutcomeKind);
std::string_view to_string(Reason);
std::string_view to_string(Kind);
std::string_view to_string(Leftover);
std::optional<Leftover> parse_leftover(std::string_view);
std::string_view to_string(KillMode);
std::optional<KillMode> parse_kill_mode(std::string_view);
std::optional<Lifecycle> parse_lifecycle(std::string_view);

/// How the main process ended, as wait(2) tells it.
struct Exited {
    int code = 0;
    bool operator==(const Exited&) const = default;
};
struct Signaled {
    int signal = 0;
    bool operator==(const Signaled&) const = default;
};
/// It is gone and it was not our child (man 2 waitid: only a parent learns the status).
struct Unseen {
    bool operator==(const Unseen&) const = default;
};
using MainEnd = std::variant<Exited, Signaled, Unseen>;

/// One rung of the stop ladder: send `signal` to the tree, then give it `wait` to be empty.
struct StopStep {
    int signal = 15;
    Duration wait{};
    bool operator==(const StopStep&) const = default;
};

/// Reads `TERM`, `QUIT:2s,TERM:5s`; a rung without a time gets `grace`. SIGKILL always follows and
/// is not written. Error (usage): unknown signal, bad duration, empty rung, more than 8 rungs, KILL
/// or STOP as a rung. A negative `grace` counts as zero.
Result<std::vector<StopStep>> parse_stop_signals(std::string_view text, Duration grace);
/// The text that parse_stop_signals reads back: "QUIT:2s,TERM:5s".
std::string format_stop_signals(const std::vector<StopStep>&);

/// Everything that step() needs to know of what was asked for. Fixed for the task's life.
struct Policy {
    Kind kind = Kind::job;
    std::vector<StopStep> stop_ladder{
        {15, std::chrono::seconds(5)}}; ///< may be empty: SIGKILL at once
    std::optional<Duration> timeout;    ///< from the start, never reset
    KillMode kill_mode = KillMode::tree;
    Leftover leftover = Leftover::kill;
    Duration leftover_wait = std::chrono::seconds(2);
    HangRules hang;
    RestartPolicy restart_policy;
    bool awaits_ready =
        false; ///< it has conditions of readiness; without any it is never called ready
    bool awaits_changes = false; ///< `--watch`: where no attempt would follow one that has ended by
                                 ///< itself, it waits for a change of its files
};

/// How it all ended; final once the lifecycle is `ended`.
struct Outcome {
    OutcomeKind kind = OutcomeKind::none;
    int code = 0; ///< valid for `exited`; 127 for `failed_to_start` of a command that is not there
    int signal = 0; ///< valid for `signaled`
    Reason reason = Reason::self;
    std::uint32_t leftover_killed = 0; ///< processes ended because they outlived the main process
    bool operator==(const Outcome&) const = default;
};

/// The exit code that every verb uses for an outcome (0..255): own code, 128+N, 120 (any hang rule,
/// ready_timeout among them), 122, 123 (`--timeout`, `--cpu-limit`). An outcome that nobody saw is
/// 122 whatever the reason. 126 or 127 for failed_to_start, 121 for not_started. Not ended yet:
/// 125, as asking for it is a mistake of bgt's own.
int exit_code(const Outcome&);

} // namespace bgt::core
