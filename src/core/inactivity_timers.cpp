#include "inactivity_timers.hpp"

#include "stop_ladder.hpp"

#include <algorithm>
#include <initializer_list>

namespace bgt::core {

using namespace std::chrono_literals;

namespace {

constexpr Duration shortest_pause = 250ms;
constexpr Duration longest_pause = 30s;        ///< the time over which activity is judged
constexpr Duration longest_notice_pause = 60s; ///< notices alone cost a wake-up a minute at most
constexpr Duration longest_stalled_pause = 1h;

/// Rules that need to know what the tree does look four times within their limit.
Duration pause_of(Duration limit, Duration longest)
{
    return std::clamp(limit / 4, shortest_pause, longest);
}

void earlier(std::optional<Instant>& date, Instant candidate)
{
    if (!date || candidate < *date) date = candidate;
}

/// One that has fired looks on at its pace, so that the end of the silence is seen.
void plan_rule(std::optional<Instant>& date, const std::optional<Duration>& limit, const InactivityTimer& clock, Duration pause, Instant now)
{
    if (!limit) return;
    earlier(date, saturating_add(now, pause));
    if (!clock.is_told()) earlier(date, saturating_add(clock.last, *limit));
}

void plan_notices(std::optional<Instant>& date, const Policy& spec, const HangState& hang_state, Instant now)
{
    if (spec.kind != Kind::job) return;
    const HangRules& hang = spec.hang;
    std::optional<Duration> pause;
    if (hang.quiet_after && !hang_state.quiet) pause = std::clamp(*hang.quiet_after, shortest_pause, longest_notice_pause);
    if (hang.stalled_after) {
        Duration stalled = pause_of(*hang.stalled_after, longest_notice_pause);
        // What has been still for hours is not looked at every minute: output, the common end of a silence, wakes by itself.
        if (hang_state.stalled) stalled = std::clamp<Duration>((now - hang_state.progress.last) / 2, stalled, longest_stalled_pause);
        pause = pause ? std::min(*pause, stalled) : stalled;
    }
    if (pause) earlier(date, saturating_add(now, *pause));
}

bool is_over(const InactivityTimer& clock, const std::optional<Duration>& limit, Instant now)
{
    return limit && !clock.is_told() && now >= saturating_add(clock.last, *limit);
}

void reset(InactivityTimer& clock, std::initializer_list<Instant> signs)
{
    for (const Instant sign : signs) clock.last = std::max(clock.last, sign);
}

} // namespace

void start_clocks(const Policy& spec, HangState& hang_state, Instant now)
{
    hang_state = {};
    hang_state.since = now;
    restart_clocks(spec, hang_state, now);
}

void restart_clocks(const Policy& spec, HangState& hang_state, Instant now)
{
    for (InactivityTimer* clock : {&hang_state.output, &hang_state.progress, &hang_state.idle, &hang_state.heartbeat}) *clock = InactivityTimer{now, std::nullopt};
    hang_state.next_sample = plan_sample(spec, hang_state, now);
}

bool is_starved(const Policy& spec, const HangState& hang_state, Instant now)
{
    if (!hang_state.next_sample) return false;
    Duration slack = longest_notice_pause;
    for (const auto& limit : {spec.hang.output, spec.hang.progress, spec.hang.idle, hang_state.watchdog})
        if (limit) slack = std::min(slack, *limit / 4);
    return now > saturating_add(*hang_state.next_sample, std::max<Duration>(slack, 1s));
}

std::optional<Instant> plan_sample(const Policy& spec, const HangState& hang_state, Instant now)
{
    const HangRules& hang = spec.hang;
    std::optional<Instant> date;
    // Output is known without looking at the tree: only the date itself matters.
    if (hang.output && !hang_state.output.is_told()) earlier(date, saturating_add(hang_state.output.last, *hang.output));
    if (hang.progress) plan_rule(date, hang.progress, hang_state.progress, pause_of(*hang.progress, longest_pause), now);
    if (hang.idle) plan_rule(date, hang.idle, hang_state.idle, pause_of(*hang.idle, longest_pause), now);
    if (hang_state.watchdog && !hang_state.heartbeat.is_told()) earlier(date, saturating_add(hang_state.heartbeat.last, *hang_state.watchdog));
    plan_notices(date, spec, hang_state, now);
    // Where a rule is over and may not fire yet.
    if (date && now < hang_state.not_before) date = std::max(*date, std::min(hang_state.not_before, saturating_add(now, longest_pause)));
    return date;
}

std::optional<Instant> ready_at_latest(const Policy& spec, const HangState& hang_state)
{
    if (!spec.awaits_ready || !spec.hang.ready || hang_state.ready || hang_state.never_ready) return std::nullopt;
    return std::max(saturating_add(hang_state.since, *spec.hang.ready), hang_state.not_before);
}

void take_liveness(HangState& hang_state, const Liveness& liveness, Instant now)
{
    const Instant busy = liveness.activity == Activity::busy ? now : Instant{};
    reset(hang_state.output, {liveness.output});
    reset(hang_state.progress, {liveness.text, liveness.beat, busy});
    reset(hang_state.idle, {liveness.beat, busy});
    reset(hang_state.heartbeat, {liveness.beat});
    hang_state.activity = liveness.activity;
}

std::optional<Reason> fired_rule(const Policy& spec, HangState& hang_state, Instant now)
{
    if (now < hang_state.not_before) return std::nullopt;
    struct Rule {
        InactivityTimer* clock;
        std::optional<Duration> limit;
        Reason reason;
    };
    const Rule rules[] = {{&hang_state.output, spec.hang.output, Reason::output_timeout},
                          {&hang_state.progress, spec.hang.progress, Reason::progress_timeout},
                          {&hang_state.idle, spec.hang.idle, Reason::idle_timeout},
                          {&hang_state.heartbeat, hang_state.watchdog, Reason::progress_timeout}};
    const Rule* first = nullptr;
    for (const Rule& rule : rules) {
        if (!is_over(*rule.clock, rule.limit, now)) continue;
        if (!first || saturating_add(rule.clock->last, *rule.limit) < saturating_add(first->clock->last, *first->limit)) first = &rule;
    }
    if (!first) return std::nullopt;
    first->clock->told = first->clock->last;
    return first->reason;
}

std::vector<std::string_view> update_notices(const Policy& spec, HangState& hang_state, Instant now)
{
    std::vector<std::string_view> changes;
    const auto set = [&](bool& notice, bool holds, std::string_view name) {
        if (holds && !notice) changes.push_back(name);
        const bool ended = notice && !holds;
        notice = holds;
        return ended;
    };
    const bool is_job = spec.kind == Kind::job;
    const auto silent = [&](const InactivityTimer& clock, const std::optional<Duration>& limit) {
        return is_job && limit && now >= saturating_add(clock.last, *limit);
    };
    // `stalled` also says that a rule has fired that only reports.
    const bool stalled = silent(hang_state.progress, spec.hang.stalled_after) || hang_state.progress.is_told() || hang_state.idle.is_told() ||
                         hang_state.output.is_told() || hang_state.heartbeat.is_told();
    bool ended = set(hang_state.quiet, silent(hang_state.output, spec.hang.quiet_after), "quiet");
    ended |= set(hang_state.stalled, stalled, "stalled");
    ended |= set(hang_state.waiting_input, hang_state.activity == Activity::waiting_input, "waiting-input");
    if (ended && !hang_state.quiet && !hang_state.stalled && !hang_state.waiting_input) changes.push_back("moving");
    return changes;
}

} // namespace bgt::core
