#pragma once
/// What a task says of itself to its supervisor (sd_notify messages).
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/notify.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace bgt::ops {

struct NotifyRequest {
    bool ready = false;
    bool stopping = false;
    bool beat = false; ///< a sign of life
    std::optional<std::string>
        status;                      ///< what it does just now; made printable, for it is one line
    std::optional<std::string> step; ///< the name of the step it is at
    std::optional<double> progress;  ///< 0 to 1
    std::optional<std::uint32_t> total_steps;
    std::optional<Duration> extend;   ///< it needs so much more to become ready or to end
    std::optional<Duration> watchdog; ///< no beat for so long means that it hangs; zero: no longer
    std::optional<std::int32_t> pid;  ///< the main process of the task
    std::optional<core::LogLine> log; ///< for the execution log; the text is made printable
    std::string log_data;             ///< JSON; with `log`
    std::optional<std::string> summary; ///< of its result; made printable
    std::vector<std::string> artifacts; ///< absolute paths
    std::vector<core::Metric> metrics;
    std::string socket; ///< where to; empty: where the environment of this process says
};

/// Waits up to 5 s for room in the queue of the supervisor. Error (usage): nothing to say, too
/// long, not inside a task.
Result<void> notify(const NotifyRequest&);

} // namespace bgt::ops
