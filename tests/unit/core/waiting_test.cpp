// Waiting against a naive model: random facts, and after each of them the verdict as it follows
// from all facts so far.
#include "waiting_model.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace bgt::test;
using namespace std::chrono_literals;

TEST_CASE("Random facts give the verdict that follows from all of them")
{
    constexpr int sequences = 5'000; // of some eight facts each
    Random random(GENERATE(1u, 2u, 3u, 4u));
    int met = 0, impossible = 0;
    for (int n = 0; n < sequences; ++n) {
        const std::vector<std::string> texts = random.conditions();
        const std::size_t tasks = 1 + random.below(3);
        const WaitRules rules{random.one_in(2), random.one_in(4)};
        Waiting waits = waiting(texts, tasks, rules);
        std::vector<Event> events;
        while (waits.verdict().kind == Kind::pending && events.size() < 16) {
            const Event& event = events.emplace_back(random.event(tasks, texts));
            if (const auto* const answer = std::get_if<fact::Answered>(&event.fact))
                waits.answer(event.about, *answer);
            else waits.take(event.about, event.fact);
            const Model model(texts, tasks, rules, events);
            if (waits.verdict() == model.verdict()) continue;
            INFO(describe(texts, events));
            REQUIRE(waits.verdict().kind == model.verdict().kind);
            REQUIRE(waits.verdict().cause == model.verdict().cause);
            REQUIRE(waits.verdict().task == model.verdict().task);
            REQUIRE(waits.verdict().condition == model.verdict().condition);
        }
        met += waits.verdict().kind == Kind::met;
        impossible += waits.verdict().kind == Kind::impossible;
    }
    CHECK(met > sequences / 10);
    CHECK(impossible > sequences / 10);
}

TEST_CASE("A pending wait says what it needs, and nothing more")
{
    Waiting waits = waiting({"log:a", "port", "tcp:1", "quiet:5s"});
    CHECK(waits.needed(0) == Observations{Observation::output, Observation::listeners,
                                          Observation::probe, Observation::output_age});
    CHECK(waits.min_span(0, Observation::output_age) == 5s);
    const std::vector<std::uint16_t> ports{80};
    waits.take(0, fact::Listening{ports});
    waits.take(0, fact::Silence{6s});
    CHECK(waits.needed(0) == Observations{Observation::output, Observation::probe});
    CHECK(waits.needs_probe(2));
    CHECK_FALSE(waits.min_span(0, Observation::output_age));
    waits.answer(2, {true, {}});
    CHECK_FALSE(waits.needs_probe(2));
    CHECK(waits.verdict().kind == Kind::pending);
    waits.take(0, fact::Line{"a"});
    CHECK(waits.verdict() == WaitVerdict{Kind::met, Cause::none, 0, 0});
    CHECK(waits.needed().empty());
    CHECK(waits.settled(0));
}

TEST_CASE("The end of a task counts when all else was observed once more")
{
    Waiting waits = waiting({"log:a", "tcp:1", "port"});
    waits.take(0, fact::OutputRead{});
    waits.answer(1, {false, "refused"});
    CHECK(waits.last_answer(1) == "refused");
    waits.take(0, over(0));
    CHECK(waits.verdict().kind == Kind::pending);
    CHECK(waits.needed(0) == Observations{Observation::output, Observation::probe});
    waits.take(0, fact::Line{"a"});
    waits.take(0, fact::OutputRead{});
    CHECK(waits.needed(0) == Observations{Observation::probe});
    waits.answer(1, {false, {}});
    CHECK(waits.verdict() == WaitVerdict{Kind::impossible, Cause::ended, 0, 1});
}

TEST_CASE("A guard is over when all it guards is settled")
{
    Waiting waits = waiting({"log:a", "log-fail:x"}, 2);
    waits.take(0, fact::Line{"a"});
    waits.take(0, fact::Line{"x"});
    CHECK(waits.verdict().kind == Kind::pending);
    CHECK(waits.first_open(1) == 0);
    waits.take(1, fact::Line{"ax"});
    CHECK(waits.verdict() == WaitVerdict{Kind::impossible, Cause::guard, 1, 1});
}

TEST_CASE("Why a task can't become ready")
{
    const auto cause = [](Readiness readiness) {
        Waiting waits = waiting({"ready"});
        fact::Recorded record;
        record.readiness = readiness;
        waits.take(0, record);
        return waits.verdict().cause;
    };
    CHECK(cause(Readiness::possible) == Cause::none);
    CHECK(cause(Readiness::lost) == Cause::never_ready);
    CHECK(cause(Readiness::no_condition) == Cause::no_readiness);
}

TEST_CASE("A task that is stuck ends a wait that asks for it")
{
    for (const bool or_stuck : {true, false}) {
        Waiting waits = waiting({"exit"}, 2, {false, or_stuck});
        CHECK(waits.needed().has(Observation::look) == or_stuck);
        fact::Recorded record;
        record.stalled = true;
        waits.take(1, record);
        CHECK(waits.verdict().cause == (or_stuck ? Cause::stalled : Cause::none));
        record.waiting_input = true;
        waits.take(1, record);
        CHECK(waits.verdict().cause == (or_stuck ? Cause::waiting_input : Cause::none));
        waits.take(1, over(0));
        CHECK(waits.verdict().kind == Kind::pending);
    }
}
