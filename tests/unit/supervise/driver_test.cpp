#include "fakes.hpp"

#include <csignal>

using namespace bgt;
using namespace bgt::supervise;
using namespace bgt::supervise::test;

namespace {

core::Policy plain()
{
    core::Policy policy;
    policy.hang.quiet_after.reset();
    policy.hang.stalled_after.reset();
    return policy;
}

/// A task that has just been started, and nothing of it a process.
struct Driven {
    explicit Driven(core::Policy asked = plain()) : policy(std::move(asked)) {}
    core::Policy policy;
    Story story;
    Records records;
    Helpers helpers;
    FakeClock clock;
    FakeTree tree{helpers, story};
    FakeSpawner spawner{story};
    FakeSigns signs;
    FakeReports reports{story};
    FakeOutput output{story};
    FakeHooks hooks{story};
    Driver driver{policy,
                  core::step(policy, {}, core::Started{}, clock.at).state,
                  {records.recorder, tree, clock, spawner, signs, reports, output, hooks}};

    /// What happened when this event came so long after the start.
    std::string operator()(Duration after_start, core::Event event)
    {
        clock.at = Instant(1000s) + after_start;
        driver.dispatch(std::move(event));
        return story.take();
    }
    Duration wakes_after() const { return *clock.wakes - Instant(1000s); }
};

} // namespace

TEST_CASE(
    "the end of the main process is seen with the next event, recorded, and everything is released")
{
    Driven task;
    CHECK(task(0s, core::Tick{}) == "");
    CHECK_FALSE(task.clock.wakes); // an idle task costs no wake-up
    task.tree.exits(3);
    CHECK(task(5s, core::Tick{}) == "drain task-ends task-ended release");
    const store::Status status = task.records.saved();
    CHECK(status.lifecycle == core::Lifecycle::ended);
    CHECK(status.outcome.code == 3);
    CHECK(status.ended_at == Instant(1005s));
    CHECK(task.records.events().find("\"ended\"") != std::string::npos);
}

TEST_CASE("how the main process ended is on record before anything that may take long")
{
    core::Policy policy = plain();
    SECTION("the only attempt") {}
    SECTION("an attempt, and there is another one")
    {
        policy.restart_policy.retries = 1;
        policy.restart_policy.restart = core::Restart::on_failure;
    }
    Driven task(policy);
    int looked = 0;
    const auto look = [&] {
        const store::Status status = task.records.saved();
        CHECK(status.lifecycle == core::Lifecycle::running); // the end itself comes last
        CHECK(status.outcome.kind == core::OutcomeKind::exited);
        CHECK(status.outcome.code == 3);
        ++looked;
    };
    task.output.while_draining = task.hooks.while_task_ends = look;
    task(0s, core::Tick{});
    task.tree.exits(3);
    task(5s, core::Tick{});
    CHECK(looked > 0);
}

TEST_CASE(
    "a stop goes up its ladder by the timer, and its reason is on record before the first signal")
{
    Driven task;
    CHECK(task(1s, core::StopRequested{core::Reason::owner_gone, false, std::nullopt}) ==
          "signal:15x1 signal:18x1");
    CHECK(task.records.saved().outcome.reason == core::Reason::owner_gone);
    CHECK(task.records.saved().lifecycle == core::Lifecycle::stopping);
    CHECK(task.wakes_after() == 6s);
    CHECK(task(6s, core::Tick{}) == "signal:9x1");
    task.tree.living.clear();
    task.tree.next = {core::Signaled{SIGKILL}, true, {}};
    CHECK(task(6s + 1ms, core::Tick{}) == "drain task-ends task-ended release");
    CHECK(task.records.saved().outcome.signal == SIGKILL);
}

TEST_CASE("what survives SIGKILL is put on record with its pid")
{
    Driven task;
    task.tree.living = {10, 11};
    CHECK(task(0s, core::StopRequested{core::Reason::killed, true, std::nullopt}) == "signal:9x2");
    task.tree.living = {11};
    CHECK(task(500ms, core::Tick{}) == "signal:9x1");
    CHECK(task.records.saved().survivors.empty()); // they are given their time
    CHECK(task(2s, core::Tick{}) == "signal:9x1");
    CHECK(task.records.saved().survivors == std::vector<std::int32_t>{11});
}

