#pragma once
/// What step() remembers of a task's signs of life and of its attempts.
#include <bgt/core/task.hpp>
#include <optional>
#include <vector>

namespace bgt::core {

/// What a sample finds. Instants before the attempt count as its start.
struct Liveness {
    Instant output{}; ///< when the last byte of output came
    Instant text{};   ///< when the last new text came (new_text.hpp)
    Instant beat{};   ///< the last heartbeat
    Activity activity =
        Activity::unknown; ///< since the sample before; unknown: there was none to compare with
    Duration cpu{};        ///< that the tree has used in all attempts
    bool operator==(const Liveness&) const = default;
};

/// One limit on silence.
struct InactivityTimer {
    Instant last{};              ///< when it was last reset
    std::optional<Instant> told; ///< it has fired for this `last` and did not end the task
    bool is_told() const { return told == last; }
    bool operator==(const InactivityTimer&) const = default;
};

/// CPU time of the tree, for HangClock::cpu. Of all attempts together.
struct CpuUse {
    Duration used{};
    std::optional<Instant> measured; ///< when `used` was true; nullopt before the first start
    unsigned cores = 1; ///< of the machine: in a second at most so many seconds of CPU are used
    bool operator==(const CpuUse&) const = default;
};

/// The clocks of the hang rules. All but `cpu` belong to one attempt.
struct HangState {
    Instant since{}; ///< the start of the attempt
    InactivityTimer output, progress, idle;
    InactivityTimer heartbeat; ///< where the task has set a watchdog
    std::optional<Duration> watchdog;
    Instant not_before{};               ///< no rule fires earlier (Extended)
    std::optional<Instant> next_sample; ///< nullopt: nothing needs one
    Activity activity = Activity::unknown;
    bool quiet = false, stalled = false, waiting_input = false; ///< notices that hold
    bool ready = false, never_ready = false;
    bool ready_once = false; ///< its time to become ready is over, also where it is ready no longer
    CpuUse cpu;
    bool operator==(const HangState&) const = default;
};

/// So many attempts that end by themselves in so much time are a crash loop.
inline constexpr std::size_t loop_attempts = 5;
inline constexpr Duration loop_period = std::chrono::minutes(1);

/// Attempts so far.
struct Attempts {
    std::uint32_t number = 1;      ///< of the one that runs, or ran last
    std::uint32_t retries = 0;     ///< used up
    std::uint32_t in_a_row = 0;    ///< attempts that ended soon: the exponent of the backoff
    std::vector<Instant> restarts; ///< within RestartPolicy::max_period
    std::vector<Instant> ends;     ///< of attempts that another one followed by itself, the newest
                                   ///< within loop_period
    bool crash_loop = false;       ///< notice: there were loop_attempts of them
    bool operator==(const Attempts&) const = default;
};

} // namespace bgt::core
