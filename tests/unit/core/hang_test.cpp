#include "support/hand_driven.hpp"

#include <bgt/core/hang_rules.hpp>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

Policy with_rules(HangRules rules, Kind kind = Kind::job)
{
    Policy spec;
    spec.kind = kind;
    spec.hang = rules;
    spec.hang.quiet_after.reset();
    spec.hang.stalled_after.reset();
    return spec;
}

HangRules output_rule(Duration limit)
{
    HangRules rules;
    rules.output = limit;
    return rules;
}
HangRules progress_rule(Duration limit)
{
    HangRules rules;
    rules.progress = limit;
    return rules;
}
HangRules idle_rule(Duration limit)
{
    HangRules rules;
    rules.idle = limit;
    return rules;
}

/// What a look at `task` finds: last output, new text and heartbeat so long after its start.
Sampled looked(const Task& task, Duration output, Duration text,
               Activity activity = Activity::blocked, Duration beat = 0s)
{
    return {{task.zero + output, task.zero + text, task.zero + beat, activity}};
}

/// The life of a task that gives no sign, from look to look, until something else than a look
/// happens.
std::string silence(Task& task, Activity activity, Duration until)
{
    while (task.due() && *task.due() <= until) {
        const Duration at = *task.due();
        std::string said = task(at, Tick{});
        if (said == "take-look") said = task(at, looked(task, 0s, 0s, activity));
        if (!said.empty() && said != "save") return format_duration(at) + " " + said;
    }
    return "nothing";
}

} // namespace

TEST_CASE("a task without rules and notices is never looked at")
{
    Task task = running();
    CHECK_FALSE(task.due());
    Task service{{}, State{Starting{}}};
    service.spec.kind = Kind::service;
    service(0s, Started{});
    CHECK_FALSE(service.due());
}

TEST_CASE("output-timeout: any byte resets it, the look comes on its date only")
{
    Task task = running(with_rules(output_rule(10s)));
    CHECK(task.due() == 10s);
    CHECK(task(10s, Tick{}) == "take-look");
    CHECK(task(10s, looked(task, 7s, 0s)) == "save"); // the activity is new
    CHECK(task.due() == 17s);
    CHECK(task(17s, Tick{}) == "take-look");
    CHECK(task(17s, looked(task, 7s, 0s)) ==
          "report:output-timeout save note:stop/output-timeout/15/0 signal:15");
    task(18s, MainEnded{Exited{0}});
    task(18s, TreeEmpty{});
    CHECK(exit_code(task.in<Ended>().outcome) == 120);
}

TEST_CASE("progress-timeout: new text, busy and heartbeats reset it; repeated output does not")
{
    Task task = running(with_rules(progress_rule(10s)));
    CHECK(silence(task, Activity::busy, 60s) == "nothing");
    Task blocked = running(with_rules(progress_rule(10s)));
    CHECK(silence(blocked, Activity::blocked, 60s) ==
          "10s report:progress-timeout save note:stop/progress-timeout/15/0 signal:15");
    Task polling = running(with_rules(progress_rule(10s)));
    CHECK(silence(polling, Activity::trickle, 60s).starts_with("10s report"));
    Task spinner = running(with_rules(progress_rule(10s)));
    for (Duration at = 0s; at < 10s; at = *spinner.due())
        spinner(at, Tick{}), spinner(at, looked(spinner, at, 0s));
    CHECK(spinner(10s, looked(spinner, 10s, 0s)).starts_with("report:progress-timeout"));
    Task talking = running(with_rules(progress_rule(10s)));
    CHECK(talking(9s, looked(talking, 9s, 9s)) == "save");
    CHECK(talking(18s, looked(talking, 18s, 9s)).empty());
    CHECK(talking(20s, looked(talking, 18s, 9s)).starts_with("report:progress-timeout"));
    Task beating = running(with_rules(progress_rule(10s)));
    CHECK(beating(12s, looked(beating, 0s, 0s, Activity::blocked, 11s)) == "save");
    CHECK(beating(21s, looked(beating, 0s, 0s, Activity::blocked, 11s))
              .starts_with("report:progress-timeout"));
}

