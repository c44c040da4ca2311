#include <bgt/supervise/missing_conditions.hpp>

#include <bgt/base/text.hpp>
#include <bgt/core/evidence.hpp>
#include <bgt/core/waiting.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/ports.hpp>
#include <bgt/supervise/condition_probe.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/readiness.hpp>
#include <bgt/supervise/stranger.hpp>

#include <algorithm>

namespace bgt::supervise {
namespace {

using Kind = core::Condition::Kind;
using core::Observation;

std::string instead_of_port(const std::vector<std::uint16_t>& ports, std::uint16_t wanted)
{
    std::string list;
    for (const std::uint16_t port : ports)
        list += (list.empty() ? "" : ", ") + std::to_string(port);
    const std::string own = list.empty() ? "it listens on no port" : "it listens on " + list;
    const std::string other = wanted == 0 ? std::string() : listener_words(wanted);
    return other.empty() ? own : own + "; " + other + ", not of this task, listens on that one";
}

/// Whether a line of the attempt's output fits.
bool was_printed(const store::TaskDir& task, const core::Condition& condition,
                 std::uint64_t out_from, std::uint64_t err_from, Instant until)
{
    Result<OutputMatcher> output = OutputMatcher::open(task, 0, 0);
    if (!output) return false;
    output->skip_to(out_from, err_from);
    bool met = false;
    const auto judge = [&](std::string_view line) {
        met = met ||
              condition.row->judge(condition, core::fact::Line{line}) == core::ConditionState::met;
    };
    while (!met && os::now() < until) {
        const Result<bool> more = output->scan(judge);
        if (!more || !*more) break;
    }
    return met;
}

} // namespace

std::vector<std::string> missing_conditions(const store::TaskDir& task, const store::TaskSpec& spec,
                                            const std::vector<os::ProcStat>& members,
                                            std::uint64_t out_from, std::uint64_t err_from,
                                            Duration bound)
{
    const Instant until = os::now() + bound;
    std::vector<std::string> missing, unseen;
    for (const std::string& text : spec.ready) {
        const std::string shown = fit(printable(text), core::max_line_columns / 2);
        if (text == notify_condition) {
            unseen.push_back("a message of its own (READY=1 of sd_notify, or bgt notify --ready)");
            continue;
        }
        const Result<core::Condition> condition = core::parse_condition(text, spec.cwd);
        if (!condition || condition->is_guard()) continue;
        if (condition->observes(Observation::listeners)) {
            const std::vector<std::uint16_t> ports = os::listening_ports(members);
            if (condition->row->judge(*condition, core::fact::Listening{ports}) !=
                core::ConditionState::met)
                missing.push_back(shown + ": " + instead_of_port(ports, condition->port));
        } else if (condition->observes(Observation::output)) {
            if (!was_printed(task, *condition, out_from, err_from, until))
                missing.push_back(shown + ": no such line yet");
        } else if (condition->kind() == Kind::command) {
            unseen.push_back(shown + ": it has not ended with 0");
        } else if (condition->observes(Observation::probe)) {
            core::fact::Answered answer = probe(
                *condition, std::max<Duration>(until - os::now(), std::chrono::milliseconds(50)));
            if (answer.yes) answer.text = stranger_words(*condition, members);
            answer.yes = answer.yes && answer.text.empty();
            const std::string why = answer.text.empty()
                                        ? "not there"
                                        : fit(printable(answer.text), core::max_line_columns / 2);
            if (!answer.yes) missing.push_back(shown + ": " + why);
        }
    }
    return missing.empty() ? unseen : missing;
}

} // namespace bgt::supervise
