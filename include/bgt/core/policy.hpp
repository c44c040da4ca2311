#pragma once
/// What a task is watched for, and when it is started again: data that step() decides by.
#include <array>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bgt::core {

/// What the tree is doing, as its signs of life tell; apart from the lifecycle. The numbers are
/// part of the status record: append only.
enum class Activity : std::uint8_t {
    unknown = 0, ///< no sample yet
    busy = 1, ///< CPU at least 1 % of a core, or disk at least 4 KiB/s, or network at least 1 KiB/s
    trickle = 2, ///< some, below that: poll loops, idle virtual machines
    blocked = 3, ///< nothing at all
    waiting_input =
        4,       ///< a process reads a terminal or its stdin, or was stopped because it wanted to
    stopped = 5, ///< by a signal
    unkillable = 6, ///< waits in the kernel (state D)
    zombie = 7,     ///< all that is left has ended and is not reaped by its parent
};
inline constexpr std::array activities{
    Activity::unknown,       Activity::busy,    Activity::trickle,    Activity::blocked,
    Activity::waiting_input, Activity::stopped, Activity::unkillable, Activity::zombie};

/// What happens when a hang rule fires. Numbers as above.
enum class OnHang : std::uint8_t {
    kill = 0,    ///< report, then the stop ladder
    restart = 1, ///< the same, and then the command is started again
    report = 2,  ///< a report and an event; the task goes on
    exec = 3,    ///< the same, and a command of the user's
};

/// When the command is started again after it has ended by itself. Numbers as above.
enum class Restart : std::uint8_t {
    no = 0,
    on_failure = 1, ///< exit code other than 0, a signal, or a hang rule
    on_hang = 2,    ///< a hang rule only
    always = 3,     ///< whatever the outcome
};

std::string_view to_string(Activity); ///< "waiting-input"
std::string_view to_string(OnHang);
std::string_view to_string(Restart);
std::optional<Activity> parse_activity(std::string_view);
std::optional<OnHang> parse_on_hang(std::string_view);
std::optional<Restart> parse_restart(std::string_view);

/// Limits on silence and on CPU time (each a row of hang_rules.hpp). Independent of each other; the
/// first to fire wins. All begin again after a pause, and when the supervisor itself did not run (a
/// suspended machine, a starved process): nobody knows what the task did meanwhile.
struct HangRules {
    std::optional<Duration> output;   ///< reset by any byte of output
    std::optional<Duration> progress; ///< reset by new text, by `busy` and by heartbeats
    std::optional<Duration> idle;     ///< reset by `busy` and by heartbeats
    std::optional<Duration>
        ready; ///< from the start of an attempt until it is ready; then it is over
    std::optional<Duration>
        cpu; ///< CPU time of all attempts together; nothing resets it, and on_hang does not apply
    OnHang on_hang = OnHang::kill;
    /// Notices, for jobs only; they end nothing. `quiet`: no output for this long. `stalled`: no
    /// progress.
    std::optional<Duration> quiet_after = std::chrono::seconds(60);
    std::optional<Duration> stalled_after = std::chrono::minutes(5);
    bool operator==(const HangRules&) const = default;
};

/// Starting again. Never after a stop that was asked for, nor after `--timeout`.
struct RestartPolicy {
    std::uint32_t retries = 0; ///< attempts after the first, for an attempt that failed
    std::vector<int> retry_on; ///< only these exit codes (as `bgt wait` has them) are worth a
                               ///< retry; empty: any failure
    Restart restart = Restart::no;
    std::uint32_t max_restarts = 10; ///< restarts (not retries) within `max_period`; one more is
                                     ///< given up; the highest number: no limit
    Duration max_period = std::chrono::minutes(10);
    Duration backoff_min = std::chrono::seconds(
        1); ///< doubles with each attempt, and up to a fifth of it is taken off
    Duration backoff_max = std::chrono::minutes(1);
    std::uint64_t seed = 0; ///< of that jitter
    bool operator==(const RestartPolicy&) const = default;
};

} // namespace bgt::core
