#include "spec_policy.hpp"

#include "json_fields.hpp"
#include <bgt/core/hang_rules.hpp>

namespace bgt::store {

using namespace fields;

namespace {

core::Kind kind_of(const std::string& text)
{
    for (const auto kind : {core::Kind::job, core::Kind::service})
        if (core::to_string(kind) == text) return kind;
    bad("kind", "job or service");
}

json::value limit_or_null(const std::optional<Duration>& limit)
{
    return limit ? json::value(limit->count()) : json::value(nullptr);
}

/// A limit that is null is off; one that is not there keeps its default.
void take_limit(const json::object& from, std::string_view key, std::optional<Duration>& into)
{
    if (!from.contains(key)) return;
    into.reset();
    if (find(from, key)) take(from, key, into.emplace());
}

json::object encode_hang(const core::HangRules& hang)
{
    json::object out;
    for (const core::HangRule& rule : core::hang_rules)
        out[rule.key] = limit_or_null(hang.*rule.limit);
    out["on_hang"] = core::to_string(hang.on_hang);
    out["quiet_after_ns"] = limit_or_null(hang.quiet_after);
    out["stalled_after_ns"] = limit_or_null(hang.stalled_after);
    return out;
}

void decode_hang(const json::object& from, core::HangRules& hang)
{
    for (const core::HangRule& rule : core::hang_rules)
        take_limit(from, rule.key, hang.*rule.limit);
    take_word(from, "on_hang", core::parse_on_hang, hang.on_hang);
    take_limit(from, "quiet_after_ns", hang.quiet_after);
    take_limit(from, "stalled_after_ns", hang.stalled_after);
}

json::object encode_again(const core::RestartPolicy& again)
{
    return {{"retries", again.retries},
            {"retry_on", json::array(again.retry_on.begin(), again.retry_on.end())},
            {"restart", core::to_string(again.restart)},
            {"max_restarts", again.max_restarts},
            {"max_period_ns", again.max_period.count()},
            {"backoff_first_ns", again.backoff_min.count()},
            {"backoff_most_ns", again.backoff_max.count()},
            {"seed", again.seed}};
}

void decode_again(const json::object& from, core::RestartPolicy& again)
{
    take(from, "retries", again.retries);
    if (const auto* codes = find(from, "retry_on"))
        for (const json::value& code : as_array(*codes, "retry_on")) {
            boost::system::error_code ec;
            again.retry_on.push_back(code.to_number<int>(ec));
            if (ec) bad("retry_on", "a list of exit codes");
        }
    take_word(from, "restart", core::parse_restart, again.restart);
    take(from, "max_restarts", again.max_restarts);
    take(from, "max_period_ns", again.max_period);
    take(from, "backoff_first_ns", again.backoff_min);
    take(from, "backoff_most_ns", again.backoff_max);
    take(from, "seed", again.seed);
}

} // namespace

json::object encode_policy(const core::Policy& rules)
{
    json::array ladder;
    for (const core::StopStep& step : rules.stop_ladder)
        ladder.push_back(json::object{{"signal", step.signal}, {"wait_ns", step.wait.count()}});
    json::object out;
    out["kind"] = core::to_string(rules.kind);
    out["stop_ladder"] = std::move(ladder);
    out["timeout_ns"] = rules.timeout ? json::value(rules.timeout->count()) : json::value(nullptr);
    if (rules.kill_mode != core::KillMode::tree)
        out["kill_mode"] = core::to_string(rules.kill_mode);
    out["leftover"] = core::to_string(rules.leftover);
    out["leftover_wait_ns"] = rules.leftover_wait.count();
    out["awaits_ready"] = rules.awaits_ready;
    // Most tasks have none of these: what is not there is the default.
    if (rules.hang != core::HangRules{}) out["hang"] = encode_hang(rules.hang);
    if (rules.restart_policy != core::RestartPolicy{})
        out["again"] = encode_again(rules.restart_policy);
    return out;
}

void decode_policy(const json::object& from, core::Policy& rules)
{
    if (const auto* kind = find(from, "kind")) rules.kind = kind_of(as_text(*kind, "kind"));
    if (const auto* ladder = find(from, "stop_ladder")) {
        rules.stop_ladder.clear();
        for (const json::value& item : as_array(*ladder, "stop_ladder")) {
            core::StopStep step;
            take(as_object(item, "stop_ladder"), "signal", step.signal);
            take(item.get_object(), "wait_ns", step.wait);
            if (step.signal < 1 || step.signal > 64 || step.wait < Duration::zero())
                bad("stop_ladder", "a list of signals and times");
            rules.stop_ladder.push_back(step);
        }
    }
    if (find(from, "timeout_ns")) take(from, "timeout_ns", rules.timeout.emplace());
    if (const auto* leftover = find(from, "leftover")) {
        const auto known = core::parse_leftover(as_text(*leftover, "leftover"));
        if (!known) bad("leftover", "kill, wait or keep");
        rules.leftover = *known;
    }
    take_word(from, "kill_mode", core::parse_kill_mode, rules.kill_mode);
    take(from, "leftover_wait_ns", rules.leftover_wait);
    take(from, "awaits_ready", rules.awaits_ready);
    if (const auto* hang = find(from, "hang")) decode_hang(as_object(*hang, "hang"), rules.hang);
    if (const auto* again = find(from, "again"))
        decode_again(as_object(*again, "again"), rules.restart_policy);
}

} // namespace bgt::store