TEST_CASE("idle-timeout: output does not reset it, work does")
{
    Task task = running(with_rules(idle_rule(10s)));
    CHECK(task(10s, looked(task, 10s, 10s)).starts_with("report:idle-timeout"));
    Task busy = running(with_rules(idle_rule(10s)));
    CHECK(busy(9s, looked(busy, 0s, 0s, Activity::busy)) == "save");
    CHECK(busy(18s, looked(busy, 0s, 0s)) == "save");
    CHECK(busy(19s, looked(busy, 0s, 0s)).starts_with("report:idle-timeout"));
}

TEST_CASE("a stuck task is found within its limit and one pause, whenever it stops")
{
    for (Duration stops = 0s; stops < 40s; stops += 700ms) {
        Task task = running(with_rules(progress_rule(10s)));
        while (true) {
            const Duration at = *task.due();
            REQUIRE(at <= stops + 13s);
            task(at, Tick{});
            const std::string said =
                task(at, looked(task, 0s, 0s,
                                at <= stops + 2500ms ? Activity::busy : Activity::blocked));
            if (!said.starts_with("report")) continue;
            CHECK(at > stops + 9s);
            break;
        }
    }
}

TEST_CASE("of several rules the first one due fires")
{
    HangRules rules = output_rule(10s);
    rules.progress = 8s;
    Task task = running(with_rules(rules));
    CHECK(task(20s, looked(task, 0s, 0s)).starts_with("report:progress-timeout"));
}

TEST_CASE("a rule that only reports fires once for each silence")
{
    HangRules rules = output_rule(10s);
    rules.on_hang = OnHang::report;
    Task task = running(with_rules(rules));
    CHECK(task(10s, looked(task, 0s, 0s)) ==
          "report:output-timeout note:hang/output-timeout/0/0 note:stalled/self/0/0 save");
    CHECK(task.state.hang_state.stalled);
    CHECK(task(25s, looked(task, 0s, 0s)).empty());
    CHECK(task(30s, looked(task, 29s, 0s)) == "note:moving/self/0/0 save");
    CHECK_FALSE(task.state.hang_state.stalled);
    CHECK(task.due() == 39s);
    CHECK(task(39s, looked(task, 29s, 0s)).starts_with("report:output-timeout note:hang"));
    CHECK(lifecycle(task.state) == Lifecycle::running);
}

TEST_CASE("a rule with a hook runs it after the report")
{
    HangRules rules = output_rule(10s);
    rules.on_hang = OnHang::exec;
    Task task = running(with_rules(rules));
    CHECK(
        task(10s, looked(task, 0s, 0s))
            .starts_with("report:output-timeout note:hang/output-timeout/0/0 hook:output-timeout"));
}

TEST_CASE("notices: quiet and stalled of a job, never of a service")
{
    Task job{{}, State{Starting{}}};
    job(0s, Started{});
    CHECK(job.due() == 60s);
    CHECK(job(60s, Tick{}) == "take-look");
    CHECK(job(60s, looked(job, 0s, 0s)) == "note:quiet/self/0/0 save");
    CHECK(silence(job, Activity::blocked, 10min) == "5m report:self note:stalled/self/0/0 save");
    CHECK(lifecycle(job.state) == Lifecycle::running);
    CHECK(job(6min, looked(job, 6min, 6min)) == "note:moving/self/0/0 save");
    Task service{{}, State{Starting{}}};
    service.spec.kind = Kind::service;
    service(0s, Started{});
    CHECK(service(10min, looked(service, 0s, 0s)) == "save");
    CHECK_FALSE(service.state.hang_state.quiet);
}

TEST_CASE("the longer a task has been stalled, the rarer it is looked at")
{
    Task job{{}, State{Starting{}}};
    job(0s, Started{});
    job(60s, looked(job, 0s, 0s));
    CHECK(job.due() == 2min);
    job(6min, looked(job, 0s, 0s));
    CHECK(job.due() == 9min);
    job(1h, looked(job, 0s, 0s));
    CHECK(job.due() == 90min);
    job(10h, looked(job, 0s, 0s));
    CHECK(job.due() == 11h);
    job(11h, looked(job, 11h, 11h)); // it moves
    CHECK(job.due() == 11h + 1min);
}

