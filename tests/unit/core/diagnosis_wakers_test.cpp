// Who could end a wait, inside of the tree and outside: recorded and made-up evidences.
#include "evidence_sample.hpp"

using namespace evidence_sample;

namespace {

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

ThreadEvidence holder_of(std::int32_t tid, std::int32_t owner)
{
    auto made = futex();
    made.tid = tid;
    made.futex_owner = owner;
    return made;
}

} // namespace

TEST_CASE("one thread in a futex is no deadlock, and who catches signals may be woken by them")
{
    // signal.signal(SIGTERM, ...); threading.Event().wait()
    auto given = evidence({process(25, 1, "python3", {futex()})});
    given.processes[0].command = "python3 evt.py";
    given.processes[0].catches = {2, 15};
    auto found = expect(
        given, Verdict::blocked,
        "blocked: the only thread of python3 evt.py (pid 25) waits in a futex that nobody in "
        "the tree is seen to wake, no CPU for 4m12s");
    CHECK(found.certainty == Certainty::likely);
    CHECK(found.doubt == "it has a handler for SIGTERM, which may wake it");
    SECTION("the handler that Python always has says nothing")
    {
        given.processes[0].catches = {2};
        found = diagnose(given);
        CHECK(found.verdict == Verdict::blocked);
        CHECK(found.doubt == "a signal may wake it, too");
    }
    SECTION("several threads and a handler: no deadlock either")
    {
        given.processes[0].threads = {futex(), futex(), futex()};
        given.processes[0].thread_count = 3;
        CHECK(diagnose(given).verdict == Verdict::blocked);
        given.processes[0].catches = {2};
        CHECK(diagnose(given).verdict == Verdict::deadlock);
        given.processes[0].comm = given.processes[0].command = "server";
        CHECK(diagnose(given).verdict == Verdict::blocked);
    }
}

TEST_CASE("a circle of mutexes is a deadlock for sure, whatever other threads do")
{
    auto given = evidence({process(90, 1, "worker", {holder_of(91, 92), holder_of(92, 91)})});
    for (std::size_t i = 0; i < 2; ++i)
        given.processes[0].threads[i].tid = 91 + static_cast<std::int32_t>(i);
    given.processes[0].catches = {15};
    auto found = expect(
        given, Verdict::deadlock,
        "deadlock: threads 91 and 92 of worker (pid 90) wait in futex for each other's mutex, "
        "no CPU for 4m12s");
    CHECK(found.certainty == Certainty::sure);
    given.processes[0].threads.push_back(thread(Call::sleep, "nanosleep"));
    given.processes[0].thread_count = 3;
    CHECK(diagnose(given).verdict == Verdict::deadlock);
    SECTION("an owner that does something else will let go")
    {
        given.processes[0].threads[1] = thread(Call::sleep, "nanosleep");
        given.processes[0].threads[1].tid = 92;
        CHECK(diagnose(given).verdict != Verdict::deadlock);
    }
    SECTION("nor is a wait with a date a circle")
    {
        given.processes[0].threads[1].timeout = 5s;
        CHECK(diagnose(given).verdict != Verdict::deadlock);
    }
    SECTION("a thread that holds what it waits for")
    {
        given.processes[0].threads[0].futex_owner = 91;
        CHECK(has(diagnose(given).sentence,
                  "thread 91 of worker (pid 90) waits in futex for a mutex that it holds itself"));
    }
}

TEST_CASE("the runtime of Go wakes each minute, whatever its program does")
{
    auto given = evidence({process(26, 1, "gowg", {futex(), futex(59700ms), futex(), futex()})});
    given.processes[0].runtime = "go";
    given.processes[0].catches = {1, 2, 15};
    const auto found = expect(given, Verdict::blocked,
                              "blocked: no goroutine of gowg (pid 26) can go on: they wait for "
                              "each other or for a signal, "
                              "and all its threads in futex, no CPU for 4m12s");
    CHECK(found.certainty == Certainty::likely);
    SECTION("one that waits for a date of the program's own sleeps")
    {
        auto timer = thread(Call::poll, "epoll_pwait");
        timer.timeout = 44s;
        given.processes[0].threads[2] = timer;
        CHECK(diagnose(given).verdict == Verdict::sleeping);
    }
    SECTION("two programs that read each other's pipes are a deadlock, though one is of Go")
    {
        given.processes[0].threads[0] = thread(Call::read, "read", {pipe_handle(3, 60)});
        given.processes.push_back(
            process(27, 26, "cat", {thread(Call::read, "read", {pipe_handle(0, 61)})}));
        given.pipes = {{60, "pipe:[60]", false, {{26, "gowg", true}}, {{27, "cat", true}}},
                       {61, "pipe:[61]", false, {{27, "cat", true}}, {{26, "gowg", true}}}};
        CHECK(diagnose(given).verdict == Verdict::deadlock);
    }
}

