// Statistics of past runs: what the words mean, and all of it against a naive model.
#include "support/catch.hpp"

#include <bgt/core/run_stats.hpp>

#include <algorithm>
#include <deque>
#include <random>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

PastRun run_of(std::string_view name, Duration ran, int code = 0)
{
    PastRun run;
    run.id = 1;
    run.name = name;
    run.outcome.kind = OutcomeKind::exited;
    run.outcome.code = code;
    run.created = WallTime(1000s);
    run.started = WallTime(1001s);
    run.ended = WallTime(1001s + ran);
    run.ran = ran;
    return run;
}

Outcome outcome_of(OutcomeKind kind, Reason reason, int code = 0)
{
    Outcome outcome;
    outcome.kind = kind;
    outcome.reason = reason;
    outcome.code = code;
    return outcome;
}

/// Sorts and looks.
struct Naive {
    std::vector<PastRun> runs;

    std::uint64_t count(bool (*fits)(const PastRun&)) const
    {
        return static_cast<std::uint64_t>(std::ranges::count_if(runs, fits));
    }
    std::vector<std::int64_t> sorted() const
    {
        std::vector<std::int64_t> out;
        for (const PastRun& run : runs)
            if (run.ran) out.push_back(run.ran->count());
        std::ranges::sort(out);
        return out;
    }
    Duration p95() const
    {
        const auto all = sorted();
        for (const std::int64_t candidate : all) {
            const auto below = std::ranges::count_if(all, [=](auto v) { return v <= candidate; });
            if (static_cast<std::size_t>(below) * 100 >= all.size() * 95)
                return Duration(candidate);
        }
        return {};
    }
    Duration median() const
    {
        const auto all = sorted();
        const std::int64_t upper = all[all.size() / 2], lower = all[(all.size() - 1) / 2];
        return Duration(lower + (upper - lower) / 2);
    }
    Duration mean() const
    {
        std::int64_t micros = 0;
        const auto all = sorted();
        for (const std::int64_t value : all) micros += value / 1000;
        return std::chrono::microseconds(micros / static_cast<std::int64_t>(all.size()));
    }
};

PastRun random_run(std::mt19937& random, const std::deque<std::string>& names)
{
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    PastRun run;
    run.id = 1 + below(1000);
    run.attempts = 1 + below(3) / 2;
    run.name = names[below(static_cast<std::uint32_t>(names.size()))];
    run.outcome = outcome_of(outcome_kinds[1 + below(5)], reasons[below(reasons.size())],
                             static_cast<int>(below(3)));
    run.created = WallTime(std::chrono::seconds(1'000'000 + below(100'000)));
    const bool started = run.outcome.kind != OutcomeKind::not_started;
    if (started) run.started = run.created + std::chrono::milliseconds(below(5000));
    if (started && below(8) > 0) run.ran = std::chrono::milliseconds(below(20) * below(1000));
    run.ended = run.started.value_or(run.created) + run.ran.value_or(0s);
    if (below(4) > 0) run.cpu = std::chrono::microseconds(below(1'000'000));
    run.max_memory = below(1 << 20);
    run.hangs = below(10) == 0 ? 1 : 0;
    return run;
}

void check_same(const RunSummary& row, const Naive& model)
{
    const auto ok =
        model.count([](const PastRun& r) { return result_of(r.outcome) == RunResult::ok; });
    const auto failed =
        model.count([](const PastRun& r) { return result_of(r.outcome) == RunResult::failed; });
    CHECK(row.counts.of(RunResult::ok) == ok);
    CHECK(row.counts.of(RunResult::failed) == failed);
    CHECK(row.counts.runs() == model.count([](const PastRun& r) { return r.started.has_value(); }));
    CHECK(row.counts.retried == model.count([](const PastRun& r) { return r.attempts > 1; }));
    if (ok + failed > 0)
        CHECK(*row.success_rate ==
              Approx(static_cast<double>(ok) / static_cast<double>(ok + failed)));
    const auto times = model.sorted();
    CHECK(row.mean.has_value() == !times.empty());
    if (times.empty()) return;
    CHECK(*row.median == model.median());
    CHECK(*row.p95 == model.p95());
    CHECK(*row.mean == model.mean());
    CHECK(row.min->count() == times.front());
    CHECK(row.max->count() == times.back());
}

} // namespace

TEST_CASE("what is a success, a failure, neither, and no run at all")
{
    CHECK(result_of(outcome_of(OutcomeKind::exited, Reason::self)) == RunResult::ok);
    CHECK(result_of(outcome_of(OutcomeKind::exited, Reason::self, 3)) == RunResult::failed);
    CHECK(result_of(outcome_of(OutcomeKind::lost, Reason::self)) == RunResult::failed);
    CHECK(result_of(outcome_of(OutcomeKind::failed_to_start, Reason::self, 127)) ==
          RunResult::failed);
    CHECK(result_of(outcome_of(OutcomeKind::signaled, Reason::timeout)) == RunResult::failed);
    CHECK(result_of(outcome_of(OutcomeKind::exited, Reason::killed, 3)) == RunResult::killed);
    CHECK(result_of(outcome_of(OutcomeKind::not_started, Reason::cancelled)) ==
          RunResult::not_started);
}

TEST_CASE("the numbers of a row")
{
    RunStats stats;
    for (const auto ran : {4s, 1s, 3s, 2s}) stats.add("build", run_of("build", ran));
    stats.add("build", run_of("build", 10s, 1));
    PastRun hung = run_of("build", 20s);
    hung.outcome = outcome_of(OutcomeKind::signaled, Reason::output_timeout);
    hung.attempts = 2;
    hung.cpu = 5s;
    hung.max_memory = 1 << 20;
    stats.add("build", hung);
    stats.add("test", run_of("test", 1s));
    const auto rows = stats.summaries();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].first == "build");
    CHECK(rows[1].first == "test");
    const RunSummary& build = rows[0].second;
    CHECK(build.counts.runs() == 6);
    CHECK(build.counts.of(RunResult::ok) == 4);
    CHECK(build.counts.of(RunResult::failed) == 2);
    CHECK(build.counts.hung == 1);
    CHECK(build.counts.retried == 1);
    CHECK(*build.success_rate == Approx(4.0 / 6));
    CHECK(*build.median == 3500ms);
    CHECK(*build.p95 == 20s);
    CHECK(*build.max == 20s);
    CHECK(*build.mean == 6'666'666us);
    CHECK(*build.wait_mean == 1s);
    CHECK(*build.cpu == 5s);
    CHECK(build.max_memory == 1 << 20);
    CHECK(!rows[1].second.cpu);
}

