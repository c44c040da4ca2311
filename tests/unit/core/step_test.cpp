#include "step_sample.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

TEST_CASE("readiness that is lost is put on record, and its time limit does not begin again")
{
    Policy policy;
    policy.awaits_ready = true;
    policy.hang.ready = 10s;
    Task task = running(policy);
    CHECK(task(1s, ReadyLost{}).empty());
    task(1s, Ready{});
    CHECK(task(20s, ReadyLost{}) == "save note:ready-lost/self/0/0");
    CHECK(task(60s, Tick{}).empty());
    CHECK(task(61s, Ready{}) == "save note:ready/self/0/0");
}

TEST_CASE("a task starts, ends by itself and leaves nothing")
{
    Task task{without_notices()};
    CHECK(lifecycle(task.state) == Lifecycle::starting);
    CHECK(task(0s, Started{}) == "save");
    CHECK(task.in<Running>().started == task.zero);
    CHECK(lifecycle(task.state) == Lifecycle::running);
    CHECK(task.due() == std::nullopt);
    CHECK(task(3s, MainEnded{Exited{7}}) == "look");
    CHECK(lifecycle(task.state) == Lifecycle::running);
    CHECK(task(3s, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 7, 0, Reason::self, 0});
    CHECK(lifecycle(task.state) == Lifecycle::ended);
    CHECK(task.due() == std::nullopt);
}

TEST_CASE("a command that could not be executed ends at once")
{
    Task task;
    CHECK(task(0s, StartFailed{}) == "finish release");
    CHECK(task.in<Ended>().outcome.kind == OutcomeKind::failed_to_start);
    CHECK(task(1s, StopRequested{}).empty());
}

TEST_CASE("a stop asked for before the start begins with it")
{
    Task task;
    CHECK(task(0s, StopRequested{Reason::shutdown, false, {}}).empty());
    SECTION("gently")
    {
        CHECK(task(1s, Started{}) == "save save note:stop/shutdown/15/0 signal:15");
    }
    SECTION("twice")
    {
        task(0s, StopRequested{});
        CHECK(task(1s, Started{}) == "save save note:stop/shutdown/9/0 kill");
    }
    SECTION("twice, the second time with test_timeout")
    {
        task(0s, StopRequested{Reason::killed, false, {}, false, true});
        CHECK(task(1s, Started{}) == "save save note:stop/shutdown/15/0 signal:15");
        CHECK(task(1s, StopRequested{Reason::killed, false, {}, false, true}).empty());
    }
    CHECK(task.in<Stopping>().reason == Reason::shutdown);
}

TEST_CASE("how the main process ended is the outcome")
{
    Task task = running();
    SECTION("signal")
    {
        task(1s, MainEnded{Signaled{11}});
        task(1s, TreeEmpty{});
        CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::signaled, 0, 11, Reason::self, 0});
    }
    SECTION("not seen")
    {
        task(1s, MainEnded{Unseen{}});
        task(1s, TreeEmpty{});
        CHECK(task.in<Ended>().outcome.kind == OutcomeKind::lost);
    }
    SECTION("nothing left and nobody saw it end")
    {
        CHECK(task(1s, TreeEmpty{}) == "finish release");
        CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::lost, 0, 0, Reason::self, 0});
    }
}

TEST_CASE("leftovers are ended after their time, and the outcome stays the task's own")
{
    Task task = running();
    task(3s, MainEnded{Exited{0}});
    CHECK(task(3s, TreeLives{2}) == "save");
    CHECK(task.due() == Duration(5s));
    CHECK(task(4999ms, Tick{}).empty());
    CHECK(task(5s, Tick{}) == "save note:leftover/self/15/2 signal:15");
    CHECK(task.in<Stopping>().for_leftover);
    CHECK(lifecycle(task.state) == Lifecycle::stopping);
    task(5s, Swept{2});
    CHECK(task(5s + 10ms, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 0, 0, Reason::self, 2});
    CHECK(task.in<Ended>().tally == std::vector<StepTally>{{15, 2, 2}});
}

