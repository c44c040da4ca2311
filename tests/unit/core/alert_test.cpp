// Alerts: their words, what they find, what is told; and all of it against a naive model.
#include "support/catch.hpp"

#include <bgt/core/alert.hpp>

#include <algorithm>
#include <random>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

const WallTime some_day = *parse_rfc3339("2026-11-29T00:00:00Z");
const FixedZone utc;

PastRun run_of(WallTime ended, bool ok, Duration ran = 1s)
{
    PastRun run;
    run.id = 1;
    run.outcome.kind = OutcomeKind::exited;
    run.outcome.code = ok ? 0 : 1;
    run.created = ended - ran;
    run.started = ended - ran;
    run.ended = ended;
    run.ran = ran;
    return run;
}

AlertRule rule_of(std::string_view when)
{
    AlertRule rule;
    const auto condition = parse_alert_condition(when);
    REQUIRE(condition);
    rule.when = *condition;
    return rule;
}

AlertFinding find(const AlertRule& rule, const std::vector<PastRun>& runs, WallTime now,
                  WallTime known_since = {})
{
    AlertFacts facts(rule, now, known_since, utc);
    for (const PastRun& run : runs) facts.add(run);
    return facts.finding();
}

std::optional<bool> holds(std::string_view when, const std::vector<PastRun>& runs, WallTime now)
{
    return find(rule_of(when), runs, now).holds;
}

} // namespace

TEST_CASE("conditions are read as they are written")
{
    for (const std::string text :
         {"error_rate > 0.1", "error_rate >= 1", "failures_in_row >= 3", "mean_duration > 5m",
          "mean_duration > 1.5x", "p95 > 2x", "p95 >= 1h30m", "wait > 10m", "active > 100",
          "did_not_run_by 06:00", "did_not_run_by 23:59"}) {
        const auto condition = parse_alert_condition(text);
        REQUIRE(condition);
        CHECK(to_string(*condition) == text);
    }
    CHECK(to_string(*parse_alert_condition(" error_rate>10% ")) == "error_rate > 0.1");
    CHECK(to_string(*parse_alert_condition("wait\t>=600")) == "wait >= 10m");
}

TEST_CASE("what is no condition is refused, with an example")
{
    for (const std::string text : {"",
                                   "error_rate",
                                   "error_rate < 0.1",
                                   "error_rate > ",
                                   "error_rate > 1",
                                   "error_rate > 1.5",
                                   "error_rate > 101%",
                                   "error_rate > -1",
                                   "error_rate > inf",
                                   "error_rate > 1e-3",
                                   "error_rate > 0.0000001",
                                   "error_rate > .5",
                                   "failures_in_row >= 0",
                                   "failures_in_row > 1.5",
                                   "failures_in_row > 99999999999",
                                   "mean_duration > 5 minutes",
                                   "mean_duration > 0x",
                                   "p95 > x",
                                   "p95 > 2xx",
                                   "wait > 2x",
                                   "wait >= 0s",
                                   "active > many",
                                   "did_not_run_by",
                                   "did_not_run_by > 06:00",
                                   "did_not_run_by 6:00",
                                   "did_not_run_by 24:00",
                                   "did_not_run_by 06:60",
                                   "did_not_run_by 06:00 UTC",
                                   "uptime > 1",
                                   "p95 > 2x ; rm",
                                   "ERROR_RATE > 0.1"}) {
        INFO(text);
        const auto condition = parse_alert_condition(text);
        REQUIRE_FALSE(condition);
        CHECK(condition.error().kind == ErrorKind::usage);
        CHECK(condition.error().message.starts_with("bad condition "));
    }
}

TEST_CASE("over and min_runs belong to what has a window")
{
    for (const std::string text : {"wait > 10m", "active > 1", "did_not_run_by 06:00"}) {
        AlertRule rule = rule_of(text);
        CHECK(check(rule));
        rule.over = 1h;
        CHECK_FALSE(check(rule));
        rule.over.reset();
        rule.min_runs = 5;
        CHECK_FALSE(check(rule));
    }
    AlertRule row = rule_of("failures_in_row > 1");
    row.over = 1h;
    CHECK(check(row));
    row.min_runs = 2;
    CHECK_FALSE(check(row));
    AlertRule rate = rule_of("error_rate > 0.1");
    CHECK(window(rate) == Duration(24h));
    rate.min_runs = 0;
    CHECK_FALSE(check(rate));
}

TEST_CASE("too few runs give no answer")
{
    AlertRule rule = rule_of("error_rate > 0.5");
    rule.min_runs = 3;
    std::vector<PastRun> runs(2, run_of(some_day - 1min, false));
    CHECK_FALSE(find(rule, runs, some_day).holds);
    runs.push_back(run_of(some_day - 1s, true));
    CHECK(find(rule, runs, some_day) == AlertFinding{true, "0.667 (2 of 3 runs)"});
    CHECK_FALSE(holds("failures_in_row > 1", {}, some_day));
    CHECK_FALSE(holds("p95 > 2x", {run_of(some_day, true)}, some_day)); // nothing before it
}

