#include "support/hand_driven.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

Policy with_restart_policy(RestartPolicy restart_policy)
{
    Policy spec;
    spec.restart_policy = std::move(restart_policy);
    return spec;
}

RestartPolicy retries(std::uint32_t count)
{
    RestartPolicy restart_policy;
    restart_policy.retries = count;
    return restart_policy;
}

RestartPolicy restart(Restart policy)
{
    RestartPolicy restart_policy;
    restart_policy.restart = policy;
    return restart_policy;
}

/// The command ends like this at that time; what follows is done at once.
std::string ends(Task& task, Duration at, const MainEnd& how)
{
    task(at, MainEnded{how});
    return task(at, TreeEmpty{});
}

/// Waits for the next attempt and starts it; returns how long it waited.
Duration next_start(Task& task, Duration from)
{
    CHECK(lifecycle(task.state) == Lifecycle::backing_off);
    const Duration at = *task.due();
    CHECK(task(at, Tick{}) == "save start-again");
    CHECK(lifecycle(task.state) == Lifecycle::starting);
    CHECK(task(at, Started{}) == "save");
    return at - from;
}

} // namespace

TEST_CASE("a failed attempt is tried again, as often as was asked for")
{
    Task task = running(with_restart_policy(retries(2)));
    CHECK(ends(task, 10s, Exited{1}) == "end-attempt save");
    const Duration first = next_start(task, 10s);
    CHECK((first >= 800ms && first <= 1s));
    CHECK(task.state.attempts.number == 2);
    CHECK(ends(task, 20s, Signaled{11}) == "end-attempt save");
    const Duration second = next_start(task, 20s);
    CHECK((second >= 1600ms && second <= 2s));
    CHECK(ends(task, 30s, Exited{1}) == "finish release");
    CHECK(task.in<Ended>().outcome.code == 1);
    Task good = running(with_restart_policy(retries(2)));
    CHECK(ends(good, 1s, Exited{0}) == "finish release");
}

TEST_CASE("only the exit codes that were named are tried again")
{
    RestartPolicy restart_policy = retries(5);
    restart_policy.retry_on = {75, 139};
    Task task = running(with_restart_policy(restart_policy));
    CHECK(ends(task, 1s, Exited{75}) == "end-attempt save");
    next_start(task, 1s);
    CHECK(ends(task, 5s, Signaled{11}) == "end-attempt save"); // 128 + 11
    next_start(task, 5s);
    CHECK(ends(task, 9s, Exited{1}) == "finish release");
}

TEST_CASE("restart policies")
{
    const auto follows = [](Restart policy, const MainEnd& how) {
        Task task = running(with_restart_policy(restart(policy)));
        return ends(task, 1s, how) == "end-attempt save";
    };
    CHECK(follows(Restart::always, Exited{0}));
    CHECK(follows(Restart::always, Exited{1}));
    CHECK_FALSE(follows(Restart::on_failure, Exited{0}));
    CHECK(follows(Restart::on_failure, Exited{3}));
    CHECK(follows(Restart::on_failure, Signaled{9}));
    CHECK_FALSE(follows(Restart::on_hang, Exited{3}));
    CHECK_FALSE(follows(Restart::no, Exited{3}));
    CHECK_FALSE(follows(Restart::always, Unseen{})); // nobody knows how it ended
}

TEST_CASE("a hang is followed by another attempt where that was asked for")
{
    for (const bool by_policy : {true, false}) {
        Policy spec = with_restart_policy(restart(by_policy ? Restart::on_hang : Restart::no));
        spec.hang.output = 5s;
        if (!by_policy) spec.hang.on_hang = OnHang::restart;
        Task task = running(spec);
        task(5s, Sampled{{task.zero, task.zero, {}, Activity::blocked}});
        CHECK(task.in<Stopping>().reason == Reason::output_timeout);
        CHECK(ends(task, 6s, Exited{0}) == "end-attempt save");
        CHECK(task.in<BackingOff>().last.reason == Reason::output_timeout);
        next_start(task, 6s);
        CHECK(task.state.hang_state.since > task.zero + 6s); // its clocks are its own
    }
}

TEST_CASE("what is being stopped is not started again")
{
    SECTION("killed while it runs")
    {
        Task task = running(with_restart_policy(restart(Restart::always)));
        task(1s, StopRequested{});
        CHECK(ends(task, 2s, Signaled{15}) == "finish release");
    }
    SECTION("killed while a hang is being ended")
    {
        Policy spec = with_restart_policy(restart(Restart::always));
        spec.hang.output = 5s;
        Task task = running(spec);
        task(5s, Sampled{{task.zero, task.zero, {}, Activity::blocked}});
        task(6s, StopRequested{});
        CHECK(ends(task, 7s, Signaled{9}) == "finish release");
        CHECK(task.in<Ended>().outcome.reason == Reason::output_timeout);
    }
    SECTION("killed between two attempts: the outcome is that of the last one")
    {
        Task task = running(with_restart_policy(restart(Restart::always)));
        ends(task, 1s, Exited{3});
        CHECK(task(1s, StopRequested{}) == "finish release");
        CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 3, 0, Reason::killed, 0});
    }
    SECTION("its time is over")
    {
        Policy spec = with_restart_policy(restart(Restart::always));
        spec.timeout = 10s;
        Task task = running(spec);
        ends(task, 9900ms, Exited{3});
        CHECK(task.due() == 10s); // sooner than the next attempt
        CHECK(task(10s, Tick{}) == "finish release");
        CHECK(exit_code(task.in<Ended>().outcome) == 123);
    }
}