TEST_CASE("a leftover that goes by itself in time is no matter")
{
    Task task = running();
    task(3s, MainEnded{Exited{0}});
    task(3s, TreeLives{1});
    CHECK(task(4s, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 0, 0, Reason::self, 0});
}

TEST_CASE("leftovers that are waited for hold the end off")
{
    Task task = running(with_leftover(Leftover::wait));
    task(3s, MainEnded{Exited{4}});
    CHECK(task(3s, TreeLives{1}) == "save");
    CHECK(task.due() == std::nullopt);
    CHECK(task(100h, Tick{}).empty());
    CHECK(task(100h, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome.code == 4);
}

TEST_CASE("leftovers that are kept")
{
    Task task = running(with_leftover(Leftover::keep));
    CHECK(task(3s, MainEnded{Exited{4}}) == "look");
    CHECK(task(3s, TreeLives{3}) == "finish");
    CHECK(task.in<Ended>().tree_lives);
    CHECK(task.due() == std::nullopt);
    const Outcome outcome = task.in<Ended>().outcome;

    SECTION("go by themselves")
    {
        CHECK(task(9s, TreeEmpty{}) == "save release");
        CHECK_FALSE(task.in<Ended>().tree_lives);
        CHECK(task(9s, TreeEmpty{}).empty());
        CHECK(task(9s, stop_now()).empty());
    }
    SECTION("are ended by the whole ladder when somebody asks")
    {
        CHECK(task(10s, StopRequested{}) == "save note:stop/killed/15/0 signal:15");
        CHECK(lifecycle(task.state) == Lifecycle::ended);
        CHECK(task.killed_by() == Duration(15s));
        task(10s, Swept{3});
        CHECK(task(15s, Tick{}) == "note:rung/killed/9/0 kill");
        task(15s, Swept{1});
        CHECK(task(15s + 1ms, TreeEmpty{}) == "save release");
        CHECK(task.in<Ended>().tally == std::vector<StepTally>{{15, 3, 2}, {9, 1, 1}});
        CHECK(task.due() == std::nullopt);
    }
    SECTION("are killed at once")
    {
        CHECK(task(10s, stop_now()) == "save note:stop/killed/9/0 kill");
        CHECK(task(10s, StopRequested{}).empty());
    }
    SECTION("are killed by the second request")
    {
        task(10s, StopRequested{});
        CHECK(task(11s, StopRequested{Reason::owner_gone, false, {}}).empty());
        CHECK(task(11s, StopRequested{}) == "note:rung/killed/9/0 kill");
    }
    CHECK(task.in<Ended>().outcome == outcome);
}

TEST_CASE("the timeout fires once, at its time")
{
    Task task = running(with_timeout(60s));
    CHECK(task.due() == Duration(60s));
    CHECK(task(60s - 1ns, Tick{}).empty());
    CHECK(task(60s, Tick{}) == "save note:stop/timeout/15/0 signal:15");
    CHECK(task.killed_by() == Duration(65s));
    task(60s, Swept{1});
    CHECK(task(61s, MainEnded{Exited{0}}) == "look");
    CHECK(task(61s, TreeEmpty{}) == "finish release");
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 0, 0, Reason::timeout, 0});
    CHECK(exit_code(task.in<Ended>().outcome) == 123);
}

TEST_CASE("the timeout also holds for what the main process left behind")
{
    Policy spec = with_timeout(60s);
    spec.leftover = Leftover::wait;
    Task task = running(spec);
    task(3s, MainEnded{Exited{5}});
    task(3s, TreeLives{1});
    CHECK(task.due() == Duration(60s));
    CHECK(task(60s, Tick{}) == "save note:stop/timeout/15/1 signal:15");
    task(60s, TreeEmpty{});
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 5, 0, Reason::timeout, 0});
}

