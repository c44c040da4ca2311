#include <bgt/core/task.hpp>

#include <bgt/core/hang_rules.hpp>

#include <bgt/base/signal_name.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

namespace bgt::core {

namespace {

constexpr std::size_t max_rungs = 8;

/// The enumerator of this name, out of a list of all.
template <class Enum, std::size_t N>
std::optional<Enum> by_name(const std::array<Enum, N>& all, std::string_view name)
{
    const auto found =
        std::find_if(all.begin(), all.end(), [&](Enum e) { return to_string(e) == name; });
    if (found == all.end()) return std::nullopt;
    return *found;
}

Result<StopStep> parse_rung(std::string_view text, Duration grace)
{
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    if (name.empty())
        return Error::usage("stop signals: an empty step; write e.g. `QUIT:2s,TERM:5s`");
    auto signal = parse_signal(name);
    if (!signal) return signal.error();
    if (*signal == SIGKILL)
        return Error::usage("stop signals: KILL always comes last and is not written");
    if (*signal == SIGSTOP)
        return Error::usage("stop signals: STOP ends nothing; KILL follows by itself");
    if (colon == std::string_view::npos)
        return StopStep{*signal, std::max(grace, Duration::zero())};
    auto wait = parse_duration(text.substr(colon + 1));
    if (!wait) return wait.error();
    return StopStep{*signal, *wait};
}

} // namespace

std::string_view to_string(Lifecycle value)
{
    switch (value) {
    case Lifecycle::starting: return "starting";
    case Lifecycle::running: return "running";
    case Lifecycle::stopping: return "stopping";
    case Lifecycle::ended: return "ended";
    case Lifecycle::queued: return "queued";
    case Lifecycle::backing_off: return "backing-off";
    }
    return "unknown"; // a number that a newer bgt wrote
}

std::string_view to_string(OutcomeKind value)
{
    switch (value) {
    case OutcomeKind::none: return "none";
    case OutcomeKind::exited: return "exited";
    case OutcomeKind::signaled: return "signaled";
    case OutcomeKind::failed_to_start: return "failed-to-start";
    case OutcomeKind::lost: return "lost";
    case OutcomeKind::not_started: return "not-started";
    }
    return "unknown";
}

std::string_view to_string(Reason value)
{
    switch (value) {
    case Reason::self: return "self";
    case Reason::killed: return "killed";
    case Reason::timeout: return "timeout";
    case Reason::output_timeout: return "output-timeout";
    case Reason::progress_timeout: return "progress-timeout";
    case Reason::idle_timeout: return "idle-timeout";
    case Reason::ready_timeout: return "ready-timeout";
    case Reason::owner_gone: return "owner-gone";
    case Reason::shutdown: return "shutdown";
    case Reason::cpu_limit: return "cpu-limit";
    case Reason::dependency_failed: return "dependency-failed";
    case Reason::cancelled: return "cancelled";
    case Reason::expired: return "expired";
    case Reason::superseded: return "superseded";
    }
    return "unknown";
}

std::string_view to_string(Kind value)
{
    switch (value) {
    case Kind::job: return "job";
    case Kind::service: return "service";
    }
    return "unknown";
}

std::string_view to_string(Leftover value)
{
    switch (value) {
    case Leftover::kill: return "kill";
    case Leftover::wait: return "wait";
    case Leftover::keep: return "keep";
    }
    return "unknown";
}

std::optional<Leftover> parse_leftover(std::string_view name)
{
    return by_name(std::array{Leftover::kill, Leftover::wait, Leftover::keep}, name);
}

std::string_view to_string(KillMode value)
{
    switch (value) {
    case KillMode::tree: return "tree";
    case KillMode::mixed: return "mixed";
    }
    return "unknown";
}

std::optional<KillMode> parse_kill_mode(std::string_view name)
{
    return by_name(std::array{KillMode::tree, KillMode::mixed}, name);
}

std::optional<Lifecycle> parse_lifecycle(std::string_view name)
{
    return by_name(lifecycles, name);
}

Result<std::vector<StopStep>> parse_stop_signals(std::string_view text, Duration grace)
{
    std::vector<StopStep> ladder;
    for (;;) {
        const auto comma = text.find(',');
        auto rung = parse_rung(text.substr(0, comma), grace);
        if (!rung) return rung.error();
        if (ladder.size() == max_rungs)
            return Error::usage(fmt::format("stop signals: more than {} steps", max_rungs));
        ladder.push_back(*rung);
        if (comma == std::string_view::npos) return ladder;
        text.remove_prefix(comma + 1);
    }
}

std::string format_stop_signals(const std::vector<StopStep>& ladder)
{
    std::string text;
    for (const StopStep& step : ladder) {
        if (!text.empty()) text += ',';
        text += signal_name(step.signal).substr(3); // without "SIG"
        text += ':';
        text += format_duration(step.wait);
    }
    return text;
}

int exit_code(const Outcome& outcome)
{
    switch (outcome.kind) {
    case OutcomeKind::none: return 125;
    case OutcomeKind::failed_to_start: return outcome.code == 127 ? 127 : 126;
    case OutcomeKind::lost: return 122;
    case OutcomeKind::not_started: return 121;
    case OutcomeKind::exited:
    case OutcomeKind::signaled: break;
    }
    if (outcome.reason == Reason::timeout) return 123;
    if (const HangRule* rule = find_hang_rule(outcome.reason))
        return rule->at_limit == AtLimit::end ? 123 : 120;
    return (outcome.kind == OutcomeKind::exited ? outcome.code : 128 + outcome.signal) & 0xff;
}

} // namespace bgt::core