TEST_CASE("bgt restart: at once, and not counted as a retry")
{
    Task task = running();
    StopRequested restart;
    restart.again = true;
    CHECK(task(1s, restart) == "save note:stop/killed/15/0 signal:15");
    CHECK(ends(task, 2s, Signaled{15}) == "end-attempt save start-again");
    CHECK(task(2s, Started{}) == "save");
    CHECK(task.state.attempts.number == 2);
    CHECK(task.state.attempts.retries == 0);
    CHECK(ends(task, 3s, Exited{0}) == "finish release");
    Task changed = running();
    changed(1s, restart);
    changed(1s,
            StopRequested{Reason::owner_gone, false, {}}); // whoever wants an end has the last word
    CHECK(ends(changed, 2s, Signaled{15}) == "finish release");
    Task waiting = running(with_restart_policy(retries(1)));
    ends(waiting, 1s, Exited{1});
    CHECK(waiting(1s, restart) == "save start-again");
}

TEST_CASE("too many restarts in too short a time are given up")
{
    RestartPolicy restart_policy = restart(Restart::always);
    restart_policy.max_restarts = 3;
    restart_policy.max_period = 1h;
    restart_policy.backoff_min = restart_policy.backoff_max = 0s;
    Task task = running(with_restart_policy(restart_policy));
    Duration at = 0s;
    for (int i = 0; i < 3; ++i) {
        at += 1s;
        CHECK(ends(task, at, Exited{1}) == "end-attempt save");
        next_start(task, at);
    }
    CHECK(ends(task, 10s, Exited{1}) == "note:restart-limit/self/0/3 finish release");
    Task no_escalation = running(with_restart_policy(restart_policy));
    at = 0s;
    for (int i = 0; i < 20; ++i) {
        at += 21min;
        CHECK(ends(no_escalation, at, Exited{1}) == "end-attempt save");
        next_start(no_escalation, at);
    }
}

TEST_CASE("the backoff doubles up to its bound, with jitter, and begins anew after a long run")
{
    RestartPolicy restart_policy = restart(Restart::always);
    restart_policy.max_restarts = 0;
    restart_policy.backoff_min = 1s;
    restart_policy.backoff_max = 10s;
    restart_policy.seed = 7;
    Task task = running(with_restart_policy(restart_policy));
    Duration at = 0s;
    for (const Duration most : {1s, 2s, 4s, 8s, 10s, 10s}) {
        at += 1s;
        ends(task, at, Exited{1});
        const Duration wait = next_start(task, at);
        CHECK((wait <= most && wait >= most * 4 / 5));
        at += wait;
    }
    at += 1min;
    ends(task, at, Exited{1});
    CHECK(next_start(task, at) <= 1s);
    CHECK(task.state.attempts.restarts.empty());
}

TEST_CASE("five attempts that end in a minute are a crash loop, until one lasts for a minute")
{
    RestartPolicy fast = restart(Restart::always);
    fast.backoff_min = fast.backoff_max = 1s;
    Task task = running(with_restart_policy(fast));
    Duration at = 5s;
    for (int i = 1; i <= 4; ++i) {
        CHECK(ends(task, at, Exited{0}) == "end-attempt save");
        at += next_start(task, at) + 5s;
    }
    CHECK_FALSE(task.state.attempts.crash_loop);
    CHECK(ends(task, at, Exited{0}) == "end-attempt note:crash-loop/self/0/5 save");
    CHECK(task.state.attempts.crash_loop);
    at += next_start(task, at);
    CHECK(ends(task, at + 5s, Exited{0}) == "end-attempt save"); // it is told once
    at += 5s;
    const Duration began = at + next_start(task, at);
    CHECK(*task.due() <= began + 1min);
    std::string did;
    for (Duration now = began + 1min; task.state.attempts.crash_loop && now < began + 2min;
         now += 1s)
        did += task(now, Tick{}) + " ";
    CHECK(did.find("note:moving") != did.npos);
    CHECK(task.state.attempts.ends.empty());
}

TEST_CASE("three attempts a minute are no crash loop")
{
    RestartPolicy slow = restart(Restart::always);
    slow.backoff_min = slow.backoff_max = 1s;
    slow.max_restarts = 0;
    Task task = running(with_restart_policy(slow));
    Duration at = 20s;
    for (int i = 0; i < 12; ++i) {
        ends(task, at, Exited{0});
        at += next_start(task, at) + 20s;
        CHECK_FALSE(task.state.attempts.crash_loop);
    }
}

TEST_CASE("a command that can't be started again ends the task")
{
    Task task = running(with_restart_policy(retries(3)));
    ends(task, 1s, Exited{1});
    task(*task.due(), Tick{});
    CHECK(task(3s, StartFailed{}) == "finish release");
    CHECK(task.in<Ended>().outcome.kind == OutcomeKind::failed_to_start);
}
