#pragma once
/// The text of a message by the sd_notify protocol (man 3 sd_notify): NAME=VALUE lines.
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::core {

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
    std::uint32_t bad_fields = 0; ///< known names with values that can't be: left out, and counted
};

/// Unknown fields and other lines are passed over, as the protocol asks; of a field that comes
/// twice the last value that can be counts. nullopt: not one NAME=VALUE line in it, or a NUL.
std::optional<Notification> parse_notification(std::string_view text);

} // namespace bgt::core
