#pragma once
/// The words in which tables, details and JSON speak of a task.
#include <bgt/ops/snapshot.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::render {

/// Against which moment ages and durations are counted; both clocks read together.
struct Moment {
    WallTime wall{};
    Instant mono{};
    /// The present, by the standard library's clocks (its steady_clock is CLOCK_MONOTONIC on
    /// Linux).
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
    std::string text; ///< at most 15 columns: "running", "needs input", "exit 3", "SIGKILL",
                      ///< "timeout", "lost", "damaged"
    Tone tone = Tone::plain;
};
StateWords state_words(const ops::Snapshot&);

/// `lifecycle` of the JSON: core's words, and "lost" for an ended task of which nobody saw the end.
/// Empty where the record is damaged.
std::string_view lifecycle_word(const ops::Snapshot&);

/// Since the start (since the creation where it has not started); nullopt where not known.
std::optional<Duration> age(const store::Status&, const Moment& now);
/// From the start to the end, or to now while it lives; nullopt where one of them is not known.
std::optional<Duration> run_time(const store::Status&, const Moment& now);

/// "exit 3", "its --timeout passed: SIGTERM"; for an ended task.
std::string outcome_words(const store::Status&);
/// "12%", "0.3%": of one core.
std::string cpu_words(double fraction);
/// "5173,8080"; at most `columns` columns, "5173,+2" where some do not fit.
std::string port_words(const std::vector<std::uint16_t>& ports, std::size_t columns);

} // namespace bgt::render