TEST_CASE("a hang: the report comes before the signal")
{
    core::Policy policy = plain();
    policy.hang.output = 10s;
    Driven task(policy);
    task(0s, core::Tick{});
    CHECK(task.wakes_after() == 10s);
    CHECK(task(10s, core::Tick{}) == "report:output-timeout signal:15x1 signal:18x1");
    CHECK(task.records.saved().outcome.reason == core::Reason::output_timeout);
}

TEST_CASE("a hang that is only reported, and the user's command for it")
{
    core::Policy policy = plain();
    policy.hang.output = 10s;
    policy.hang.on_hang = core::OnHang::exec;
    Driven task(policy);
    CHECK(task(10s, core::Tick{}) == "report:output-timeout hook:output-timeout");
    CHECK(task.records.saved().stalled);
}

TEST_CASE("a limit on CPU time ends the task, whatever --on-hang says")
{
    core::Policy policy = plain();
    policy.hang.cpu = 10s;
    policy.hang.on_hang = core::OnHang::report;
    Driven task(policy);
    task(0s, core::Tick{});
    CHECK(task.wakes_after() == 10s); // one core
    task.signs.found.cpu = 4s;
    CHECK(task(10s, core::Tick{}) == "");
    CHECK(task.wakes_after() == 16s);
    CHECK(task.records.saved().cpu_used == 4s);
    task.signs.found.cpu = 10s;
    CHECK(task(16s, core::Tick{}) == "report:cpu-limit signal:15x1 signal:18x1");
    CHECK(task.records.saved().outcome.reason == core::Reason::cpu_limit);
}

TEST_CASE("another attempt after a failure: once the tree is empty, and after the pause")
{
    core::Policy policy = plain();
    policy.restart_policy.retries = 1;
    Driven task(policy);
    task.tree.exits(1);
    CHECK(task(5s, core::Tick{}) == "attempt-ended drain");
    CHECK(task.records.saved().next_attempt);
    CHECK(task.records.events().find("\"log_from\":5,\"log_to\":9") != std::string::npos);
    const Duration pause = task.wakes_after() - 5s;
    CHECK(pause > 0s);
    CHECK(task(5s + pause, core::Tick{}) == "spawn:2 attempt-started");
    CHECK(task.tree.living == std::vector<std::int32_t>{20});
    CHECK(task.records.saved().lifecycle == core::Lifecycle::running);
    task.tree.exits(1);
    CHECK(task(9s, core::Tick{}) == "drain task-ends task-ended release");
}

TEST_CASE("an attempt that can't be started ends the task")
{
    core::Policy policy = plain();
    policy.restart_policy.retries = 1;
    Driven task(policy);
    task.tree.exits(1);
    task(5s, core::Tick{});
    task.spawner.failure = Error{ErrorKind::no_command, "there is no such command", 0};
    CHECK(task(60s, core::Tick{}) == "spawn:2 drain task-ends task-ended release");
    CHECK(task.records.saved().outcome.kind == core::OutcomeKind::failed_to_start);
    CHECK(core::exit_code(task.records.saved().outcome) == 127);
}

TEST_CASE("leftovers of the main process are ended after their time")
{
    Driven task;
    task.tree.living = {10, 11};
    task.tree.exits(0, false);
    task.tree.living = {11};
    CHECK(task(1s, core::Tick{}) == "");
    CHECK(task.wakes_after() == 3s);
    CHECK(task(3s, core::Tick{}) == "signal:15x1 signal:18x1");
    task.tree.living.clear();
    CHECK(task(4s, core::Tick{}) == "drain task-ends task-ended release");
    CHECK(task.records.saved().outcome.leftover_killed == 1);
}

TEST_CASE("a pause stops what goes on, and progress that was printed is put on record")
{
    Driven task;
    CHECK(task(1s, core::PauseRequested{}).starts_with("signal:19x1"));
    CHECK(task.records.saved().paused);
    CHECK(task(2s, core::ResumeRequested{}) == "signal:18x1");
    task.signs.progress = core::Progress{0.5, "linking", 4};
    task(3s, core::SampleRequested{});
    CHECK(task.records.saved().progress == 0.5);
    CHECK(task.records.saved().step == "linking");
}
