#include <bgt/core/schedule.hpp>

#include <bgt/base/siphash.hpp>

#include <algorithm>
#include <iterator>

namespace bgt::core {
namespace {

/// What fires by no more than this later than its time was not missed: the machine was busy.
constexpr auto punctual = std::chrono::minutes(1);
/// Spans in which all is decided. The clock is set back seldom, and where it was, the oldest grow
/// together.
constexpr std::size_t max_closed = 16;
/// Occurrences that are looked at one by one, where a jitter is longer than the time between them.
constexpr std::size_t max_steps = 1000;

WallTime shifted(WallTime at, Duration by)
{
    const Duration room = WallTime::max() - std::max(at, WallTime{});
    return by > room ? WallTime::max() : at + by;
}

/// The first one after that moment that is not decided for good.
std::optional<WallTime> next_open(const SchedulePolicy& policy, const ScheduleState& state,
                                  const Recurrences& due, WallTime after)
{
    std::optional<WallTime> at = due.next(after);
    for (const ScheduleState::Span& span : state.closed)
        if (at && *at >= span.from && *at <= span.to) at = due.next(span.to);
    if (at && policy.until && *at > *policy.until) return std::nullopt;
    return at;
}

void add(Passed& to, const Passed& more, std::size_t most)
{
    if (more.count == 0) return;
    if (to.count == 0) to.first = more.first;
    to.count += more.count;
    to.newest.insert(to.newest.end(), more.newest.begin(), more.newest.end());
    if (to.newest.size() > most)
        to.newest.erase(to.newest.begin(), to.newest.end() - static_cast<std::ptrdiff_t>(most));
}

/// Those in (after, until] that are not decided for good.
Passed open_between(const ScheduleState& state, const Recurrences& due, WallTime after,
                    WallTime until, std::size_t most)
{
    Passed all;
    for (const ScheduleState::Span& span : state.closed) {
        if (span.to <= after) continue;
        if (span.from > until) break;
        // What is before the span, without the moment at which that begins.
        const WallTime end = span.from - Duration(1);
        if (end > after) add(all, due.passed(after, end, most), most);
        after = span.to;
    }
    if (until > after) add(all, due.passed(after, until, most), most);
    return all;
}

/// All whose time has come, with the jitter.
Passed due_now(const SchedulePolicy& policy, const ScheduleState& state, const Recurrences& due,
               std::string_view name, WallTime now, std::size_t most)
{
    const WallTime last = policy.until ? std::min(now, *policy.until) : now;
    if (policy.jitter <= Duration::zero()) return open_between(state, due, state.mark, last, most);
    const WallTime surely = std::min(last, now - policy.jitter);
    Passed all;
    WallTime from = state.mark;
    if (surely > from) {
        all = open_between(state, due, from, surely, most);
        from = surely;
    }
    for (std::size_t step = 0; step < max_steps; ++step) {
        const auto at = next_open(policy, state, due, from);
        if (!at || *at > last || shifted(*at, jitter_of(policy, name, *at)) > now) break;
        add(all, {1, *at, {*at}}, most);
        from = *at;
    }
    return all;
}

/// How many of the newest may fire.
std::size_t wanted(const SchedulePolicy& policy)
{
    // Each would end the one before at once.
    if (policy.on_overlap == OnOverlap::replace) return 1;
    return policy.on_missed == OnMissed::all ? std::max<std::size_t>(policy.max_missed, 1) : 1;
}

OccurrenceFate fate_of(const SchedulePolicy& policy, const ScheduleFacts& facts, WallTime fires_at,
                       WallTime now, std::uint64_t already)
{
    const Duration late = now - fires_at;
    if (policy.on_missed == OnMissed::skip && late > punctual) return OccurrenceFate::missed;
    if (policy.missed_within && late > *policy.missed_within) return OccurrenceFate::missed;
    if (policy.on_overlap == OnOverlap::skip && facts.is_busy) return OccurrenceFate::overlapped;
    if (already >= facts.room) return OccurrenceFate::refused;
    return OccurrenceFate::fired;
}

/// With the one before where they have the same fate and none of them fired.
void push(std::vector<Occurred>& to, const Occurred& next)
{
    if (!to.empty() && next.fate != OccurrenceFate::fired && to.back().fate == next.fate) {
        to.back().last = next.last;
        to.back().count += next.count;
    } else {
        to.push_back(next);
    }
}

} // namespace

std::string_view to_string(OnMissed value)
{
    switch (value) {
    case OnMissed::once: return "once";
    case OnMissed::skip: return "skip";
    case OnMissed::all: return "all";
    }
    return {};
}

std::string_view to_string(OnOverlap value)
{
    switch (value) {
    case OnOverlap::skip: return "skip";
    case OnOverlap::queue: return "queue";
    case OnOverlap::replace: return "replace";
    case OnOverlap::allow: return "allow";
    }
    return {};
}

std::string_view to_string(OccurrenceFate fate)
{
    switch (fate) {
    case OccurrenceFate::fired: return "fired";
    case OccurrenceFate::manual: return "manual";
    case OccurrenceFate::missed: return "missed";
    case OccurrenceFate::overlapped: return "overlapped";
    case OccurrenceFate::paused: return "paused";
    case OccurrenceFate::refused: return "refused";
    }
    return {};
}

bool ScheduleState::is_closed(WallTime at) const
{
    return std::ranges::any_of(closed,
                               [&](const Span& span) { return at >= span.from && at <= span.to; });
}

void ScheduleState::note(const Occurred& what)
{
    if (what.fate == OccurrenceFate::manual) return;
    const bool is_for_good =
        what.fate != OccurrenceFate::missed && what.fate != OccurrenceFate::paused;
    if (what.fate == OccurrenceFate::fired) fired += what.count;
    if (is_for_good) {
        // It follows the one decided before: there is none in between.
        const auto before = std::ranges::find(closed, mark, &Span::to);
        Span span{before != closed.end() ? before->from : what.first, what.last};
        std::erase_if(closed, [&](const Span& other) {
            const bool touches = other.from <= span.to && other.to >= span.from;
            if (touches) span = {std::min(span.from, other.from), std::max(span.to, other.to)};
            return touches;
        });
        closed.insert(std::ranges::upper_bound(closed, span.from, {}, &Span::from), span);
    }
    if (closed.size() > max_closed) {
        closed[1].from = closed[0].from;
        closed.erase(closed.begin());
    }
    mark = std::max(mark, what.last);
}

void ScheduleState::clock_set_back(WallTime now)
{
    mark = std::min(mark, now);
}

bool is_used_up(const SchedulePolicy& policy, const ScheduleState& state)
{
    return policy.times && state.fired >= *policy.times;
}

Duration jitter_of(const SchedulePolicy& policy, std::string_view name, WallTime occurrence)
{
    if (policy.jitter <= Duration::zero()) return {};
    std::vector<std::uint8_t> bytes(name.begin(), name.end());
    auto count = static_cast<std::uint64_t>(occurrence.time_since_epoch().count());
    for (int i = 0; i < 8; ++i, count >>= 8) bytes.push_back(static_cast<std::uint8_t>(count));
    const KeyedHash hash = siphash(HashKey{}, bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | hash[i];
    return Duration(
        static_cast<std::int64_t>(value % static_cast<std::uint64_t>(policy.jitter.count())));
}

std::vector<Occurred> decide(const SchedulePolicy& policy, const ScheduleState& state,
                             const Recurrences& due, std::string_view name,
                             const ScheduleFacts& facts, WallTime now)
{
    std::vector<Occurred> out;
    if (state.paused || is_used_up(policy, state)) return out;
    const std::size_t most = wanted(policy);
    // One more, so that the last of those that are left out is known.
    Passed passed = due_now(policy, state, due, name, now, most + 1);
    if (passed.count == 0) return out;
    std::vector<WallTime>& newest = passed.newest;
    if (passed.count > most) {
        push(out, {OccurrenceFate::missed, passed.first, newest[newest.size() - most - 1],
                   passed.count - most});
        newest.erase(newest.begin(), newest.end() - static_cast<std::ptrdiff_t>(most));
    }
    std::uint64_t fired = 0;
    for (const WallTime at : newest) {
        if (policy.times && state.fired + fired >= *policy.times) break;
        const WallTime fires_at = shifted(at, jitter_of(policy, name, at));
        const OccurrenceFate fate = fate_of(policy, facts, fires_at, now, fired);
        if (fate == OccurrenceFate::fired) ++fired;
        push(out, {fate, at, at, 1});
    }
    return out;
}

std::optional<WallTime> next_occurrence(const SchedulePolicy& policy, const ScheduleState& state,
                                        const Recurrences& due)
{
    if (is_used_up(policy, state)) return std::nullopt;
    return next_open(policy, state, due, state.mark);
}

std::optional<WallTime> next_wake(const SchedulePolicy& policy, const ScheduleState& state,
                                  const Recurrences& due, std::string_view name)
{
    if (state.paused) return std::nullopt;
    const auto at = next_occurrence(policy, state, due);
    if (!at) return std::nullopt;
    return shifted(*at, jitter_of(policy, name, *at));
}

} // namespace bgt::core