TEST_CASE("a notice that ends is put on record also where another one stays")
{
    Task job{{}, State{Starting{}}};
    job(0s, Started{});
    job(60s, looked(job, 0s, 0s));
    job(6min, looked(job, 0s, 0s));
    CHECK((job.state.hang_state.quiet && job.state.hang_state.stalled));
    CHECK(job(7min, looked(job, 7min, 0s)) == "save"); // output, and nothing new in it
    CHECK_FALSE(job.state.hang_state.quiet);
    CHECK(job.state.hang_state.stalled);
}

TEST_CASE("notices alone cost at most one look a minute")
{
    Task job{{}, State{Starting{}}};
    job(0s, Started{});
    Duration last = 0s;
    for (int i = 0; i < 60; ++i) {
        const Duration at = *job.due();
        CHECK(at - last >= 60s);
        last = at;
        job(at, Tick{});
        job(at, looked(job, at - 17s * (i % 9), 0s, i % 5 ? Activity::trickle : Activity::busy));
    }
}

TEST_CASE("waiting for input is told, of a service too")
{
    Task service{{}, State{Starting{}}};
    service.spec.kind = Kind::service;
    service(0s, Started{});
    CHECK(service(5s, SampleRequested{}) == "take-look");
    CHECK(service(5s, looked(service, 0s, 0s, Activity::waiting_input)) ==
          "report:self note:waiting-input/self/0/0 save");
    CHECK(service(6s, looked(service, 0s, 0s, Activity::waiting_input)).empty());
    CHECK(service(7s, looked(service, 0s, 0s, Activity::busy)) == "note:moving/self/0/0 save");
}

TEST_CASE("a supervisor that did not run accuses nobody")
{
    Task task = running(with_rules(progress_rule(8s)));
    CHECK(task.due() == 2s);
    CHECK(task(12s, Tick{}) == "note:clocks-restarted/self/0/0 take-look");
    CHECK(task(12s, looked(task, 0s, 0s)) == "save");
    CHECK(task.due() == 14s);
    CHECK(silence(task, Activity::blocked, 60s).starts_with("20s report:progress-timeout"));
    // The wall clock limit is no rule of silence: it stands.
    Task timed = running(with_rules(progress_rule(8s)));
    timed.spec.timeout = 10s;
    CHECK(timed(12s, Tick{}).starts_with("save note:stop/timeout"));
}

TEST_CASE("a paused task is not accused, and begins anew when it goes on")
{
    Task task = running(with_rules(progress_rule(8s)));
    task(1s, PauseRequested{});
    CHECK_FALSE(task.due());
    CHECK(task(60s, looked(task, 0s, 0s)).empty());
    task(100s, ResumeRequested{});
    CHECK(task.due() == 102s);
    CHECK(silence(task, Activity::blocked, 200s).starts_with("1m48s report"));
}

TEST_CASE("ready-timeout runs until the task is ready")
{
    Policy spec = with_rules({}, Kind::service);
    spec.awaits_ready = true;
    spec.hang.ready = 5s;
    Task slow = running(spec);
    CHECK(slow.due() == 5s);
    CHECK(slow(5s, Tick{}) == "report:ready-timeout save note:stop/ready-timeout/15/0 signal:15");
    Task quick = running(spec);
    CHECK(quick(4s, Ready{}) == "save note:ready/self/0/0");
    CHECK(quick.state.hang_state.ready);
    CHECK_FALSE(quick.due());
    CHECK(quick(6s, Ready{}).empty());
    spec.hang.on_hang = OnHang::report;
    Task told = running(spec);
    CHECK(told(5s, Tick{}).starts_with("report:ready-timeout note:hang/ready-timeout"));
    CHECK_FALSE(told.due());
}

TEST_CASE("a watchdog that the task set itself, and a longer time that it asked for")
{
    Task task = running(with_rules({}));
    task(1s, WatchdogSet{5s});
    CHECK(task.due() == 6s);
    CHECK(task(6s, looked(task, 0s, 0s, Activity::busy, 5s)) == "save");
    CHECK(task.due() == 10s);
    CHECK(
        task(10s, looked(task, 0s, 0s, Activity::busy, 5s)).starts_with("report:progress-timeout"));
    Task off = running(with_rules({}));
    off(1s, WatchdogSet{5s});
    off(2s, WatchdogSet{0s});
    CHECK_FALSE(off.due());
    Task extended = running(with_rules(output_rule(10s)));
    extended(9s, Extended{20s});
    CHECK(extended(10s, looked(extended, 0s, 0s)) == "save");
    CHECK(extended(29s, looked(extended, 0s, 0s)).starts_with("report:output-timeout"));
    CHECK(running(with_rules({}))(3s, HangReported{})
              .starts_with("report:progress-timeout save note:stop"));
}