TEST_CASE("a daemon that has inherited a pipe keeps its reader waiting")
{
    // v=$(python3 -m http.server & echo started): the subshell has ended, the server is an orphan.
    auto given =
        evidence({process(30, 2, "bash", {thread(Call::read, "read", {pipe_handle(3, 60)})}),
                  process(32, 2, "python3", {thread(Call::poll, "poll", {socket_handle(3, 50)})})});
    given.pipes = {{60, "pipe:[60]", false, {{30, "bash", true}}, {{32, "python3", true}}}};
    given.sockets = {tcp(32, 50, "LISTEN", "127.0.0.1:8000", "")};
    const auto found = expect(given, Verdict::waits_pipe_writer,
                              "waits for a writer: bash (pid 30) waits for the end of a pipe that "
                              "python3 (pid 32) still holds open; "
                              "python3 (pid 32) waits for connections on :8000");
    CHECK(found.pid == 30);
    SECTION("a child is a part of the work, and what it waits for is the cause")
    {
        given.processes[1].ppid = 30;
        CHECK(diagnose(given).verdict == Verdict::idle);
    }
    SECTION("an orphan that writes does its work")
    {
        given.processes[1].recent_written = 100;
        CHECK(diagnose(given).pid == 32);
    }
}

TEST_CASE("data that came a moment ago is work")
{
    auto given =
        evidence({waiting_shell(9),
                  process(30, 9, "curl", {thread(Call::poll, "poll", {socket_handle(5, 51)})}),
                  process(31, 9, "cat", {thread(Call::read, "read", {pipe_handle(0, 60)})})});
    given.pipes = {{60, "pipe:[60]", false, {{31, "cat", true}}, {{30, "curl", true}}}};
    given.sockets = {tcp(30, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.5:443")};
    given.sockets[0].received_ago = 200ms;
    SECTION("a connection that was made a moment ago is not")
    {
        CHECK(diagnose(given).verdict == Verdict::waits_network);
    }
    given.sockets[0].received = 14'000;
    expect(given, Verdict::busy,
           "busy: curl (pid 30) receives from 10.0.0.5:443, 14 KiB so far, the last 0.2s ago");
    given.sockets[0].received_ago = 1900ms;
    CHECK(diagnose(given).verdict == Verdict::busy);
    given.rule = Reason::progress_timeout;
    given.limit = 2s; // all that time nothing came of it
    CHECK(diagnose(given).verdict == Verdict::waits_network);
    given.rule.reset();
    given.sockets[0].received_ago = 2100ms;
    CHECK(diagnose(given).verdict == Verdict::waits_network);
}

TEST_CASE("a thread that is met awake for a moment does not hide whom its program waits for")
{
    // npm start, whose threads collected garbage at that moment.
    auto running = thread(Call::running, "");
    running.state = 'R';
    auto given = evidence(
        {process(12, 1, "npm start",
                 {running, thread(Call::poll, "epoll_pwait", {pipe_handle(10, 60)}), running}),
         process(13, 12, "node", {thread(Call::poll, "epoll_pwait", {socket_handle(18, 50)})})});
    given.pipes = {{60, "pipe:[60]", false, {{12, "npm start", true}}, {{12, "npm start", true}}}};
    given.sockets = {tcp(13, 50, "LISTEN", "127.0.0.1:3000", "")};
    given.activity = Activity::trickle;
    given.recent_span = 300ms;
    for (auto& process : given.processes) process.recent_cpu = 0ms;
    CHECK(diagnose(given).verdict == Verdict::idle);
    CHECK(diagnose(given).pid == 13);
}

TEST_CASE("what a poller has open and another has locked")
{
    auto nap = thread(Call::sleep, "clock_nanosleep");
    nap.timeout = 100ms;
    auto given = evidence({process(18, 1, "sqlite3", {nap})});
    given.locks = {{18, 9, "/usr/bin/python3 hold.py", "fcntl", "/t/app.db", true}};
    const auto found = expect(given, Verdict::polling,
                              "polling: sqlite3 (pid 18) looks again and again, with sleeps of "
                              "100ms; /t/app.db is locked by python3 (pid 9)");
    CHECK(found.hint == "or end pid 9, which holds the lock");
    CHECK(found.certainty == Certainty::likely);
    given.locks.clear();
    given.output = {
        "Waiting for cache lock: Could not get lock /t/lock-frontend. It is held by process 9"};
    CHECK(has(diagnose(given).sentence, "polling: sqlite3 (pid 18) retries: could not get lock "
                                        "(sleeps of 100ms); last text: Waiting for cache"));
}

TEST_CASE("a wait for a signal is known for what it is")
{
    auto given = evidence({process(18, 1, "sleep", {thread(Call::signal, "pause")})});
    given.ages.cpu.reset();
    auto found =
        expect(given, Verdict::blocked, "blocked: sleep (pid 18) waits for a signal, in pause");
    CHECK(found.certainty == Certainty::sure);
    given.processes[0].threads = {
        thread(Call::signal, "rt_sigtimedwait", {{-1, HandleKind::signals, "SIGUSR1", 0, false}})};
    expect(given, Verdict::blocked,
           "blocked: sleep (pid 18) waits for the signal SIGUSR1, in rt_sigtimedwait");
    given.processes[0].threads[0].timeout = 1h;
    CHECK(diagnose(given).verdict == Verdict::sleeping);
}

TEST_CASE("a program that waits at its own pipe and counter has no event loop")
{
    auto given = evidence({process(
        26, 1, "ruby",
        {thread(Call::poll, "ppoll", {{5, HandleKind::event, "anon_inode:[eventfd]", 0, false}}),
         thread(Call::poll, "ppoll", {pipe_handle(7, 60)})})});
    given.pipes = {{60, "pipe:[60]", false, {{26, "ruby", true}}, {{26, "ruby", true}}}};
    given.ages.cpu.reset();
    expect(given, Verdict::blocked,
           "blocked: ruby (pid 26) waits in ppoll at its own event counter and its own pipe, which "
           "only it can wake");
}

TEST_CASE("who is held by a debugger of the tree")
{
    auto held = process(23, 19, "mem", {});
    held.state = 't';
    held.tracer = 19;
    held.tracer_comm = "gdb";
    auto nap = thread(Call::sleep, "clock_nanosleep");
    nap.timeout = 593s;
    auto given = evidence({process(19, 1, "gdb", {nap}), held});
    const auto found = expect(given, Verdict::stopped,
                              "stopped: gdb (pid 19) holds mem (pid 23) as its debugger; gdb (pid "
                              "19) sleeps (9m53s), nothing new for 5m");
    CHECK(found.next == "kill 19");
    given.processes[0].threads = {thread(Call::read, "read", {terminal()})};
    given.output = {"(gdb) "};
    expect(given, Verdict::waiting_input,
           "waiting for input: gdb (pid 19) reads its terminal; last text: (gdb); it holds mem "
           "(pid 23) as its debugger");
}

TEST_CASE(
    "of another process is told what it calls itself, and its CPU only where that was measured")
{
    auto given =
        evidence({process(77, 1, "psql", {thread(Call::poll, "poll", {socket_handle(5, 51)})})});
    SocketEvidence socket = tcp(77, 51, "ESTABLISHED", "", "/t/.s.PGSQL.5432");
    socket.kind = "unix";
    socket.peer_pid = 9;
    socket.peer_comm = "postgres";
    socket.peer_command = "postgres: app app [local] UPDATE waiting";
    given.sockets = {socket};
    const std::string words = "waits for another process: psql (pid 77), poll on /t/.s.PGSQL.5432, "
                              "and postgres (pid 9, postgres: app app "
                              "[local] UPDATE waiting) says nothing";
    expect(given, Verdict::waits_peer, words);
    given.sockets[0].peer_share = 0.0;
    expect(given, Verdict::waits_peer, words + " and uses no CPU");
    given.sockets[0].peer_share = 0.95;
    expect(given, Verdict::waits_peer, words + " and uses 95 % of a core");
}

TEST_CASE("Java that was asked without a dump to the log")
{
    auto given = evidence({process(90, 1, "java", {futex(), futex(437ms), futex(1s)})});
    CHECK(may_be_java_deadlock(given.processes[0]));
    given.dumps = {{90, "java", "java", 0, true}};
    const auto found = expect(given, Verdict::deadlock,
                              "deadlock: threads of java (pid 90) wait for each other's locks, as "
                              "Java itself says, no CPU for 4m12s");
    CHECK(found.hint == "where: jstack 90");
    CHECK(found.certainty == Certainty::sure);
    given.dumps[0].deadlock = false;
    for (auto& thread : given.processes[0].threads) thread.timeout.reset();
    CHECK(diagnose(given).verdict == Verdict::blocked);
    CHECK(diagnose(given).doubt == "Java knows of no deadlock among its locks");
    given.kind = Kind::service; // the socket at which Java was asked is not one at which it serves
    given.sockets = {tcp(90, 51, "LISTEN", "/tmp/.java_pid90.tmp", "")};
    given.sockets[0].kind = "unix";
    CHECK(diagnose(given).verdict == Verdict::blocked);
    given.processes[0].threads[0].call = Call::read;
    CHECK_FALSE(may_be_java_deadlock(given.processes[0]));
}

TEST_CASE("an age that only the first look has is none")
{
    auto given = evidence(
        {process(18, 1, "cat",
                 {thread(Call::read, "read", {{3, HandleKind::device, "/dev/x", 0, false}})})});
    given.ages.cpu = 300ms;
    given.ages.cpu_span = 7s; // what it used was used at some time within its first seven seconds
    CHECK_FALSE(has(diagnose(given).sentence, "no CPU"));
    CHECK_FALSE(is_exact(given.ages.cpu, given.ages.cpu_span));
    given.ages.cpu = 40s;
    CHECK(has(diagnose(given).sentence, "no CPU for 40s"));
    SECTION("a loop is one all the same, unless its process has worked most of the time")
    {
        auto nap = thread(Call::sleep, "clock_nanosleep");
        nap.timeout = 500ms;
        given.processes[0].threads = {nap};
        given.ages.cpu = 300ms;
        CHECK(diagnose(given).verdict == Verdict::polling);
        given.processes[0].cpu = 3min;
        CHECK(diagnose(given).verdict == Verdict::sleeping);
    }
}
