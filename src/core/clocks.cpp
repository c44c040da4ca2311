#include "clocks.hpp"

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
void plan_rule(std::optional<Instant>& date, const std::optional<Duration>& limit, const Clock& clock, Duration pause, Instant now)
{
    if (!limit) return;
    earlier(date, later(now, pause));
    if (!clock.is_told()) earlier(date, later(clock.last, *limit));
}

void plan_notices(std::optional<Instant>& date, const Spec& spec, const Watch& watch, Instant now)
{
    if (spec.kind != Kind::job) return;
    const HangRules& hang = spec.hang;
    std::optional<Duration> pause;
    if (hang.quiet_after && !watch.quiet) pause = std::clamp(*hang.quiet_after, shortest_pause, longest_notice_pause);
    if (hang.stalled_after) {
        Duration stalled = pause_of(*hang.stalled_after, longest_notice_pause);
        // What has been still for hours is not looked at every minute: output, the common end of a silence, wakes by itself.
        if (watch.stalled) stalled = std::clamp<Duration>((now - watch.progress.last) / 2, stalled, longest_stalled_pause);
        pause = pause ? std::min(*pause, stalled) : stalled;
    }
    if (pause) earlier(date, later(now, *pause));
}

bool is_over(const Clock& clock, const std::optional<Duration>& limit, Instant now)
{
    return limit && !clock.is_told() && now >= later(clock.last, *limit);
}

void reset(Clock& clock, std::initializer_list<Instant> signs)
{
    for (const Instant sign : signs) clock.last = std::max(clock.last, sign);
}

} // namespace

void start_clocks(const Spec& spec, Watch& watch, Instant now)
{
    watch = {};
    watch.since = now;
    restart_clocks(spec, watch, now);
}

void restart_clocks(const Spec& spec, Watch& watch, Instant now)
{
    for (Clock* clock : {&watch.output, &watch.progress, &watch.idle, &watch.heartbeat}) *clock = Clock{now, std::nullopt};
    watch.next_look = plan_look(spec, watch, now);
}

bool is_starved(const Spec& spec, const Watch& watch, Instant now)
{
    if (!watch.next_look) return false;
    Duration slack = longest_notice_pause;
    for (const auto& limit : {spec.hang.output, spec.hang.progress, spec.hang.idle, watch.watchdog})
        if (limit) slack = std::min(slack, *limit / 4);
    return now > later(*watch.next_look, std::max<Duration>(slack, 1s));
}

std::optional<Instant> plan_look(const Spec& spec, const Watch& watch, Instant now)
{
    const HangRules& hang = spec.hang;
    std::optional<Instant> date;
    // Output is known without looking at the tree: only the date itself matters.
    if (hang.output && !watch.output.is_told()) earlier(date, later(watch.output.last, *hang.output));
    if (hang.progress) plan_rule(date, hang.progress, watch.progress, pause_of(*hang.progress, longest_pause), now);
    if (hang.idle) plan_rule(date, hang.idle, watch.idle, pause_of(*hang.idle, longest_pause), now);
    if (watch.watchdog && !watch.heartbeat.is_told()) earlier(date, later(watch.heartbeat.last, *watch.watchdog));
    plan_notices(date, spec, watch, now);
    // Where a rule is over and may not fire yet.
    if (date && now < watch.not_before) date = std::max(*date, std::min(watch.not_before, later(now, longest_pause)));
    return date;
}

std::optional<Instant> ready_at_latest(const Spec& spec, const Watch& watch)
{
    if (!spec.awaits_ready || !spec.hang.ready || watch.ready || watch.never_ready) return std::nullopt;
    return std::max(later(watch.since, *spec.hang.ready), watch.not_before);
}

void take_vitals(Watch& watch, const Vitals& vitals, Instant now)
{
    const Instant busy = vitals.activity == Activity::busy ? now : Instant{};
    reset(watch.output, {vitals.output});
    reset(watch.progress, {vitals.text, vitals.beat, busy});
    reset(watch.idle, {vitals.beat, busy});
    reset(watch.heartbeat, {vitals.beat});
    watch.activity = vitals.activity;
}

std::optional<Reason> fired_rule(const Spec& spec, Watch& watch, Instant now)
{
    if (now < watch.not_before) return std::nullopt;
    struct Rule {
        Clock* clock;
        std::optional<Duration> limit;
        Reason reason;
    };
    const Rule rules[] = {{&watch.output, spec.hang.output, Reason::output_timeout},
                          {&watch.progress, spec.hang.progress, Reason::progress_timeout},
                          {&watch.idle, spec.hang.idle, Reason::idle_timeout},
                          {&watch.heartbeat, watch.watchdog, Reason::progress_timeout}};
    const Rule* first = nullptr;
    for (const Rule& rule : rules) {
        if (!is_over(*rule.clock, rule.limit, now)) continue;
        if (!first || later(rule.clock->last, *rule.limit) < later(first->clock->last, *first->limit)) first = &rule;
    }
    if (!first) return std::nullopt;
    first->clock->told = first->clock->last;
    return first->reason;
}

std::vector<std::string_view> update_notices(const Spec& spec, Watch& watch, Instant now)
{
    std::vector<std::string_view> changes;
    const auto set = [&](bool& notice, bool holds, std::string_view name) {
        if (holds && !notice) changes.push_back(name);
        const bool ended = notice && !holds;
        notice = holds;
        return ended;
    };
    const bool is_job = spec.kind == Kind::job;
    const auto silent = [&](const Clock& clock, const std::optional<Duration>& limit) {
        return is_job && limit && now >= later(clock.last, *limit);
    };
    // `stalled` also says that a rule has fired that only reports.
    const bool stalled = silent(watch.progress, spec.hang.stalled_after) || watch.progress.is_told() || watch.idle.is_told() ||
                         watch.output.is_told() || watch.heartbeat.is_told();
    bool ended = set(watch.quiet, silent(watch.output, spec.hang.quiet_after), "quiet");
    ended |= set(watch.stalled, stalled, "stalled");
    ended |= set(watch.waiting_input, watch.activity == Activity::waiting_input, "waiting-input");
    if (ended && !watch.quiet && !watch.stalled && !watch.waiting_input) changes.push_back("moving");
    return changes;
}

} // namespace bgt::core
