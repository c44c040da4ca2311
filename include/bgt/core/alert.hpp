#pragma once
/// Alerts, `[[alert]]` of a bgt.toml: a question about many tasks, what its answer is, and what
/// follows from a change of it.
#include <bgt/core/past_run.hpp>
#include <bgt/core/time_zone.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

enum class AlertKind : std::uint8_t {
    error_rate,
    failures_in_row,
    mean_duration,
    p95,
    wait,
    active,
    did_not_run_by,
};

/// What has to be true for the alert to fire: `error_rate > 0.1`.
struct AlertCondition {
    AlertKind kind = AlertKind::error_rate;
    bool or_equal = false; ///< ">=" in place of ">"
    double number = 0;     ///< rate (0 to 1), count, or how many times as long as before
    bool is_factor = false;
    Duration duration{}; ///< the limit; of did_not_run_by: since midnight
    bool operator==(const AlertCondition&) const = default;
};
/// Error (usage): anything but `error_rate > 0.1` (or 10%), `failures_in_row >= 3`,
/// `mean_duration > 5m` (or 2x), `p95 > 2x` (or 5m), `wait > 10m`, `active > 100`,
/// `did_not_run_by 06:00`.
Result<AlertCondition> parse_alert_condition(std::string_view);
/// As it is read back.
std::string to_string(const AlertCondition&);

struct AlertRule {
    AlertCondition when;
    std::optional<Duration> over; ///< it looks at runs that ended since; nullopt: see window()
    std::uint32_t min_runs = 1;   ///< with fewer of them there is no answer
    std::string match;            ///< names of tasks (glob); empty: all tasks
    bool operator==(const AlertRule&) const = default;
};
/// Error (usage): `over` or `min_runs` means nothing for its condition, or is 0.
Result<void> check(const AlertRule&);
/// A day where it does not say; nullopt: there is none, all runs or those of now count.
std::optional<Duration> window(const AlertRule&);
/// Whether its answer is in the history.
bool asks_history(AlertKind);
/// Whether time alone, or what waits and runs, can change its answer.
bool changes_without_end(AlertKind);

struct AlertFinding {
    std::optional<bool> holds; ///< nullopt: that can't be told, and changes nothing
    std::string value;         ///< for people: "0.5 (1 of 2 runs)"
    bool operator==(const AlertFinding&) const = default;
};

/// The answer to one alert. It is told of what its `match` fits and of nothing else.
class AlertFacts {
public:
    /// `known_since`: of deadlines before that it asks nothing.
    AlertFacts(const AlertRule&, WallTime now, WallTime known_since, const TimeZone&);

    /// A run that is over.
    void add(const PastRun&);
    /// A task that is not; nullopt: it has not been started.
    void add_active(std::optional<WallTime> started);
    /// A task waits since then, and may start.
    void add_waiting(WallTime since);
    AlertFinding finding() const;

private:
    struct Run {
        WallTime ended{};
        bool failed = false;
    };
    AlertFinding error_rate() const;
    AlertFinding failures_in_row() const;
    AlertFinding how_long() const;
    AlertFinding wait() const;
    AlertFinding active() const;
    AlertFinding did_not_run() const;
    bool exceeds(double value, double limit) const;
    std::string clock_words(WallTime) const;

    const AlertRule& rule_;
    const TimeZone& zone_;
    WallTime now_, known_since_;
    std::optional<WallTime> since_; ///< of the window
    std::vector<Run> runs_;         ///< in the window: those that count as ok or failed
    std::vector<Duration> ran_, ran_before_;
    std::uint64_t active_ = 0;
    std::optional<WallTime> waiting_since_, last_start_;
};

/// The last time that clocks showed that time of day; and the next.
WallTime last_deadline(Duration since_midnight, WallTime now, const TimeZone&);
WallTime next_deadline(Duration since_midnight, WallTime now, const TimeZone&);

enum class AlertIs : std::uint8_t { unknown, quiet, firing };
std::string_view to_string(AlertIs);
std::optional<AlertIs> parse_alert_is(std::string_view);

struct AlertState {
    AlertIs is = AlertIs::unknown;
    WallTime since{}; ///< of `is`
    bool operator==(const AlertState&) const = default;
};
enum class AlertChange : std::uint8_t { none, begins, over };
std::string_view to_string(AlertChange);

struct AlertStep {
    AlertState state;
    AlertChange tell = AlertChange::none; ///< to the user, once
};
/// An alert that begins is told, and one that is over; nothing is told of one that was never seen
/// firing.
AlertStep decide(const AlertState& before, const AlertFinding&, WallTime now);

} // namespace bgt::core
