// Recorded evidences, and what is to be said of each: states, loops and work.
#include "evidence_sample.hpp"

using namespace evidence_sample;

TEST_CASE("stopped processes")
{
    auto given = evidence({waiting_shell(3), process(4, 3, "build", {thread(Call::unknown, "")})});
    given.processes[1].state = 'T';
    given.processes[1].stop_signal = 19;
    const auto found =
        expect(given, Verdict::stopped,
               "stopped: build (pid 4) was stopped by a signal and goes on with SIGCONT");
    CHECK(found.next == "bgt signal --tree CONT 7");
    given.processes[1].stop_signal = 21;
    given.output = {"Password:"};
    expect(given, Verdict::waiting_input,
           "waiting for input: build (pid 4) was stopped because it read a terminal from the "
           "background (SIGTTIN); last text: Password:");
    given.processes[1].stop_signal = 19;
    given.paused = true;
    CHECK(diagnose(given).next == "bgt resume 7");
}

TEST_CASE("state D counts only where nothing moves")
{
    auto given = evidence(
        {process(4, 1, "cp",
                 {thread(Call::read, "read", {{3, HandleKind::file, "/mnt/nfs/x", 8, false}})})});
    given.processes[0].state = 'D';
    given.processes[0].threads[0].state = 'D';
    given.activity = Activity::unkillable;
    expect(given, Verdict::unkillable,
           "unkillable: cp (pid 4) waits in the kernel (state D), read on /mnt/nfs/x, no CPU for "
           "4m12s");
    given.activity = Activity::trickle;
    CHECK(diagnose(given).verdict == Verdict::blocked);
    given.activity = Activity::busy;
    CHECK(diagnose(given).verdict == Verdict::busy);
}

TEST_CASE("children that have ended")
{
    auto zombie = process(5, 4, "job", {});
    zombie.state = 'Z';
    auto given = evidence({process(4, 1, "daemon", {thread(Call::signal, "pause")}), zombie});
    expect(given, Verdict::zombie_parent,
           "zombie: job (pid 5) has ended, and daemon (pid 4) does not take note of it");
    given.processes[0].threads = {thread(Call::receive, "recv", {socket_handle(3, 51)})};
    CHECK(diagnose(given).verdict == Verdict::waits_network); // that says more
    given.processes.erase(given.processes.begin());
    CHECK(diagnose(given).verdict == Verdict::zombie_parent);
}

TEST_CASE("a child that has just ended accuses nobody, nor a parent that gets no CPU")
{
    auto zombie = process(5, 4, "job", {});
    zombie.state = 'Z';
    zombie.threads.clear();
    auto given = evidence({process(4, 1, "daemon", {thread(Call::signal, "pause")}), zombie});
    CHECK(diagnose(given).certainty == Certainty::likely); // nobody looked before
    given.processes[1].ended_for = 8s;
    CHECK(diagnose(given).verdict == Verdict::zombie_parent);
    CHECK(diagnose(given).certainty == Certainty::sure);
    given.processes[1].ended_for = 0s;
    CHECK(diagnose(given).verdict == Verdict::blocked);
    given.processes[1].ended_for = 8s;
    auto& parent = given.processes[0];
    parent.state = parent.threads[0].state = 'R';
    parent.threads[0].call = Call::running;
    CHECK(diagnose(given).verdict != Verdict::zombie_parent);
    parent.state = parent.threads[0].state = 'S';
    parent.recent_wait = 7s;
    given.recent_span = 8s;
    CHECK(diagnose(given).verdict == Verdict::busy);
    given.processes.erase(given.processes.begin());
    CHECK(diagnose(given).verdict == Verdict::zombie_parent);
    given.processes[0].ended_for = 0s;
    CHECK(diagnose(given).verdict == Verdict::unknown);
}

TEST_CASE("loops that look again and again")
{
    auto nap = thread(Call::sleep, "clock_nanosleep");
    nap.timeout = 1s;
    auto given = evidence({waiting_shell(8), process(99, 8, "sleep", {nap})});
    given.processes[1].age = 300ms;
    given.activity = Activity::trickle;
    expect(given, Verdict::polling,
           "polling: sh (pid 8) looks again and again, with sleep 1s between, nothing new for 5m");
    given.processes[1].age = 10min; // one long sleep
    given.processes[1].threads[0].timeout = 1h;
    expect(given, Verdict::sleeping, "sleeping: sleep (pid 99) sleeps (1h), nothing new for 5m");
    given.processes[1].threads = {nap};
    expect(given, Verdict::polling,
           "polling: sleep (pid 99) looks again and again, with sleeps of 1s, nothing new for 5m");
}

