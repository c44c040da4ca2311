#include "inactivity_timers.hpp"

#include "stop_ladder.hpp"
#include <bgt/core/hang_rules.hpp>

#include <algorithm>
#include <initializer_list>

namespace bgt::core {

using namespace std::chrono_literals;

namespace {

constexpr Duration min_pause = 250ms;
constexpr Duration max_pause = 30s;        ///< the time over which activity is judged
constexpr Duration max_notice_pause = 60s; ///< notices alone cost a wake-up a minute at most
constexpr Duration max_stalled_pause = 1h;
constexpr Duration min_cpu_pause = 100ms;
constexpr Duration max_cpu_excess =
    1s; ///< a limit on CPU time is exact to this, or to a tenth of it

/// Rules that need to know what the tree does take four samples within their limit.
Duration pause_of(Duration limit, Duration longest)
{
    return std::clamp(limit / 4, min_pause, longest);
}

void earlier(std::optional<Instant>& date, Instant candidate)
{
    if (!date || candidate < *date) date = candidate;
}

/// The timer of a clock that measures silence; nullptr: the clock measures something else.
template <class Hang>
auto timer_of(HangClock clock, Hang& hang_state) -> decltype(&hang_state.output)
{
    switch (clock) {
    case HangClock::output: return &hang_state.output;
    case HangClock::progress: return &hang_state.progress;
    case HangClock::idle: return &hang_state.idle;
    case HangClock::attempt:
    case HangClock::cpu: break;
    }
    return nullptr;
}

/// After a rule has fired samples go on at its pace, so that the end of the silence is seen.
void plan_rule(std::optional<Instant>& date, const HangRule& rule, Duration limit,
               const InactivityTimer& timer, Instant now)
{
    // Output is known without a sample: only the date itself matters.
    if (rule.clock != HangClock::output)
        earlier(date, saturating_add(now, pause_of(limit, max_pause)));
    if (!timer.is_told()) earlier(date, saturating_add(timer.last, limit));
}

/// The limit can't pass before all cores have worked for what is left of it.
void plan_cpu(std::optional<Instant>& date, const std::optional<Duration>& limit, const CpuUse& cpu,
              Instant now)
{
    if (!limit) return;
    const auto cores = static_cast<Duration::rep>(std::max(cpu.cores, 1u));
    const Duration shortest =
        std::max(std::max(*limit / 10, max_cpu_excess) / cores, min_cpu_pause);
    const Duration left = std::max(*limit - cpu.used, Duration::zero());
    earlier(date, saturating_add(cpu.measured.value_or(now), std::max(left / cores, shortest)));
}

void plan_notices(std::optional<Instant>& date, const Policy& spec, const HangState& hang_state,
                  Instant now)
{
    if (spec.kind != Kind::job) return;
    const HangRules& hang = spec.hang;
    std::optional<Duration> pause;
    if (hang.quiet_after && !hang_state.quiet)
        pause = std::clamp(*hang.quiet_after, min_pause, max_notice_pause);
    if (hang.stalled_after) {
        Duration stalled = pause_of(*hang.stalled_after, max_notice_pause);
        // What has been still for hours needs no sample every minute: output, the common end of a
        // silence, wakes by itself.
        if (hang_state.stalled)
            stalled = std::clamp<Duration>((now - hang_state.progress.last) / 2, stalled,
                                           max_stalled_pause);
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
    const CpuUse cpu = hang_state.cpu;
    hang_state = {};
    hang_state.cpu = cpu;
    if (!hang_state.cpu.measured) hang_state.cpu.measured = now;
    hang_state.since = now;
    restart_clocks(spec, hang_state, now);
}

void restart_clocks(const Policy& spec, HangState& hang_state, Instant now)
{
    for (InactivityTimer* clock :
         {&hang_state.output, &hang_state.progress, &hang_state.idle, &hang_state.heartbeat})
        *clock = InactivityTimer{now, std::nullopt};
    hang_state.next_sample = plan_sample(spec, hang_state, now);
}

bool is_starved(const Policy& spec, const HangState& hang_state, Instant now)
{
    if (!hang_state.next_sample) return false;
    Duration slack = max_notice_pause;
    const auto consider = [&](const std::optional<Duration>& limit) {
        if (limit) slack = std::min(slack, *limit / 4);
    };
    for (const HangRule& rule : hang_rules)
        if (timer_of(rule.clock, hang_state)) consider(spec.hang.*rule.limit);
    consider(hang_state.watchdog);
    return now > saturating_add(*hang_state.next_sample, std::max<Duration>(slack, 1s));
}

std::optional<Instant> plan_sample(const Policy& spec, const HangState& hang_state, Instant now)
{
    std::optional<Instant> date;
    for (const HangRule& rule : hang_rules) {
        const InactivityTimer* timer = timer_of(rule.clock, hang_state);
        const std::optional<Duration>& limit = spec.hang.*rule.limit;
        if (timer && limit) plan_rule(date, rule, *limit, *timer, now);
    }
    if (hang_state.watchdog && !hang_state.heartbeat.is_told())
        earlier(date, saturating_add(hang_state.heartbeat.last, *hang_state.watchdog));
    plan_notices(date, spec, hang_state, now);
    // Where a rule is over and may not fire yet.
    if (date && now < hang_state.not_before)
        date = std::max(*date, std::min(hang_state.not_before, saturating_add(now, max_pause)));
    plan_cpu(date, spec.hang.cpu, hang_state.cpu, now);
    return date;
}

std::optional<Instant> ready_at_latest(const Policy& spec, const HangState& hang_state)
{
    if (!spec.awaits_ready || !spec.hang.ready || hang_state.ready || hang_state.ready_once ||
        hang_state.never_ready)
        return std::nullopt;
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
    hang_state.cpu.used = std::max(hang_state.cpu.used, liveness.cpu);
    hang_state.cpu.measured = now;
}

bool is_cpu_used_up(const Policy& spec, const HangState& hang_state)
{
    return spec.hang.cpu && hang_state.cpu.used >= *spec.hang.cpu;
}

std::optional<Reason> fired_rule(const Policy& spec, HangState& hang_state, Instant now)
{
    if (now < hang_state.not_before) return std::nullopt;
    struct Over {
        InactivityTimer* timer;
        Instant since;
        Reason reason;
    };
    std::optional<Over> first;
    const auto check = [&](InactivityTimer* timer, const std::optional<Duration>& limit,
                           Reason reason) {
        if (!timer || !is_over(*timer, limit, now)) return;
        const Instant since = saturating_add(timer->last, *limit);
        if (!first || since < first->since) first = Over{timer, since, reason};
    };
    for (const HangRule& rule : hang_rules)
        check(timer_of(rule.clock, hang_state), spec.hang.*rule.limit, rule.reason);
    check(&hang_state.heartbeat, hang_state.watchdog, Reason::progress_timeout);
    if (!first) return std::nullopt;
    first->timer->told = first->timer->last;
    return first->reason;
}

std::vector<Happening> update_notices(const Policy& spec, HangState& hang_state, Instant now)
{
    std::vector<Happening> changes;
    const auto set = [&](bool& notice, bool holds, Happening name) {
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
    const bool stalled = silent(hang_state.progress, spec.hang.stalled_after) ||
                         hang_state.progress.is_told() || hang_state.idle.is_told() ||
                         hang_state.output.is_told() || hang_state.heartbeat.is_told();
    bool ended =
        set(hang_state.quiet, silent(hang_state.output, spec.hang.quiet_after), Happening::quiet);
    ended |= set(hang_state.stalled, stalled, Happening::stalled);
    ended |= set(hang_state.waiting_input, hang_state.activity == Activity::waiting_input,
                 Happening::waiting_input);
    if (ended && !hang_state.quiet && !hang_state.stalled && !hang_state.waiting_input)
        changes.push_back(Happening::moving);
    return changes;
}

} // namespace bgt::core
