#pragma once
/// The text of a message by the sd_notify protocol (man 3 sd_notify): NAME=VALUE lines.
#include <array>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// How much a line of the execution log matters.
inline constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warning", "error"};

struct LogLine {
    std::string level; ///< one of log_levels
    std::string text;  ///< printable, at most 4096 bytes
};
struct Metric {
    std::string name; ///< see is_metric_name()
    double value = 0; ///< finite
};
/// 1 to 64 of letters, digits, `_`, `.` and `-`, the first a letter or `_`.
bool is_metric_name(std::string_view);

struct Notification {
    bool ready = false;    ///< READY=1
    bool stopping = false; ///< STOPPING=1
    bool beat = false;     ///< WATCHDOG=1
    bool failed = false;   ///< WATCHDOG=trigger
    bool barrier =
        false; ///< BARRIER=1: the descriptor that came with it is closed once all before is done
    std::optional<std::string> status;    ///< STATUS=, made printable, at most 127 bytes
    std::optional<Duration> watchdog;     ///< WATCHDOG_USEC=; zero: off
    std::optional<Duration> extend;       ///< EXTEND_TIMEOUT_USEC=
    std::optional<std::int32_t> main_pid; ///< MAINPID=
    std::optional<double> progress;       ///< X_BGT_PROGRESS=0.4
    std::optional<std::string> step;      ///< X_BGT_STEP=linking, printable, at most 63 bytes
    std::optional<std::uint32_t> total;   ///< X_BGT_TOTAL=5
    std::optional<LogLine> log;           ///< X_BGT_LOG=info TEXT
    std::string log_data;                 ///< X_BGT_DATA=, printable, at most 8192 bytes
    std::optional<std::string> summary;   ///< X_BGT_SUMMARY=, printable, at most 4096 bytes
    std::vector<std::string> artifacts;   ///< X_BGT_ARTIFACT=, absolute paths in UTF-8
    std::vector<Metric> metrics;          ///< X_BGT_METRIC=NAME=NUMBER
    std::uint32_t bad_fields = 0; ///< known names with values that can't be: left out, and counted
};

/// Unknown fields and other lines are passed over, as the protocol asks; of a field that comes
/// twice the last value that can be counts. nullopt: not one NAME=VALUE line in it, or a NUL.
std::optional<Notification> parse_notification(std::string_view text);

} // namespace bgt::core
