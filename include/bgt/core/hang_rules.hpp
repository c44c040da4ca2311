#pragma once
/// The limits of a task on silence and on CPU time, one row each. What is planned and checked
/// (inactivity_timers), the options of `bgt run`, --explain, `bgt show`, reports and exit codes
/// follow from the rows. To add a rule: a member of HangRules, a Reason, a row, and its clock if it
/// needs a new one.
#include <array>
#include <bgt/core/task.hpp>
#include <string_view>

namespace bgt::core {

/// What a limit is compared with.
enum class HangClock : std::uint8_t {
    output,   ///< time since the last byte of output
    progress, ///< time since the last new text, work or heartbeat
    idle,     ///< time since the last work or heartbeat
    attempt,  ///< time since the start of the attempt, until it is ready
    cpu,      ///< CPU time that the tree has used in all attempts
};

/// What happens when a limit passes.
enum class AtLimit : std::uint8_t {
    on_hang, ///< the task hangs: as HangRules::on_hang says; exit code 120
    end,     ///< the task ends, and is not started again; exit code 123
};

struct HangRule {
    Reason reason;
    std::optional<Duration> HangRules::*limit;
    HangClock clock;
    AtLimit at_limit;
    const char* option;           ///< of `bgt run`: "--" and the name of the reason
    const char* help;             ///< of that option
    std::string_view key;         ///< in spec.json
    std::string_view short_words; ///< in the STATE column, of a task that ended by it
    std::string_view words;       ///< the same in a sentence
};

inline constexpr std::array<HangRule, 5> hang_rules{{
    {Reason::cpu_limit, &HangRules::cpu, HangClock::cpu, AtLimit::end, "--cpu-limit",
     "end it once its processes have used D of CPU time in all (default off)", "cpu_ns",
     "cpu limit", "its --cpu-limit passed"},
    {Reason::output_timeout, &HangRules::output, HangClock::output, AtLimit::on_hang,
     "--output-timeout", "it hangs if it has printed nothing for D", "output_ns", "hung",
     "no output for too long"},
    {Reason::progress_timeout, &HangRules::progress, HangClock::progress, AtLimit::on_hang,
     "--progress-timeout",
     "it hangs if for D it has printed no new text, was not busy and sent no heartbeat",
     "progress_ns", "hung", "no progress for too long"},
    {Reason::idle_timeout, &HangRules::idle, HangClock::idle, AtLimit::on_hang, "--idle-timeout",
     "it hangs if it was not busy and sent no heartbeat for D", "idle_ns", "hung",
     "idle for too long"},
    {Reason::ready_timeout, &HangRules::ready, HangClock::attempt, AtLimit::on_hang,
     "--ready-timeout", "it hangs if it is not ready D after its start", "ready_ns", "not ready",
     "not ready in time"},
}};

/// The row of this reason; nullptr: it is no limit of this table.
constexpr const HangRule* find_hang_rule(Reason reason)
{
    for (const HangRule& rule : hang_rules)
        if (rule.reason == reason) return &rule;
    return nullptr;
}

/// Whether an attempt that ended for this reason hung.
constexpr bool is_hang(Reason reason)
{
    const HangRule* rule = find_hang_rule(reason);
    return rule != nullptr && rule->at_limit == AtLimit::on_hang;
}

} // namespace bgt::core