TEST_CASE("rows against a naive model")
{
    std::mt19937 random(7);
    const std::deque<std::string> names{"", "a", "b", "long-name-that-is-no-small-string"};
    for (int round = 0; round < 200; ++round) {
        RunStats stats;
        std::map<std::string, Naive> model;
        const auto runs = random() % 120;
        for (std::uint32_t i = 0; i < runs; ++i) {
            const PastRun run = random_run(random, names);
            stats.add(run.name, run);
            model[std::string(run.name)].runs.push_back(run);
        }
        const auto rows = stats.summaries();
        REQUIRE(rows.size() == model.size());
        for (const auto& [word, row] : rows) check_same(row, model.at(word));
    }
}

TEST_CASE("totals of parts are those of all, in whatever order they are put together")
{
    std::mt19937 random(8);
    const std::deque<std::string> names{"", "a", "b"};
    RunTotals all, first, second;
    for (int i = 0; i < 1000; ++i) {
        const PastRun run = random_run(random, names);
        all.add(run);
        (random() % 2 == 0 ? first : second).add(run);
    }
    second.add(first);
    CHECK(second == all);
}

TEST_CASE("names without end are counted together, and nothing overflows")
{
    RunTotals totals;
    for (std::size_t i = 0; i < RunTotals::max_names + 5; ++i)
        totals.add(run_of("n" + std::to_string(i), 1s));
    CHECK(totals.rows().size() == RunTotals::max_names + 1);
    CHECK(totals.rows().at({std::string(RunTotals::other), ""}).runs() == 5);
    RunCounts counts;
    PastRun run = run_of("x", Duration::max());
    for (int i = 0; i < 5000; ++i) counts.add(run);
    CHECK(counts.ran == std::chrono::microseconds::max());
    run.ran = Duration::min();
    counts.add(run);
    CHECK(counts.ran == std::chrono::microseconds::max());
}

TEST_CASE("a trend has a row for each span, empty ones too")
{
    RunTrend trend(WallTime(3600s * 10), 1h);
    CHECK(trend.count() == 0);
    for (const auto ended : {3600s * 9 - 1s, 3600s * 9, 3600s * 12}) {
        PastRun run = run_of("x", 2s);
        run.ended = WallTime(ended);
        trend.add(run);
    }
    const auto spans = trend.spans();
    CHECK(trend.count() == 5);
    REQUIRE(spans.size() == 5);
    CHECK(spans[0].from == WallTime(3600s * 8));
    CHECK(spans[0].summary.counts.runs() == 1);
    CHECK(spans[1].summary.counts.runs() == 1);
    CHECK(spans[2].summary.counts.runs() == 0);
    CHECK(!spans[2].summary.mean);
    CHECK(spans[4].from == WallTime(3600s * 12));
}

TEST_CASE("what runs are grouped by")
{
    PastRun run = run_of("build", 1s);
    run.queue = "nightly";
    run.tags = {{"branch", "main"}, {"ci", ""}};
    const auto word = [&](const char* by) { return group_of(run, *parse_grouping(by)); };
    CHECK(word("name") == "build");
    CHECK(word("queue") == "nightly");
    CHECK(word("tag:branch") == "main");
    CHECK(word("tag:ci") == "");
    CHECK(!word("tag:host"));
    for (const char* bad : {"", "tag:", "tag", "Name", "command"}) CHECK(!parse_grouping(bad));
}
