// Which occurrences of a schedule fire, against a naive list of all of them: while the clock is set
// forward and back, and whoever decides is killed and reads again what was on record.
#include "support/catch.hpp"

#include <bgt/core/schedule.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

WallTime at(std::int64_t seconds)
{
    return WallTime{std::chrono::seconds(seconds)};
}

/// Occurrences at these seconds.
Recurrences listed(std::vector<std::int64_t> seconds)
{
    std::vector<WallTime> all;
    for (const std::int64_t second : seconds) all.push_back(at(second));
    Recurrences out;
    out.next = [all](WallTime after) -> std::optional<WallTime> {
        const auto found = std::ranges::upper_bound(all, after);
        return found != all.end() ? std::optional(*found) : std::nullopt;
    };
    out.passed = [all](WallTime after, WallTime until, std::size_t most) {
        const auto first = std::ranges::upper_bound(all, after);
        const auto last = std::ranges::upper_bound(all, until);
        Passed passed;
        if (first >= last) return passed;
        passed.count = static_cast<std::uint64_t>(last - first);
        passed.first = *first;
        const auto count =
            std::min<std::ptrdiff_t>(last - first, static_cast<std::ptrdiff_t>(most));
        passed.newest.assign(last - count, last);
        return passed;
    };
    return out;
}

Recurrences every(std::int64_t step, std::int64_t until = 100'000)
{
    std::vector<std::int64_t> seconds;
    for (std::int64_t second = step; second <= until; second += step) seconds.push_back(second);
    return listed(seconds);
}

/// Decides and notes it. "fired 10; missed 20..30 x2"
std::string decided(const SchedulePolicy& policy, ScheduleState& state, const Recurrences& due,
                    std::int64_t now, const ScheduleFacts& facts = {})
{
    std::string text;
    for (const Occurred& one : decide(policy, state, due, "s", facts, at(now))) {
        state.note(one);
        const auto seconds = [](WallTime time) {
            return std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
        };
        text += (text.empty() ? "" : "; ") + std::string(to_string(one.fate)) + " " +
                seconds(one.first);
        if (one.count > 1) text += ".." + seconds(one.last) + " x" + std::to_string(one.count);
    }
    return text;
}

} // namespace

TEST_CASE("what was missed fires once, not at all, or so many times")
{
    const Recurrences due = every(10);
    SchedulePolicy policy;
    ScheduleState state;
    CHECK(decided(policy, state, due, 9) == "");
    CHECK(decided(policy, state, due, 10) == "fired 10");
    CHECK(decided(policy, state, due, 10) == "");
    CHECK(decided(policy, state, due, 505) == "missed 20..490 x48; fired 500");
    policy.on_missed = OnMissed::skip;
    CHECK(decided(policy, state, due, 515) == "fired 510"); // the machine was busy
    policy.on_missed = OnMissed::all;
    policy.max_missed = 3;
    CHECK(decided(policy, state, due, 565) ==
          "missed 520..530 x2; fired 540; fired 550; fired 560");
    CHECK(state.fired == 6);
    const Recurrences rare = listed({1000, 2000, 3000});
    policy.on_missed = OnMissed::skip;
    CHECK(decided(policy, state, rare, 1060) == "fired 1000");
    CHECK(decided(policy, state, rare, 2061) == "missed 2000");
    policy.on_missed = OnMissed::once;
    policy.missed_within = 100s;
    CHECK(decided(policy, state, rare, 3101) == "missed 3000");
    CHECK_FALSE(next_wake(policy, state, rare, "s"));
}

TEST_CASE("a task that has not ended keeps the next from firing, or is replaced, or neither")
{
    const Recurrences due = every(10);
    SchedulePolicy policy;
    ScheduleState state;
    CHECK(decided(policy, state, due, 10, {true}) == "overlapped 10");
    policy.on_overlap = OnOverlap::queue;
    CHECK(decided(policy, state, due, 20, {true}) == "fired 20");
    policy.on_overlap = OnOverlap::allow;
    CHECK(decided(policy, state, due, 30, {true}) == "fired 30");
    policy.on_overlap = OnOverlap::replace;
    policy.on_missed = OnMissed::all;
    policy.max_missed = 5;
    CHECK(decided(policy, state, due, 60, {true}) == "missed 40..50 x2; fired 60");
    policy.on_overlap = OnOverlap::allow;
    CHECK(decided(policy, state, due, 90, {false, 2}) == "fired 70; fired 80; refused 90");
    CHECK(decided(policy, state, due, 100, {false, 0}) == "refused 100");
}

TEST_CASE("a schedule ends after so many times, or at a time; a paused one does nothing")
{
    const Recurrences due = every(10);
    SchedulePolicy policy;
    policy.times = 2;
    policy.until = at(45);
    ScheduleState state;
    state.paused = true;
    CHECK(decided(policy, state, due, 20) == "");
    CHECK_FALSE(next_wake(policy, state, due, "s"));
    state.paused = false;
    state.begin_at(at(25));
    CHECK(next_wake(policy, state, due, "s") == at(30));
    CHECK(decided(policy, state, due, 30) == "fired 30");
    CHECK(decided(policy, state, due, 100) == "fired 40");
    CHECK(is_used_up(policy, state));
    policy.times = 9;
    CHECK_FALSE(next_wake(policy, state, due, "s"));
    CHECK(decided(policy, state, due, 200) == "");
    state.note({OccurrenceFate::manual, at(300), at(300), 1});
    CHECK(state.fired == 2);
}

