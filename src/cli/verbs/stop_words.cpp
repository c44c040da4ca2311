#include "stop_words.hpp"

#include "answer.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/core/end_words.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

/// "ended 5 processes in 0.12 s (4 by SIGTERM, 1 by SIGKILL)"
std::string ended_words(const store::Status& status, Duration took)
{
    std::uint32_t total = 0;
    std::string steps;
    for (const auto& row : status.tally) {
        total += row.ended;
        if (row.ended > 0)
            steps += fmt::format("{}{} by {}", steps.empty() ? "" : ", ", row.ended,
                                 signal_name(row.signal));
    }
    const double seconds = std::chrono::duration<double>(took).count();
    return fmt::format("ended {} in {:.2f} s{}", counted(total, "process", "processes"), seconds,
                       steps.empty() ? "" : " (" + steps + ")");
}

/// "7 web: 2 processes, SIGKILL in 3s"
std::string waiting_words(const ops::StopWait& now)
{
    std::string text = now.label + ": " + counted(now.processes.size(), "process", "processes");
    const auto left = std::chrono::ceil<std::chrono::seconds>(now.kill_after - now.elapsed);
    if (left > Duration::zero()) text += fmt::format(", SIGKILL in {} s", left.count());
    else
        text += fmt::format(", for {} s after the stop began",
                            std::chrono::floor<std::chrono::seconds>(now.elapsed).count());
    if (now.elapsed < std::chrono::seconds(2) || now.processes.empty()) return text;
    const auto blocked =
        std::ranges::find_if(now.processes, [](const auto& p) { return !p.why.empty(); });
    return text + " · " +
           to_string(blocked != now.processes.end() ? *blocked : now.processes.front());
}

} // namespace

StopWords stop_words(const ops::Stopped& stopped)
{
    switch (stopped.end) {
    case ops::Stopped::End::ended: return {ended_words(stopped.task.status, stopped.took)};
    case ops::Stopped::End::had_ended:
        return {"had already " + core::ended_words(stopped.before.outcome)};
    case ops::Stopped::End::unrecorded:
        return {fmt::format("its record is damaged; ended {} that carried its cookie (bgt rm {} "
                            "removes what is left of it)",
                            counted(stopped.without_record, "process", "processes"),
                            to_string(stopped.task.id))};
    case ops::Stopped::End::removed: return {"ended, and was removed"};
    case ops::Stopped::End::cancelled: return {"cancelled while it waited"};
    case ops::Stopped::End::survived:
        return {ops::survivor_words(stopped.task.status.survivors), code::failed};
    case ops::Stopped::End::timed_out:
        return {"has not ended yet; the stop continues", code::wait_timeout};
    }
    return {};
}

StopDisplay::StopDisplay(Context& context) : context_(context), live_(shows_live_line(context)) {}

void StopDisplay::show(const ops::StopWait& now)
{
    if (live_) line_.draw(fit(waiting_words(now), LiveLine::columns()));
    // What may never end must not be waited for without a word, wherever stderr goes.
    if (now.elapsed < std::chrono::seconds(2) || now.elapsed < now.kill_after) return;
    for (const auto& process : now.processes)
        if (!process.why.empty() && told_of_.insert(to_string(process)).second) {
            line_.clear();
            context_.complain(now.label + ": waits for " + to_string(process));
        }
}

} // namespace bgt::cli
