// core::step: how a task is stopped. The rest: step_test.cpp.
#include "step_sample.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

TEST_CASE("mixed: the stop signals go to the main process while it lives, SIGKILL to all")
{
    Policy policy;
    policy.kill_mode = KillMode::mixed;
    policy.stop_ladder = {{3, 2s}, {15, 5s}};
    Task task = running(policy);
    CHECK(task(10s, StopRequested{}) == "save note:stop/killed/3/0 signal:3!");
    SECTION("which ends")
    {
        task(11s, MainEnded{Exited{0}});
        CHECK(task(12s, Tick{}) == "note:rung/killed/15/0 signal:15");
    }
    SECTION("which stays")
    {
        CHECK(task(12s, Tick{}) == "note:rung/killed/15/0 signal:15!");
    }
    CHECK(task(17s, Tick{}).find("kill") != std::string::npos);
}

TEST_CASE("mixed: what outlives the main process gets the signals itself")
{
    Policy policy;
    policy.kill_mode = KillMode::mixed;
    Task task = running(policy);
    task(1s, MainEnded{Exited{0}});
    task(1s, TreeLives{2});
    CHECK(task(2s, StopRequested{}) == "save note:stop/killed/15/2 signal:15");
}

TEST_CASE("the ladder goes rung by rung to KILL, main process or not")
{
    Policy spec;
    spec.stop_ladder = {{3, 2s}, {15, 5s}};
    Task task = running(spec);
    CHECK(task(10s, StopRequested{}) == "save note:stop/killed/3/0 signal:3");
    CHECK(task.due() == Duration(12s));
    CHECK(task.killed_by() == Duration(17s));
    CHECK(task(10s, Swept{5}).empty());
    CHECK(task(11s, MainEnded{Signaled{3}}) == "look");
    CHECK(task(11s, TreeLives{4}) == "save");
    CHECK(task(12s, Tick{}) == "note:rung/killed/15/0 signal:15");
    CHECK(task(12s, Swept{3}).empty());
    CHECK(task.killed_by() == Duration(17s));
    CHECK(task(17s, Tick{}) == "note:rung/killed/9/0 kill");
    CHECK(task(17s, Swept{1}).empty());
    CHECK(task.due() == Duration(17s + 1ms));
    CHECK(task(17s + 1ms, Tick{}) == "kill");
    CHECK(task(17s + 1ms, Swept{2}).empty());
    CHECK(task.killed_by() == Duration(17s));
    CHECK(task.due() == Duration(17s + 3ms));
    CHECK(task(17s + 2ms, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::signaled, 0, 3, Reason::killed, 0});
    CHECK(task.in<Ended>().tally == std::vector<StepTally>{{3, 5, 2}, {15, 3, 2}, {9, 2, 2}});
}

TEST_CASE("a late tick does not put KILL off")
{
    Policy spec;
    spec.stop_ladder = {{3, 2s}, {15, 5s}, {1, 10s}};
    Task task = running(spec);
    task(0s, StopRequested{});
    SECTION("within the second rung")
    {
        CHECK(task(6s, Tick{}) == "note:rung/killed/15/0 signal:15");
        CHECK(task.due() == Duration(7s));
    }
    SECTION("a rung whose time is over is passed over")
    {
        CHECK(task(8s, Tick{}) == "note:rung/killed/1/0 signal:1");
        CHECK(task.killed_by() == Duration(17s));
    }
    SECTION("all of them")
    {
        CHECK(task(17s, Tick{}) == "note:rung/killed/9/0 kill");
    }
}

TEST_CASE("what survives SIGKILL is told once and looked after slowly")
{
    Task task = running();
    task(0s, stop_now());
    task(0s, Swept{1});
    task(0s, TreeLives{1});
    Duration now{};
    int sweeps = 0;
    std::string told;
    while (told.empty()) {
        const Duration next = *task.due();
        REQUIRE(next - now <= 50ms);
        now = next;
        const std::string actions = task(now, Tick{});
        if (actions != "kill") told = actions;
        REQUIRE(++sweeps < 100);
    }
    CHECK(told == "note:survivors/killed/9/1 save kill");
    CHECK(now >= 1s);
    CHECK(now < 1100ms);
    for (int i = 0; i < 5; ++i) {
        CHECK(*task.due() == now + 1s);
        now += 1s;
        CHECK(task(now, Tick{}) == "kill");
    }
    CHECK(task(now, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::lost, 0, 0, Reason::killed, 0});
}

TEST_CASE("a second request only makes it faster")
{
    Task task = running(with_timeout(60s));
    task(60s, Tick{});
    SECTION("a person's")
    {
        CHECK(task(61s, StopRequested{}) == "note:rung/timeout/9/0 kill");
    }
    SECTION("now")
    {
        CHECK(task(61s, stop_now(Reason::shutdown)) == "note:rung/timeout/9/0 kill");
    }
    SECTION("any other changes nothing")
    {
        const Stopping before = task.in<Stopping>();
        CHECK(task(61s, StopRequested{Reason::owner_gone, false, std::vector<StopStep>{}}).empty());
        Stopping after = task.in<Stopping>();
        CHECK(after.afterwards == Afterwards::never); // and nothing is started again
        after.afterwards = before.afterwards;
        CHECK(after == before);
    }
    CHECK(task.in<Stopping>().reason == Reason::timeout);
    task(62s, MainEnded{Exited{0}});
    CHECK(task(62s, MainEnded{Exited{9}}).empty()); // the first one counts
    task(62s, TreeEmpty{});
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 0, 0, Reason::timeout, 0});
}

TEST_CASE("a request may bring its own ladder, and an empty one is KILL at once")
{
    Task task = running();
    SECTION("longer")
    {
        CHECK(task(0s, StopRequested{Reason::killed, false, std::vector<StopStep>{{2, 30s}}}) ==
              "save note:stop/killed/2/0 signal:2");
        CHECK(task.killed_by() == Duration(30s));
    }
    SECTION("empty")
    {
        CHECK(task(0s, StopRequested{Reason::killed, false, std::vector<StopStep>{}}) ==
              "save note:stop/killed/9/0 kill");
    }
    SECTION("the spec's is empty")
    {
        task.spec.stop_ladder.clear();
        CHECK(task(0s, StopRequested{}) == "save note:stop/killed/9/0 kill");
    }
}