TEST_CASE("who was killed counts neither as ok nor as failed")
{
    PastRun killed = run_of(some_day - 1s, false);
    killed.outcome.reason = Reason::killed;
    CHECK_FALSE(holds("error_rate > 0", {killed}, some_day));
    CHECK(holds("failures_in_row >= 2",
                {run_of(some_day - 3s, false), killed, run_of(some_day - 2s, false)},
                some_day) == true);
}

TEST_CASE("failures in a row are counted from the last end")
{
    // Not in the order of their ends, as the history may have them.
    const std::vector<PastRun> runs{run_of(some_day - 1s, false), run_of(some_day - 3s, true),
                                    run_of(some_day - 2s, false), run_of(some_day - 4s, false)};
    CHECK(holds("failures_in_row >= 2", runs, some_day) == true);
    CHECK(holds("failures_in_row >= 3", runs, some_day) == false);
}

TEST_CASE("twice as slow as before is found")
{
    std::vector<PastRun> runs;
    for (int i = 0; i < 20; ++i) runs.push_back(run_of(some_day - 48h - i * 1h, true, 10s));
    runs.push_back(run_of(some_day - 1h, true, 25s));
    CHECK(holds("p95 > 2x", runs, some_day) == true);
    CHECK(holds("p95 > 3x", runs, some_day) == false);
    CHECK(find(rule_of("mean_duration > 2x"), runs, some_day).value ==
          "2.5x: 25s (1 run, 10s before)");
}

TEST_CASE("what waits and what is active is that of now")
{
    const AlertRule wait = rule_of("wait > 10m");
    AlertFacts facts(wait, some_day, {}, utc);
    CHECK(facts.finding().holds == false);
    facts.add_waiting(some_day - 5min);
    CHECK(facts.finding().holds == false);
    facts.add_waiting(some_day - 11min);
    CHECK(facts.finding() == AlertFinding{true, "11m"});
    const AlertRule active = rule_of("active >= 2");
    AlertFacts count(active, some_day, {}, utc);
    count.add_active({});
    CHECK(count.finding().holds == false);
    count.add_active(some_day);
    CHECK(count.finding() == AlertFinding{true, "2 active"});
}

TEST_CASE("what did not run by its time is told until it runs")
{
    const AlertRule rule = rule_of("did_not_run_by 06:00");
    const std::vector<PastRun> yesterday{run_of(some_day - 20h, true)};
    // Before six, yesterday counts: it ran then.
    CHECK(find(rule, yesterday, some_day + 5h).holds == false);
    CHECK(find(rule, yesterday, some_day + 6h).holds == true);
    // Beyond midnight it is still true, until something runs; a run of a minute past midnight does.
    CHECK(find(rule, yesterday, some_day + 25h).holds == true);
    std::vector<PastRun> late = yesterday;
    late.push_back(run_of(some_day + 7h, true));
    CHECK(find(rule, late, some_day + 8h).holds == false);
    std::vector<PastRun> early = yesterday;
    early.push_back(run_of(some_day + 2min, false, 1min));
    CHECK(find(rule, early, some_day + 6h).holds == false);
    // A deadline before the alert was known is none.
    CHECK_FALSE(find(rule, {}, some_day + 7h, some_day + 6h + 1min).holds);
    CHECK(find(rule, {}, some_day + 30h, some_day + 6h + 1min).holds == true);
    // One that runs just now counts.
    AlertFacts facts(rule, some_day + 7h, {}, utc);
    facts.add_active(some_day + 1h);
    CHECK(facts.finding().holds == false);
}

TEST_CASE("deadlines are those of clocks on the wall")
{
    const FixedZone berlin(1h);
    CHECK(last_deadline(6h, some_day + 5h, berlin) == some_day + 5h);
    CHECK(next_deadline(6h, some_day + 5h, berlin) == some_day + 29h);
    CHECK(last_deadline(6h, some_day + 4h, berlin) == some_day - 19h);
    CHECK(next_deadline(0h, some_day, utc) == some_day + 24h);
}

TEST_CASE("an alert is told when it begins and when it is over, once each")
{
    AlertState state;
    const auto told = [&](std::optional<bool> finding) {
        const AlertStep step = decide(state, {finding, ""}, some_day);
        state = step.state;
        return step.tell;
    };
    CHECK(told({}) == AlertChange::none);
    CHECK(told(false) == AlertChange::none); // and never was
    CHECK(told(true) == AlertChange::begins);
    CHECK(told(true) == AlertChange::none);
    CHECK(told({}) == AlertChange::none);
    CHECK(state.is == AlertIs::firing); // what can't be told changes nothing
    CHECK(told(false) == AlertChange::over);
    CHECK(told(false) == AlertChange::none);
    CHECK(told(true) == AlertChange::begins);
}