TEST_CASE("of two dates that have passed the earlier counts")
{
    Task task = running(with_timeout(60s));
    SECTION("leftover")
    {
        task(50s, MainEnded{Exited{0}});
        CHECK(task.due() == Duration(52s));
        CHECK(task(90s, Tick{}) == "save note:leftover/self/15/0 signal:15");
    }
    SECTION("timeout")
    {
        task(59s, MainEnded{Exited{0}});
        CHECK(task.due() == Duration(60s));
        CHECK(task(90s, Tick{}) == "save note:stop/timeout/15/0 signal:15");
    }
}

TEST_CASE("a kill while leftovers are being ended leaves the outcome the task's own")
{
    Task task = running();
    task(1s, MainEnded{Exited{3}});
    task(1s, TreeLives{2});
    task(3s, Tick{});
    task(3s, Swept{2});
    CHECK(task(4s, StopRequested{}) == "note:rung/self/9/0 kill");
    task(4s, Swept{1});
    task(4s, TreeEmpty{});
    CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 3, 0, Reason::self, 2});
}

TEST_CASE("pause and resume, only while it runs; a stop ends the pause")
{
    Task task = running();
    CHECK(task(1s, PauseRequested{}) == "save note:pause/self/0/0 pause");
    CHECK(task.state.paused);
    SECTION("resume")
    {
        CHECK(task(2s, ResumeRequested{}) == "save note:resume/self/0/0 resume");
        CHECK_FALSE(task.state.paused);
    }
    SECTION("stop")
    {
        task(2s, StopRequested{});
        CHECK_FALSE(task.state.paused);
        CHECK(task(2s, PauseRequested{}).empty());
        CHECK(task(2s, ResumeRequested{}).empty());
        CHECK_FALSE(task.state.paused);
    }
    SECTION("the leftovers too")
    {
        task(2s, MainEnded{Exited{0}});
        CHECK(task(2s, ResumeRequested{}) == "save note:resume/self/0/0 resume");
    }
    SECTION("an ended task is not paused")
    {
        task(2s, MainEnded{Signaled{9}});
        task(2s, TreeEmpty{});
        CHECK_FALSE(task.state.paused);
        CHECK(task(3s, PauseRequested{}).empty());
    }
}

TEST_CASE("a supervisor that takes over in the middle of a stop keeps the date")
{
    Stopping taken;
    taken.main_end = Unseen{};
    taken.reason = Reason::timeout;
    taken.ladder = {{15, 5s}};
    taken.rung_ends = Instant{1003s};
    Task task{{}, State{taken}};
    CHECK(task.killed_by() == Duration(3s));
    CHECK(task(2s, Tick{}).empty());
    CHECK(task(3s, Tick{}) == "note:rung/timeout/9/0 kill");
    task(3s, TreeEmpty{});
    CHECK(task.in<Ended>().outcome.reason == Reason::timeout);
}

TEST_CASE("times near the end of time do not overflow")
{
    Policy spec = with_timeout(Duration::max());
    spec.stop_ladder = {{15, Duration::max()}, {2, Duration::max()}, {3, Duration::min()}};
    spec.leftover_wait = Duration::max();
    Task task = running(spec);
    CHECK(next_deadline(spec, task.state) == Instant::max());
    CHECK(task(1s, Tick{}).empty());
    CHECK(task(1s, StopRequested{}) == "save note:stop/killed/15/0 signal:15");
    CHECK(kill_by(task.state) == Instant::max());
    CHECK(task(2s, Tick{}).empty());
    CHECK(task(2s, StopRequested{}) == "note:rung/killed/9/0 kill");
}

TEST_CASE("a negative wait is none")
{
    Policy spec;
    spec.stop_ladder = {{15, -1h}};
    Task task = running(spec);
    task(0s, StopRequested{});
    CHECK(task.killed_by() == Duration(0s));
    CHECK(task(0s, Tick{}) == "note:rung/killed/9/0 kill");
}
