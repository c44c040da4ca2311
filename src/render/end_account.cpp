#include <bgt/render/end_account.hpp>

#include "wrap.hpp"
#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/core/hang_rules.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace bgt::render {

namespace {

using core::OutcomeKind;
using core::Reason;

constexpr int sigkill = 9;
constexpr std::size_t output_lines = 10;
constexpr std::size_t output_indent = 2;

std::string ago(const std::optional<WallTime>& at, const Moment& now)
{
    return at ? " " + format_age(std::max<Duration>(now.wall - *at, Duration::zero())) + " ago"
              : std::string();
}

bool is_crash(int signal)
{
    constexpr int crashes[] = {
        3, 4, 5, 6, 7, 8, 11, 31}; // QUIT ILL TRAP ABRT BUS FPE SEGV SYS: man 7 signal, "Core"
    return std::ranges::find(crashes, signal) != std::end(crashes);
}

std::string oom_words(const ops::EndAccount& end)
{
    return fmt::format("the kernel ended {} {} of {} for lack of memory while it ran",
                       *end.oom_kills, *end.oom_kills == 1 ? "process" : "processes",
                       end.oom_of_machine ? "this machine" : "its cgroup");
}

bool ran_out_of_memory(const ops::EndAccount& end)
{
    return end.oom_kills.value_or(0) > 0;
}

std::string signal_cause(const ops::EndAccount& end, int signal)
{
    const std::string name = signal_name(signal);
    if (signal == sigkill) {
        const std::string text = "killed by SIGKILL that bgt did not send: ";
        if (!end.oom_kills) return text + "out of memory?";
        if (*end.oom_kills == 0)
            return text +
                   "somebody else did; the kernel counted no process ended for lack of memory";
        return text + "out of memory; " + oom_words(end);
    }
    if (is_crash(signal)) return "it crashed by " + name;
    return "killed by " + name + " that bgt did not send";
}

std::string code_cause(int code, bool by_shell)
{
    if (code == 0) return "it ended by itself, without an error";
    std::string text = "it ended by itself with an error";
    if (!by_shell) return text;
    if (code == 126) return text + ": 126 is a shell's code for a command that can't be executed";
    if (code == 127) return text + ": 127 is a shell's code for a command that was not found";
    if (code > 128 && code <= 128 + 64)
        return text + fmt::format(": {} is a shell's code for a command that died of {}", code,
                                  signal_name(code - 128));
    return text;
}

std::string with(std::string text, const std::string& detail)
{
    return detail.empty() ? text : text + ": " + printable(detail);
}

std::string own_cause(const ops::EndAccount& end)
{
    const core::Outcome& outcome = end.task.status.outcome;
    switch (outcome.kind) {
    case OutcomeKind::exited:
        return code_cause(outcome.code, end.task.spec && end.task.spec->shell);
    case OutcomeKind::signaled: return signal_cause(end, outcome.signal);
    case OutcomeKind::failed_to_start: return with("the command could not be executed", end.detail);
    case OutcomeKind::lost: return with("nobody saw how it ended", end.detail);
    case OutcomeKind::not_started: return with("it was never started", end.detail);
    case OutcomeKind::none: break;
    }
    return {};
}

std::string request_cause(Reason reason)
{
    switch (reason) {
    case Reason::killed: return "somebody asked for it (bgt kill, or run --replace)";
    case Reason::owner_gone: return "its --owner or its scope ended";
    case Reason::shutdown:
        return "bgt shutdown ended it, or its supervisor was told to shut down: the machine, or "
               "the task around it, went down";
    case Reason::dependency_failed:
        return "it was never started: a task that it waited for did not end as it had to (--after)";
    case Reason::cancelled: return "it was never started: it was taken out of its queue";
    case Reason::expired: return "it was never started: it waited for longer than --expire";
    case Reason::superseded:
        return "it was never started: a later one with the same --key took its place";
    case Reason::self:
    case Reason::timeout:
    case Reason::cpu_limit:
    case Reason::output_timeout:
    case Reason::progress_timeout:
    case Reason::idle_timeout:
    case Reason::ready_timeout: break;
    }
    return {};
}

} // namespace

bool hung(const ops::EndAccount& end)
{
    return core::is_hang(end.task.status.outcome.reason);
}

std::string end_sentence(const ops::EndAccount& end, const Moment& now)
{
    const store::Status& status = end.task.status;
    const std::string name = ops::label(end.task.id, status);
    if (status.lifecycle == core::Lifecycle::backing_off && !status.next_attempt)
        return fmt::format("{} waits for a change of its files; attempt {} ended ({}){}", name,
                           status.attempt - 1, core::end_words(status.outcome),
                           ago(end.attempt_ended, now));
    if (status.lifecycle == core::Lifecycle::backing_off) {
        const Duration wait =
            std::max<Duration>(status.next_attempt.value_or(now.wall) - now.wall, Duration::zero());
        return fmt::format("{} waits {} for attempt {}; attempt {} ended ({}){}", name,
                           format_age(wait), status.attempt, status.attempt - 1,
                           core::end_words(status.outcome), ago(end.attempt_ended, now));
    }
    const auto took = run_time(status, now);
    std::string text = fmt::format("{} ended ({}){}", name, core::end_words(status.outcome),
                                   ago(status.ended, now));
    if (took) text += ", after " + format_age(*took);
    if (status.attempt > 1) text += fmt::format(", in attempt {}", status.attempt);
    return text;
}

