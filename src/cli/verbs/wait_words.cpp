#include "wait_words.hpp"

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <bgt/render/progress_bar.hpp>

#include <algorithm>
#include <csignal>

namespace bgt::cli {
namespace {

using End = ops::WaitAnswer::End;
using Cause = core::WaitVerdict::Cause;

std::string short_label(const ops::Snapshot& task)
{
    return task.status.name.empty() ? to_string(task.id) : printable(task.status.name);
}

std::string label(const ops::Snapshot& task)
{
    return task.status.name.empty() ? to_string(task.id)
                                    : to_string(task.id) + " " + short_label(task);
}

/// "http://localhost/ answered (last try: answered 404)",
/// "it was ready (http:localhost:3000: answered 404)"
std::string before(const core::Condition& condition, const ops::WaitAnswer& answer)
{
    constexpr std::size_t max_shown = 120;
    std::string missing;
    for (const std::string& one : answer.not_ready) missing += (missing.empty() ? "" : "; ") + one;
    if (!answer.last_answer.empty()) missing = "last try: " + answer.last_answer;
    return condition.before +
           (missing.empty() ? "" : " (" + fit(printable(missing), max_shown) + ")");
}

std::string impossible_message(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    const core::WaitVerdict& verdict = answer.verdict;
    const ops::Snapshot& task = answer.tasks[verdict.task];
    const core::Condition& condition = request.conditions[verdict.condition];
    const std::string id = to_string(task.id);
    switch (verdict.cause) {
    case Cause::guard: return label(task) + ": " + condition.before + " (log-fail)";
    case Cause::no_readiness:
        return label(task) +
               " was started without a condition of readiness (bgt run --ready-log, ...)";
    case Cause::never_ready:
        return label(task) + " can no longer become ready: bgt show " + id + " says why";
    case Cause::stalled: return label(task) + " is stalled: bgt why " + id + " says more";
    case Cause::crash_loop:
        return label(task) + " ends again and again (attempt " +
               std::to_string(task.status.attempt) + "): bgt why " + id + " says more";
    case Cause::waiting_input:
        return label(task) + " waits for input: bgt why " + id + " says more";
    case Cause::ended:
    case Cause::none: break;
    }
    const std::string ended = label(task) + " " + core::ended_words(task.status.outcome);
    return condition.is_exit() ? ended + ": exit=0 can no longer be met"
                               : ended + " before " + before(condition, answer);
}

std::string timeout_message(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    const ops::Snapshot& task = answer.tasks[answer.verdict.task];
    const core::Condition& condition = request.conditions[answer.verdict.condition];
    std::string text = format_duration(*request.timeout) + " passed";
    if (!condition.is_exit()) text += " before " + before(condition, answer);
    text += ": " + label(task);
    text +=
        ops::is_over(task.status) // its log is still being read
            ? " " + core::ended_words(task.status.outcome)
            : " is still " + std::string(core::to_string(task.status.lifecycle)) + ", untouched";
    if (task.supervisor_stopped) text += "; " + ops::stopped_words(task);
    if (answer.open_tasks > 1) text += ", and " + std::to_string(answer.open_tasks - 1) + " more";
    return text;
}

int met_code(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    const auto code_of = [](const ops::Snapshot& task) { return ops::exit_code(task.status); };
    if (request.rules.any) {
        const bool by_exit = request.conditions[answer.verdict.condition].is_exit();
        return by_exit ? code_of(answer.tasks[answer.verdict.task]) : code::ok;
    }
    if (std::ranges::none_of(request.conditions, &core::Condition::is_exit)) return code::ok;
    const auto failed = std::ranges::find_if(
        answer.tasks, [&](const auto& task) { return code_of(task) != code::ok; });
    return failed == answer.tasks.end() ? code::ok : code_of(*failed);
}

} // namespace

int wait_code(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    switch (answer.end) {
    case End::met: return met_code(request, answer);
    case End::impossible: return code::cannot_be_met;
    case End::timed_out: return code::wait_timeout;
    case End::cancelled: break;
    }
    return 128 + SIGINT;
}

std::string wait_message(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    switch (answer.end) {
    case End::impossible: return impossible_message(request, answer);
    case End::timed_out: return timeout_message(request, answer);
    case End::met:
    case End::cancelled: break;
    }
    return {};
}

std::string wait_summary(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    const core::Condition& condition = request.conditions[answer.verdict.condition];
    const ops::Snapshot& task = answer.tasks[answer.verdict.task];
    if (answer.tasks.size() > 1 && !request.rules.any) {
        const std::string all = "all " + std::to_string(answer.tasks.size()) + " tasks ";
        return all + (condition.is_exit() ? "ended" : "meet the conditions");
    }
    return condition.is_exit() ? label(task) + " " + core::ended_words(task.status.outcome)
                               : label(task) + ": " + condition.before;
}

std::string wait_reason(const ops::WaitRequest& request, const ops::WaitAnswer& answer)
{
    if (answer.end == End::cancelled) return "it was given up, by a signal";
    const std::string message = wait_message(request, answer);
    return message.empty() ? wait_summary(request, answer) : message;
}

/// "web running 12s | last line", "3 of 10 ended, 12s | web: last line", with a bar before the last
/// line where there is progress.
std::string live_text(const ops::WaitProgress& progress, std::size_t columns)
{
    const store::Status& status = progress.first.status;
    render::ProgressLine line;
    if (progress.tasks == 1) {
        line.head = label(progress.first) + " " + std::string(core::to_string(status.lifecycle)) +
                    " " + format_age(progress.age);
    } else {
        line.head = std::to_string(progress.over) + " of " + std::to_string(progress.tasks) +
                    " ended, " + format_age(progress.waited);
    }
    if (progress.first.supervisor_stopped) line.head += " (its supervisor is stopped)";
    line.fraction = status.progress;
    line.left = progress.left;
    line.tail = !status.step.empty() ? printable(status.step) : last_line(progress.first.log_tail);
    if (progress.tasks > 1 && !line.tail.empty())
        line.tail.insert(0, short_label(progress.first) + ": ");
    return render::progress_line(line, columns);
}

} // namespace bgt::cli
