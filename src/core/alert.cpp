#include <bgt/core/alert.hpp>

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace bgt::core {
namespace {

using std::chrono::days;

/// Where a rule does not say over which time it asks.
constexpr Duration usual_window = days(1);
constexpr std::size_t shown_time = std::string_view("2026-12-24T18:00").size();

std::string runs_words(std::size_t count)
{
    return fmt::format("{} {}", count, count == 1 ? "run" : "runs");
}

double mean_of(const std::vector<Duration>& all)
{
    double sum = 0;
    for (const Duration one : all) sum += static_cast<double>(one.count());
    return sum / static_cast<double>(all.size());
}

/// The smallest that at least 95 of 100 do not exceed.
double p95_of(std::vector<Duration> all)
{
    const std::size_t place = (all.size() * 95 + 99) / 100 - 1;
    std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(place));
    return static_cast<double>(all[place].count());
}

std::string age_words(double nanoseconds)
{
    return format_age(Duration(std::llround(nanoseconds)));
}

/// Midnight of the day that clocks show, and the time of day on it.
WallTime on_day_of(WallTime at, days later, Duration since_midnight, const TimeZone& zone)
{
    const auto day = std::chrono::floor<days>(at + zone.offset(at));
    return from_local(WallTime(day + later) + since_midnight, zone);
}

} // namespace

std::optional<Duration> window(const AlertRule& rule)
{
    switch (rule.when.kind) {
    case AlertKind::error_rate:
    case AlertKind::mean_duration:
    case AlertKind::p95: return rule.over.value_or(usual_window);
    case AlertKind::failures_in_row: return rule.over;
    case AlertKind::wait:
    case AlertKind::active:
    case AlertKind::did_not_run_by: break;
    }
    return std::nullopt;
}

bool asks_history(AlertKind kind)
{
    return kind != AlertKind::wait && kind != AlertKind::active;
}

bool changes_without_end(AlertKind kind)
{
    return kind == AlertKind::wait || kind == AlertKind::active ||
           kind == AlertKind::did_not_run_by;
}

WallTime last_deadline(Duration since_midnight, WallTime now, const TimeZone& zone)
{
    for (const int day : {0, -1, -2})
        if (const WallTime at = on_day_of(now, days(day), since_midnight, zone); at <= now)
            return at;
    return now - days(2);
}

WallTime next_deadline(Duration since_midnight, WallTime now, const TimeZone& zone)
{
    for (const int day : {0, 1, 2})
        if (const WallTime at = on_day_of(now, days(day), since_midnight, zone); at > now)
            return at;
    return now + days(2);
}

AlertFacts::AlertFacts(const AlertRule& rule, WallTime now, WallTime known_since,
                       const TimeZone& zone)
    : rule_(rule), zone_(zone), now_(now), known_since_(known_since)
{
    if (const auto width = window(rule))
        since_ = *width < now.time_since_epoch() ? now - *width : WallTime{};
}

void AlertFacts::add(const PastRun& run)
{
    if (run.started) last_start_ = std::max(last_start_.value_or(*run.started), *run.started);
    const RunResult result = result_of(run.outcome);
    if (result != RunResult::ok && result != RunResult::failed) return;
    const bool is_recent = !since_ || run.ended > *since_;
    if (is_recent) runs_.push_back({run.ended, result == RunResult::failed});
    if (run.ran) (is_recent ? ran_ : ran_before_).push_back(*run.ran);
}

void AlertFacts::add_active(std::optional<WallTime> started)
{
    ++active_;
    if (started) last_start_ = std::max(last_start_.value_or(*started), *started);
}

void AlertFacts::add_waiting(WallTime since)
{
    waiting_since_ = std::min(waiting_since_.value_or(since), since);
}

bool AlertFacts::exceeds(double value, double limit) const
{
    return value > limit || (rule_.when.or_equal && value == limit);
}

AlertFinding AlertFacts::error_rate() const
{
    if (runs_.size() < std::max(rule_.min_runs, 1u)) return {{}, runs_words(runs_.size())};
    const auto failed = static_cast<std::size_t>(std::ranges::count(runs_, true, &Run::failed));
    const double rate = static_cast<double>(failed) / static_cast<double>(runs_.size());
    return {exceeds(rate, rule_.when.number),
            fmt::format("{:.3g} ({} of {})", rate, failed, runs_words(runs_.size()))};
}