std::string end_cause(const ops::EndAccount& end)
{
    const core::Outcome& outcome = end.task.status.outcome;
    std::string text = request_cause(outcome.reason);
    if (text.empty() && outcome.reason != Reason::self) {
        const std::string limit = ops::limit_in_words(
            outcome.reason, end.task.spec ? end.task.spec->policy : core::Policy{});
        text = fmt::format("bgt ended it: {} (--{})", limit, core::to_string(outcome.reason));
    }
    if (text.empty()) text = own_cause(end);
    const bool told = outcome.reason == Reason::self && outcome.kind == OutcomeKind::signaled &&
                      outcome.signal == sigkill;
    if (ran_out_of_memory(end) && !told) text += "; " + oom_words(end);
    if (const std::uint32_t killed = outcome.leftover_killed; killed != 0)
        text += fmt::format("; it left {} {} behind, which bgt ended", killed,
                            killed == 1 ? "process" : "processes");
    for (const std::string& missing : end.not_ready)
        text += "; it was never ready: " + printable(missing);
    if (end.given_up) text += "; it was restarted too often (--max-restarts)";
    return text;
}

std::string end_next(const ops::EndAccount& end)
{
    const store::Status& status = end.task.status;
    const std::string id = store::to_string(end.task.id);
    if (status.lifecycle == core::Lifecycle::backing_off)
        return fmt::format("bgt logs {}   (bgt kill {} ends the attempts)", id, id);
    if (ops::exit_code(status) == 0) return "bgt logs " + id;
    if (status.outcome.kind == OutcomeKind::failed_to_start ||
        status.outcome.kind == OutcomeKind::not_started)
        return "bgt retry " + id;
    if (ran_out_of_memory(end))
        return fmt::format("bgt retry {}   (where there is more memory)", id);
    return fmt::format("bgt logs {}   (bgt retry {} runs it again)", id, id);
}

std::string end_text(const ops::EndAccount& end, const Moment& now, const ReportStyle& style)
{
    const std::size_t width = std::max<std::size_t>(style.width, 20);
    std::string text;
    const auto add = [&](const std::string& paragraph, std::size_t indent, bool colored_line) {
        for (const std::string& line : wrapped(printable(paragraph), width, indent))
            text += (colored_line && style.color ? colored(line, Tone::bad) : line) + "\n";
    };
    const bool failed = ops::is_over(end.task.status) && ops::exit_code(end.task.status) != 0;
    add(end_sentence(end, now), 2, failed);
    add("because   " + end_cause(end), 10, false);
    add("next: " + end_next(end), 6, false);
    if (end.output.empty()) return text + "output    none\n";
    text += "output\n";
    const std::size_t count = std::min(end.output.size(), output_lines);
    for (auto line = end.output.end() - static_cast<std::ptrdiff_t>(count);
         line != end.output.end(); ++line)
        text +=
            std::string(output_indent, ' ') + fit(printable(*line), width - output_indent) + "\n";
    return text;
}

std::string port_words(const ops::PortHolder& holder)
{
    if (holder.pid == 0)
        return fmt::format("port {} was in use; nobody that can be seen listens on it now",
                           holder.port);
    const std::string who = fmt::format("port {} is in use by pid {} ({})", holder.port, holder.pid,
                                        fit(holder.command, 60));
    return holder.task ? fmt::format("{}, of task {}: bgt kill {}", who, holder.task->value,
                                     holder.task->value)
                       : who;
}

boost::json::object port_json(store::TaskId complaining, const ops::PortHolder& holder)
{
    boost::json::object out{{"id", complaining.value},
                            {"port", holder.port},
                            {"pid", nullptr},
                            {"command", nullptr},
                            {"task", nullptr}};
    if (holder.pid != 0) {
        out["pid"] = holder.pid;
        out["command"] = to_valid_utf8(holder.command);
    }
    if (holder.task) out["task"] = holder.task->value;
    return out;
}

boost::json::object end_json(const ops::EndAccount& end, const Moment& now)
{
    boost::json::array output;
    for (const std::string& line : end.output) output.emplace_back(to_valid_utf8(line));
    return {{"task", task_json(end.task, now)},
            {"sentence", to_valid_utf8(end_sentence(end, now))},
            {"cause", to_valid_utf8(end_cause(end))},
            {"next", to_valid_utf8(end_next(end))},
            {"oom_kills",
             end.oom_kills ? boost::json::value(*end.oom_kills) : boost::json::value(nullptr)},
            {"output", std::move(output)}};
}

} // namespace bgt::render