TEST_CASE("jitter is the same each time, differs by name and occurrence, and is below its bound")
{
    SchedulePolicy policy;
    policy.jitter = 100s;
    std::set<Duration> seen;
    for (std::int64_t second = 0; second < 1000; ++second) {
        const Duration by = jitter_of(policy, "backup", at(second));
        CHECK(by >= 0s);
        CHECK(by < 100s);
        CHECK(by == jitter_of(policy, "backup", at(second)));
        seen.insert(by);
    }
    CHECK(seen.size() == 1000);
    CHECK(jitter_of(policy, "backup", at(5)) != jitter_of(policy, "other", at(5)));
    const Recurrences due = listed({1000, 1010, 1020, 5000});
    ScheduleState state;
    const WallTime first = *next_wake(policy, state, due, "backup");
    CHECK(first == at(1000) + jitter_of(policy, "backup", at(1000)));
    CHECK(decide(policy, state, due, "backup", {}, first - 1ns).empty());
    CHECK(decide(policy, state, due, "backup", {}, first).front().first == at(1000));
    const auto later = decide(policy, state, due, "backup", {}, at(2000));
    CHECK(later.front() == Occurred{OccurrenceFate::missed, at(1000), at(1010), 2});
    CHECK(later.back() == Occurred{OccurrenceFate::fired, at(1020), at(1020), 1});
}

TEST_CASE("a clock that was far in the future and is set right again keeps nothing from firing")
{
    const Recurrences due = every(10, 1'000'000);
    SchedulePolicy policy;
    ScheduleState state;
    CHECK(decided(policy, state, due, 10) == "fired 10");
    CHECK(decided(policy, state, due, 900'000) == "missed 20..899990 x89998; fired 900000");
    state.clock_set_back(at(15));
    CHECK(next_wake(policy, state, due, "s") == at(20));
    CHECK(decided(policy, state, due, 20) == "fired 20");
    CHECK(decided(policy, state, due, 30) == "fired 30");
    // Back over what has fired.
    state.clock_set_back(at(5));
    CHECK(next_wake(policy, state, due, "s") == at(40));
    CHECK(decided(policy, state, due, 35) == "");
    CHECK(decided(policy, state, due, 40) == "fired 40");
    CHECK(decided(policy, state, due, 900'010).ends_with("; fired 900010"));
}

TEST_CASE(
    "nothing fires twice and nothing is dropped, whatever the clock does and whoever is killed")
{
    constexpr int rounds = 400, steps = 120;
    for (int round = 0; round < rounds; ++round) {
        std::mt19937 dice(static_cast<unsigned>(round));
        const auto below = [&](unsigned bound) {
            return static_cast<std::int64_t>(dice() % bound);
        };
        std::vector<std::int64_t> seconds;
        for (std::int64_t second = 1; second < 4000; second += 1 + below(40))
            seconds.push_back(second);
        const Recurrences due = listed(seconds);
        SchedulePolicy policy;
        policy.on_missed = static_cast<OnMissed>(below(3));
        policy.max_missed = 1 + static_cast<std::uint32_t>(below(5));
        policy.on_overlap = static_cast<OnOverlap>(below(4));
        if (below(3) == 0) policy.missed_within = std::chrono::seconds(below(50));

        std::vector<Occurred> journal;                              // what a killed one has left
        std::vector<std::pair<std::size_t, std::int64_t>> set_back; // before which of them
        ScheduleState state;
        std::set<std::int64_t> closed; // fired, or skipped for good
        std::int64_t clock = 0;
        int jumps_back = 0;
        for (int step = 0; step < steps; ++step) {
            const std::int64_t before = clock;
            if (below(25) == 0 && jumps_back < 10) {
                ++jumps_back;
                clock = std::max<std::int64_t>(0, clock - below(300));
            } else {
                clock += below(10) == 0 ? below(400) : below(30);
            }
            if (state.mark > at(clock)) {
                state.clock_set_back(at(clock));
                set_back.emplace_back(journal.size(), clock);
            }
            const ScheduleFacts facts{below(4) == 0, below(5) == 0 ? 1u : UINT64_MAX};
            const auto wake = next_wake(policy, state, due, "s");
            const auto decisions = decide(policy, state, due, "s", facts, at(clock));
            REQUIRE(decisions.empty() == !(wake && *wake <= at(clock)));
            // All in between that are not closed, each once, in order.
            std::vector<std::int64_t> expected;
            for (const std::int64_t second : seconds)
                if (second > std::min(before, clock) && second <= clock && !closed.contains(second))
                    expected.push_back(second);
            std::uint64_t count = 0;
            for (const Occurred& one : decisions) {
                REQUIRE(one.first >= at(expected.at(count)));
                REQUIRE(one.first == at(expected.at(count)));
                count += one.count;
                REQUIRE(one.last == at(expected.at(count - 1)));
                if (one.fate == OccurrenceFate::fired) {
                    REQUIRE(one.count == 1);
                    REQUIRE_FALSE(closed.contains(expected.at(count - 1)));
                }
                if (one.fate != OccurrenceFate::missed)
                    closed.insert(expected.begin() + static_cast<std::ptrdiff_t>(count - one.count),
                                  expected.begin() + static_cast<std::ptrdiff_t>(count));
                state.note(one);
                journal.push_back(one);
            }
            REQUIRE(count == expected.size());
            if (below(10) == 0) { // killed: another reads what is on record
                ScheduleState again;
                auto jump = set_back.begin();
                for (std::size_t i = 0; i <= journal.size(); ++i) {
                    for (; jump != set_back.end() && jump->first == i; ++jump)
                        again.clock_set_back(at(jump->second));
                    if (i < journal.size()) again.note(journal[i]);
                }
                REQUIRE(again == state);
            }
        }
    }
}
