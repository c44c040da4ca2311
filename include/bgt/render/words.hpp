#pragma once
/// The words in which tables, details and JSON speak of a task.
#include <bgt/supervise/snapshot.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::render {

/// Against which moment ages and durations are counted; both clocks read together.
struct Moment {
    WallTime wall{};
    Instant mono{};
    /// The present, by the standard library's clocks (its steady_clock is CLOCK_MONOTONIC on Linux).
    static Moment now();
};

/// How a word is shown where colour is wanted.
enum class Tone : unsigned char {
    plain,
    good,  ///< green
    busy,  ///< yellow
    bad,   ///< red
    faint, ///< dim
};
/// `text` between the escape sequences of the tone (ECMA-48 SGR); as it is for plain.
std::string colored(std::string_view text, Tone);

struct StateWords {
    std::string text; ///< at most 14 columns: "running", "needs input", "exit 3", "SIGKILL", "timeout", "lost", "damaged"
    Tone tone = Tone::plain;
};
StateWords state_words(const supervise::Snapshot&);

/// `lifecycle` of the JSON: core's words, and "lost" for an ended task of which nobody saw the end.
/// Empty where the record is damaged.
std::string_view lifecycle_word(const supervise::Snapshot&);

/// The states that `ps --state` knows; several can fit one task ("ended", "failed").
inline constexpr std::string_view state_filters[] = {"starting", "running", "paused", "stopping",
                                                     "ended",    "failed",  "lost"};
/// Whether the task is in that state. "running" includes paused ones; "failed" is ended with a code that is not 0;
/// "ended" includes failed and lost ones.
bool in_state(const supervise::Snapshot&, std::string_view state);

/// Ended, and `--leftover keep` left nobody: no process belongs to the task any more.
inline bool nothing_lives(const store::Status& status)
{
    return status.lifecycle == core::Lifecycle::ended && !status.tree_lives;
}

/// Since the start (since the creation where it has not started); nullopt where not known.
std::optional<Duration> age(const store::Status&, const Moment& now);
/// From the start to the end, or to now while it lives; nullopt where one of them is not known.
std::optional<Duration> run_time(const store::Status&, const Moment& now);

/// "exited with code 3", "its --timeout passed: died of SIGTERM"; for an ended task.
std::string outcome_words(const store::Status&);
/// "12%", "0.3%": of one core.
std::string cpu_words(double fraction);
/// "5173,8080"; at most `columns` columns, "5173,+2" where some do not fit.
std::string port_words(const std::vector<std::uint16_t>& ports, std::size_t columns);

} // namespace bgt::render