AlertFinding AlertFacts::failures_in_row() const
{
    if (runs_.empty()) return {{}, runs_words(0)};
    std::vector<Run> runs = runs_;
    std::ranges::stable_sort(runs, {}, &Run::ended);
    const auto last_ok = std::ranges::find(runs.rbegin(), runs.rend(), false, &Run::failed);
    const auto count = last_ok - runs.rbegin();
    return {exceeds(static_cast<double>(count), rule_.when.number),
            fmt::format("{} in a row", count)};
}

AlertFinding AlertFacts::how_long() const
{
    const std::size_t enough = std::max(rule_.min_runs, 1u);
    if (ran_.size() < enough) return {{}, runs_words(ran_.size())};
    const auto measure = [&](const std::vector<Duration>& all) {
        return rule_.when.kind == AlertKind::p95 ? p95_of(all) : mean_of(all);
    };
    const double value = measure(ran_);
    std::string words = age_words(value) + " (" + runs_words(ran_.size());
    if (!rule_.when.is_factor)
        return {exceeds(value, static_cast<double>(rule_.when.duration.count())), words + ")"};
    if (ran_before_.size() < enough)
        return {{}, words + ", " + runs_words(ran_before_.size()) + " before)"};
    const double before = measure(ran_before_);
    if (before <= 0) return {{}, words + ", 0s before)"};
    return {exceeds(value / before, rule_.when.number),
            fmt::format("{:.3g}x: {}, {} before)", value / before, words, age_words(before))};
}

AlertFinding AlertFacts::wait() const
{
    if (!waiting_since_) return {false, "nothing waits"};
    const Duration waited = std::max<Duration>(now_ - *waiting_since_, Duration::zero());
    return {exceeds(static_cast<double>(waited.count()),
                    static_cast<double>(rule_.when.duration.count())),
            format_age(waited)};
}

AlertFinding AlertFacts::active() const
{
    return {exceeds(static_cast<double>(active_), rule_.when.number),
            fmt::format("{} active", active_)};
}

/// "2026-12-24 18:00" of the zone.
std::string AlertFacts::clock_words(WallTime at) const
{
    std::string words = format_rfc3339(at + zone_.offset(at)).substr(0, shown_time);
    words[words.find('T')] = ' ';
    return words;
}

/// One that has begun lasts until something runs, also beyond midnight.
AlertFinding AlertFacts::did_not_run() const
{
    const std::string last = last_start_ ? "last start " + clock_words(*last_start_) : "never ran";
    const WallTime deadline = last_deadline(rule_.when.duration, now_, zone_);
    if (deadline < known_since_) return {{}, last};
    const WallTime midnight = on_day_of(deadline, days(0), Duration::zero(), zone_);
    return {!last_start_ || *last_start_ < midnight, last};
}

AlertFinding AlertFacts::finding() const
{
    switch (rule_.when.kind) {
    case AlertKind::error_rate: return error_rate();
    case AlertKind::failures_in_row: return failures_in_row();
    case AlertKind::mean_duration:
    case AlertKind::p95: return how_long();
    case AlertKind::wait: return wait();
    case AlertKind::active: return active();
    case AlertKind::did_not_run_by: return did_not_run();
    }
    return {};
}

std::string_view to_string(AlertIs is)
{
    switch (is) {
    case AlertIs::unknown: return "unknown";
    case AlertIs::quiet: return "quiet";
    case AlertIs::firing: return "firing";
    }
    return "unknown";
}

std::optional<AlertIs> parse_alert_is(std::string_view text)
{
    for (const AlertIs is : {AlertIs::unknown, AlertIs::quiet, AlertIs::firing})
        if (to_string(is) == text) return is;
    return std::nullopt;
}

std::string_view to_string(AlertChange change)
{
    switch (change) {
    case AlertChange::none: return "none";
    case AlertChange::begins: return "begins";
    case AlertChange::over: return "over";
    }
    return "none";
}

AlertStep decide(const AlertState& before, const AlertFinding& finding, WallTime now)
{
    if (!finding.holds) return {before, AlertChange::none};
    const AlertIs is = *finding.holds ? AlertIs::firing : AlertIs::quiet;
    if (is == before.is) return {before, AlertChange::none};
    AlertChange tell = AlertChange::none;
    if (is == AlertIs::firing) tell = AlertChange::begins;
    else if (before.is == AlertIs::firing) tell = AlertChange::over;
    return {{is, now}, tell};
}

} // namespace bgt::core
