#pragma once
/// How `scope` and `shutdown` tell what became of the tasks that they ended.
#include <bgt/base/text.hpp>
#include <bgt/ops/end_answer.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <string>

namespace bgt::cli {

inline double seconds_of(Duration time)
{
    return std::round(std::chrono::duration<double>(time).count() * 1000) / 1000;
}

/// "all 5 tasks have ended, in 2.3 s", "3 of 5 tasks have ended, in 2.3 s; 2 remain".
inline std::string end_words(const ops::EndAnswer& answer)
{
    const double seconds = std::chrono::duration<double>(answer.took).count();
    const char* tasks = answer.initial == 1 ? "task" : "tasks";
    const std::string in = fmt::format("in {:.2f} s", seconds);
    if (answer.initial == 0) return "there was no task to end";
    if (!answer.remaining.empty())
        return fmt::format("{} of {} {} ended {}; {} remain{}", answer.completed, answer.initial,
                           tasks, in, answer.remaining.size(),
                           answer.remaining.size() == 1 ? "s" : "");
    return answer.initial == 1 ? "1 task ended " + in
                               : fmt::format("all {} tasks ended {}", answer.initial, in);
}

inline void add_end(boost::json::object& out, const ops::EndAnswer& answer)
{
    out["initial_tasks"] = answer.initial;
    out["completed_tasks"] = answer.completed;
    out["remaining_tasks"] = answer.remaining.size();
    out["duration_seconds"] = seconds_of(answer.took);
}

} // namespace bgt::cli