TEST_CASE("the rules go on when the main process has ended and others of its tree are waited for")
{
    Policy spec = with_rules(idle_rule(8s));
    spec.leftover = Leftover::wait;
    Task task = running(spec);
    task(1s, MainEnded{Exited{0}});
    task(1s, TreeLives{1});
    CHECK(silence(task, Activity::blocked, 60s) ==
          "8s report:idle-timeout save note:stop/idle-timeout/15/1 signal:15");
    task(9s, TreeEmpty{});
    CHECK(exit_code(task.in<Ended>().outcome) == 120);
}

TEST_CASE("a daemon becomes ready after its main process has ended, or too late")
{
    Policy spec;
    spec.leftover = Leftover::wait;
    spec.awaits_ready = true;
    spec.hang.ready = 5s;
    Task task = running(spec);
    task(1s, MainEnded{Exited{0}});
    task(1s, TreeLives{1});
    CHECK(task.due() == 5s);
    SECTION("ready")
    {
        CHECK(task(2s, Ready{}) == "save note:ready/self/0/0");
    }
    SECTION("too late")
    {
        CHECK(task(5s, Tick{}) ==
              "report:ready-timeout save note:stop/ready-timeout/15/1 signal:15");
    }
}

TEST_CASE("cpu-limit: nothing is looked at before all cores could have used what is left")
{
    HangRules rules;
    rules.cpu = 100s;
    Task task{with_rules(rules), State{Starting{}}};
    task.state.hang_state.cpu.cores = 4;
    task(0s, Started{});
    CHECK(task.due() == 25s);
    const auto used = [&](Duration cpu) {
        Sampled found = looked(task, 0s, 0s, Activity::busy);
        found.liveness.cpu = cpu;
        return found;
    };
    CHECK(task(25s, Tick{}) == "take-look");
    CHECK(task(25s, used(20s)) == "save");
    CHECK(task.due() == 45s);
    CHECK(task(45s, used(98s)) == "save");
    CHECK(task.due() == 47s + 500ms);    // exact to a tenth of the limit
    CHECK(task(48s, used(97s)).empty()); // what was used is never less
    CHECK(task(50s, used(100s)) == "report:cpu-limit save note:stop/cpu-limit/15/0 signal:15");
}

TEST_CASE("cpu-limit: all attempts count together, --on-hang does not apply, and there is no "
          "attempt after it")
{
    HangRules rules;
    rules.cpu = 10s;
    rules.on_hang = OnHang::restart;
    Policy spec = with_rules(rules);
    spec.restart_policy.restart = Restart::always;
    Task task = running(spec);
    Sampled found = looked(task, 0s, 0s, Activity::busy);
    found.liveness.cpu = 9s;
    task(9s, found);
    task(9s, MainEnded{Exited{1}});
    task(9s, TreeEmpty{});
    task(20s, Tick{});
    task(20s, Started{});
    CHECK(task.state.hang_state.cpu.used == 9s);
    CHECK(*task.due() <= 20s); // measured long ago
    found.liveness.cpu = 10s;
    CHECK(task(20s, found).starts_with("report:cpu-limit save note:stop/cpu-limit"));
    task(21s, MainEnded{Exited{0}});
    CHECK(task(21s, TreeEmpty{}) == "finish release");
    CHECK(exit_code(task.in<Ended>().outcome) == 123);
}

TEST_CASE("each hang rule is one row: its reason names its option, and no two rows share anything")
{
    for (const HangRule& rule : hang_rules) {
        CHECK(rule.option == "--" + std::string(to_string(rule.reason)));
        CHECK(find_hang_rule(rule.reason) == &rule);
        for (const HangRule& other : hang_rules) {
            if (&other == &rule) continue;
            CHECK(rule.limit != other.limit);
            CHECK(rule.key != other.key);
            CHECK(rule.clock != other.clock);
        }
    }
    CHECK(find_hang_rule(Reason::timeout) == nullptr);
}