TEST_CASE("what repaints its line for ever spins, unless it is known what it waits for")
{
    auto nap = thread(Call::poll, "epoll_wait");
    nap.timeout = 80ms;
    auto given = evidence({process(8, 1, "npm", {nap})});
    given.processes[0].command = "npm install";
    given.activity = Activity::trickle;
    given.ages.byte = 80ms;
    given.ages.text = 4min;
    given.output = {"| idealTree"};
    expect(given, Verdict::spinning,
           "spinning: the task writes again and again, and nothing new for 4m; last text: | "
           "idealTree");
    given.processes[0].recent_cpu = 3s;
    given.recent_span = 30s;
    expect(given, Verdict::spinning,
           "spinning: npm install (pid 8) writes again and again, and nothing new for 4m (10 % of "
           "a core); last text: | idealTree");
    given.processes[0].recent_cpu = 300ms;
    given.processes[0].threads[0].handles = {socket_handle(5, 51)};
    given.sockets = {tcp(8, 51, "SYN-SENT", "10.0.0.2:4000", "10.0.0.5:443")};
    CHECK(diagnose(given).verdict == Verdict::connecting);
}

TEST_CASE("loops that use less than a tick of CPU between two looks are loops all the same")
{
    auto nap = thread(Call::sleep, "clock_nanosleep");
    nap.timeout = 150ms;
    auto given = evidence({process(8, 1, "worker", {nap})});
    given.ages.byte = given.ages.text = std::nullopt;
    expect(given, Verdict::polling,
           "polling: worker (pid 8) looks again and again, with sleeps of 150ms, no CPU for 4m12s");
    given.ages.cpu = 1s; // it may well have worked before this one sleep
    CHECK(diagnose(given).verdict == Verdict::sleeping);
    given.ages.cpu = 252s;
    given.ages.byte = 100ms;
    given.ages.text = 4min;
    given.output = {"| idealTree"};
    CHECK(diagnose(given).verdict == Verdict::spinning);
    given.ages.byte = 10s; // it has ceased to write
    CHECK(diagnose(given).verdict == Verdict::polling);
}

TEST_CASE("of several that read, the child is named")
{
    auto outer = process(8, 1, "script", {thread(Call::poll, "ppoll", {terminal()})});
    auto inner = process(9, 8, "ssh-keygen", {thread(Call::read, "read", {terminal()})});
    const auto said = diagnose(evidence({outer, inner}));
    CHECK(said.verdict == Verdict::waiting_input);
    CHECK(said.pid == 9);
}

TEST_CASE("a quiet compiler is busy, whatever its parents wait for")
{
    auto given =
        evidence({waiting_shell(3), process(9, 3, "cc1plus", {thread(Call::running, "")})});
    given.processes[1].state = given.processes[1].threads[0].state = 'R';
    given.processes[1].recent_cpu = 29s;
    given.recent_span = 30s;
    given.activity = Activity::busy;
    expect(given, Verdict::busy, "busy: cc1plus (pid 9) uses 97 % of a core, no output for 5m");
    given.activity = Activity::unknown;
    CHECK(diagnose(given).verdict == Verdict::busy);
    given.activity = Activity::busy;
    given.processes[0].recent_cpu = 0ms;
    given.processes[1].recent_cpu = 20ms;
    given.recent_span = 4ms; // no share: two ticks are more than it holds
    expect(given, Verdict::busy, "busy: cc1plus (pid 9) works, no output for 5m");
    given.activity = Activity::unknown;
    given.recent_span.reset(); // never looked at before
    expect(given, Verdict::busy, "busy: cc1plus (pid 9) runs");
}

TEST_CASE("who waits for a new child to execute something is not stuck in the kernel")
{
    auto given = evidence({process(4, 1, "sh", {thread(Call::wait_child, "vfork")}),
                           process(5, 4, "sh", {thread(Call::sleep, "nanosleep")})});
    given.processes[0].state = given.processes[0].threads[0].state = 'D';
    CHECK(diagnose(given).verdict == Verdict::sleeping); // its child's wait is the cause
    CHECK(diagnose(given).pid == 5);
    given.processes[0].threads[0].call = Call::unknown; // a kernel that does not tell the call
    CHECK(diagnose(given).verdict == Verdict::unkillable);
    given.processes[1].age = 20ms;
    CHECK(diagnose(given).verdict != Verdict::unkillable);
}

TEST_CASE("a loop that is met awake is a loop where nothing was measured of work")
{
    auto given = evidence({process(9, 1, "python3", {thread(Call::running, "")})});
    given.processes[0].state = given.processes[0].threads[0].state = 'R';
    given.activity = Activity::trickle;
    expect(given, Verdict::polling,
           "polling: python3 (pid 9) runs for a moment now and then, nothing new for 5m");
    given.ages.text = 900ms; // too early to tell
    CHECK(diagnose(given).verdict == Verdict::busy);
    given.ages.text = given.ages.byte = std::nullopt; // it has never printed anything
    expect(given, Verdict::polling, "polling: python3 (pid 9) runs for a moment now and then");
    given = evidence({waiting_shell(4)});
    given.ages.cpu = 2s;
    expect(given, Verdict::polling,
           "polling: sh (pid 4) runs one short command after the other, nothing new for 5m");
    given.processes[0].thread_count = 2;
    CHECK(diagnose(given).verdict == Verdict::waits_child);
}