namespace {

/// Looks at everything, and keeps nothing.
std::optional<bool> naive(const AlertRule& rule, const std::vector<PastRun>& runs, WallTime now)
{
    std::vector<PastRun> recent, before;
    for (const PastRun& run : runs) {
        if (run.outcome.reason == Reason::killed && run.outcome.code != 0) continue;
        const bool is_recent = !window(rule) || run.ended > now - *window(rule);
        (is_recent ? recent : before).push_back(run);
    }
    const auto compare = [&](double value, double limit) {
        return rule.when.or_equal ? value >= limit : value > limit;
    };
    const auto is_failure = [](const PastRun& run) { return run.outcome.code != 0; };
    if (rule.when.kind == AlertKind::error_rate) {
        if (recent.size() < rule.min_runs) return {};
        const auto failed = std::ranges::count_if(recent, is_failure);
        return compare(static_cast<double>(failed) / static_cast<double>(recent.size()),
                       rule.when.number);
    }
    if (rule.when.kind == AlertKind::failures_in_row) {
        if (recent.empty()) return {};
        std::ranges::stable_sort(recent, {}, &PastRun::ended);
        int row = 0;
        for (const PastRun& run : recent) row = is_failure(run) ? row + 1 : 0;
        return compare(row, rule.when.number);
    }
    const auto measure = [&](const std::vector<PastRun>& all) -> double {
        double sum = 0;
        for (const PastRun& run : all) sum += static_cast<double>(run.ran->count());
        if (rule.when.kind == AlertKind::mean_duration)
            return sum / static_cast<double>(all.size());
        Duration best = Duration::max();
        for (const PastRun& candidate : all) {
            const auto within = std::ranges::count_if(
                all, [&](const PastRun& run) { return *run.ran <= *candidate.ran; });
            if (static_cast<std::size_t>(within) * 100 >= all.size() * 95)
                best = std::min(best, *candidate.ran);
        }
        return static_cast<double>(best.count());
    };
    if (recent.size() < rule.min_runs) return {};
    if (!rule.when.is_factor)
        return compare(measure(recent), static_cast<double>(rule.when.duration.count()));
    if (before.size() < rule.min_runs || measure(before) <= 0) return {};
    return compare(measure(recent) / measure(before), rule.when.number);
}

} // namespace

TEST_CASE("a hundred thousand alerts are as a naive model has them")
{
    std::mt19937 random(20261129);
    const auto below = [&](int limit) {
        return static_cast<int>(random() % static_cast<unsigned>(limit));
    };
    const std::vector<std::string> conditions{"error_rate > 0.1",
                                              "error_rate >= 0.5",
                                              "error_rate > 0",
                                              "error_rate >= 100%",
                                              "failures_in_row >= 3",
                                              "failures_in_row > 1",
                                              "mean_duration > 3s",
                                              "mean_duration > 1.5x",
                                              "p95 > 2x",
                                              "p95 >= 4s",
                                              "p95 >= 1x"};
    std::size_t answers = 0, begun = 0, over = 0;
    for (int i = 0; i < 100'000; ++i) {
        AlertRule rule = rule_of(
            conditions[static_cast<std::size_t>(below(static_cast<int>(conditions.size())))]);
        if (below(2) == 0) rule.over = below(60) * 1s + 1s;
        if (rule.when.kind != AlertKind::failures_in_row)
            rule.min_runs = static_cast<std::uint32_t>(below(4) + 1);
        REQUIRE(check(rule));
        std::vector<PastRun> runs;
        AlertState state, naive_state;
        WallTime now = some_day;
        for (int step = below(6) + 1; step > 0; --step) {
            now += below(40) * 1s;
            for (int more = below(4); more > 0; --more) {
                runs.push_back(run_of(now - below(30) * 1s, below(3) > 0, below(6) * 1s));
                if (below(10) == 0) runs.back().outcome.reason = Reason::killed;
            }
            const AlertFinding finding = find(rule, runs, now);
            const std::optional<bool> model = naive(rule, runs, now);
            REQUIRE(finding.holds == model);
            const AlertStep next = decide(state, finding, now);
            const bool was_firing = naive_state.is == AlertIs::firing;
            if (model) naive_state.is = *model ? AlertIs::firing : AlertIs::quiet;
            const bool is_firing = naive_state.is == AlertIs::firing;
            REQUIRE(next.state.is == naive_state.is);
            REQUIRE((next.tell == AlertChange::begins) == (is_firing && !was_firing));
            REQUIRE((next.tell == AlertChange::over) == (!is_firing && was_firing));
            state = next.state;
            answers += model ? 1u : 0u;
            begun += next.tell == AlertChange::begins ? 1u : 0u;
            over += next.tell == AlertChange::over ? 1u : 0u;
        }
    }
    CHECK(answers > 100'000);
    CHECK(begun > 10'000);
    CHECK(over > 1'000);
}