TEST_CASE("a program that gets no CPU is not called a loop")
{
    auto given = evidence({process(9, 1, "cc1", {thread(Call::running, "")})});
    given.processes[0].state = given.processes[0].threads[0].state = 'R';
    given.activity = Activity::trickle;
    CHECK(diagnose(given).certainty == Certainty::likely); // nobody has measured its waits
    given.recent_span = 8s;
    given.processes[0].recent_cpu = 30ms;
    given.processes[0].recent_wait = 7760ms;
    const auto said = expect(
        given, Verdict::busy,
        "busy: cc1 (pid 9) waits for a CPU: it waited for 97 % of the last 8.0s and got 0.4 % "
        "of a core");
    CHECK(said.certainty == Certainty::sure);
    given.machine.load = 12.34;
    given.machine.cores = 2;
    given.processes[0].nice = 19;
    expect(
        given, Verdict::busy,
        "busy: cc1 (pid 9) waits for a CPU: it waited for 97 % of the last 8.0s and got 0.4 % of "
        "a core (load 12.3 on 2 cores, nice 19)");
    given.processes[0].recent_wait = 1s;
    CHECK(diagnose(given).verdict == Verdict::polling);
    CHECK(diagnose(given).certainty == Certainty::sure);
}

TEST_CASE("what can't be told is not made up")
{
    CHECK(diagnose(Evidence{}).verdict == Verdict::unknown);
    expect(evidence({process(4, 1, "x", {})}), Verdict::blocked,
           "blocked: x (pid 4) waits, it can't be seen for what, no CPU for 4m12s");
    expect(evidence({process(4, 1, "x", {thread(Call::ipc, "semop")})}), Verdict::blocked,
           "blocked: x (pid 4) waits in semop, no CPU for 4m12s");
    expect(evidence({waiting_shell(4)}), Verdict::waits_child,
           "waits for a child: sh (pid 4) is in wait4, and no child of it lives");
    auto own_parent = process(4, 4, "x", {thread(Call::wait_child, "wait4")});
    CHECK(diagnose(evidence({own_parent})).verdict == Verdict::waits_child);
    auto first = process(4, 5, "a", {thread(Call::wait_child, "wait4")}),
         second = process(5, 4, "b", {thread(Call::wait_child, "wait4")});
    CHECK(diagnose(evidence({first, second})).verdict ==
          Verdict::deadlock); // impossible, and yet it ends
}

TEST_CASE("what contradicts a verdict makes it unsure")
{
    auto given = evidence({process(4, 1, "cat", {thread(Call::read, "read", {terminal()})})});
    CHECK(diagnose(given).certainty == Certainty::sure);
    CHECK(diagnose(given).doubt.empty());
    given.complete = false;
    CHECK(diagnose(given).certainty == Certainty::likely);
    given.processes[0].recent_cpu = 200ms;
    given.recent_span = 60s;
    CHECK(diagnose(given).verdict == Verdict::waiting_input);
    CHECK(diagnose(given).certainty == Certainty::unsure);
    CHECK(diagnose(given).doubt == "it has used 200ms of CPU since the look before");
}

TEST_CASE("a deadlock of Java threads that a dump has told of is remembered, of the same process")
{
    auto earlier = evidence({process(90, 1, "java", {futex(1s), futex(1s)})});
    earlier.dumps = {{90, "java", "java", 3, true}};
    earlier.at = WallTime(1000s);
    auto given = earlier;
    given.dumps.clear();
    given.at = WallTime(1060s);
    given.processes[0].age += 60s;
    CHECK(diagnose(given).verdict != Verdict::deadlock);
    recall(given, earlier);
    CHECK(diagnose(given).verdict == Verdict::deadlock);
    given.dumps = {
        {90, "java", "java", 3, std::nullopt}}; // asked again, and it did not come in time
    recall(given, earlier);
    CHECK(diagnose(given).verdict == Verdict::deadlock);
    given.dumps.clear();
    given.processes[0].age = 10s; // another process has its pid now
    recall(given, earlier);
    CHECK(given.dumps.empty());
}

TEST_CASE("each verdict has a name and a next command")
{
    for (unsigned raw = 0; raw <= static_cast<unsigned>(Verdict::blocked); ++raw)
        CHECK(to_string(static_cast<Verdict>(raw)).empty() == false);
    CHECK(to_string(Verdict::waits_pipe_reader) == "waits-pipe-reader");
    CHECK(to_string(Call::wait_child) == "wait-child");
}
