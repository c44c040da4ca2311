// Recorded evidences, and what is to be said of each: what waits for something outside of itself.
#include "evidence_sample.hpp"

using namespace evidence_sample;

TEST_CASE("a prompt behind a shell that waits")
{
    auto given = evidence(
        {waiting_shell(811), process(812, 811, "npx", {thread(Call::read, "read", {terminal()})})});
    given.output = {"Need to install the following packages:", "Ok to proceed? (y) ", ""};
    given.takes_input = true;
    const auto found = expect(
        given, Verdict::waiting_input,
        "waiting for input: npx (pid 812) reads its terminal; last text: Ok to proceed? (y)");
    CHECK(found.pid == 812);
    given.output.pop_back();
    CHECK(diagnose(given).next == "bgt send 7 y");
    given.output = {"Name: "};
    CHECK(diagnose(given).next == "bgt send 7 TEXT");
    given.takes_input = false;
    CHECK(diagnose(given).next == "bgt kill 7");
    CHECK_FALSE(diagnose(given).hint.empty());
}

TEST_CASE("an event loop with a terminal waits for input only where a prompt shows")
{
    auto given = evidence({process(
        5, 1, "node", {thread(Call::poll, "epoll_wait", {terminal(), socket_handle(9, 40)})})});
    given.sockets = {tcp(5, 40, "LISTEN", "0.0.0.0:5173", "")};
    expect(given, Verdict::idle, "idle: node (pid 5) waits for connections on :5173");
    given.unfinished_line = true;
    CHECK(diagnose(given).verdict == Verdict::waiting_input);
    given.processes[0].threads[0].handles = {terminal()};
    given.unfinished_line = false;
    CHECK(diagnose(given).verdict == Verdict::waiting_input);
}

TEST_CASE("a FIFO that is the task's stdin is no pipe without a writer")
{
    Handle in{0, HandleKind::fifo, "/tasks/7/in", 77, true};
    auto given = evidence({process(5, 1, "python3", {thread(Call::read, "read", {in})})});
    given.processes[0].command = "python3 ./tools/ask.py --fast";
    given.output = {"Name:"};
    expect(given, Verdict::waiting_input,
           "waiting for input: python3 ask.py (pid 5) reads its stdin; last text: Name:");
    in.task_stdin = false;
    given.processes[0].threads[0].handles = {in};
    CHECK(diagnose(given).verdict == Verdict::waits_pipe_writer);
}

TEST_CASE("threads that wait for each other")
{
    auto given = evidence({process(90, 1, "worker", {futex(), futex()})});
    expect(given, Verdict::deadlock,
           "deadlock: both threads of worker (pid 90) wait in futex, no CPU for 4m12s");
    given.processes[0].threads.push_back(futex());
    given.processes[0].thread_count = 3;
    expect(given, Verdict::deadlock,
           "deadlock: all 3 threads of worker (pid 90) wait in futex, no CPU for 4m12s");

    SECTION("one that sleeps could wake the others")
    {
        given.processes[0].threads[2] = thread(Call::sleep, "clock_nanosleep");
        CHECK(diagnose(given).verdict == Verdict::sleeping);
        given.processes[0].threads[2] = futex(300s);
        CHECK(diagnose(given).verdict == Verdict::sleeping);
        given.processes[0].threads[2] = futex(3s);
        CHECK(diagnose(given).verdict == Verdict::polling);
    }
    SECTION("one that serves could, too")
    {
        given.processes[0].threads[2] = thread(Call::accept, "accept4", {socket_handle(4, 50)});
        given.sockets = {tcp(90, 50, "LISTEN", "[::]:80", "")};
        expect(given, Verdict::idle, "idle: worker (pid 90) waits for connections on :80");
    }
    SECTION("one that was not seen might")
    {
        given.processes[0].thread_count = 40;
        CHECK(diagnose(given).verdict == Verdict::blocked);
    }
    SECTION("another process might, where there is one thread and the futex is shared")
    {
        auto alone = futex();
        alone.futex_shared = true;
        given.processes[0].threads = {alone};
        given.processes[0].thread_count = 1;
        CHECK(diagnose(given).verdict == Verdict::blocked);
    }
    SECTION("the threads that a Java machine keeps for itself do not count")
    {
        given.processes[0].comm = "java";
        given.processes[0].threads = {futex({}, "java"),
                                      futex({}, "Thread-0"),
                                      futex({}, "Thread-1"),
                                      futex(1s, "VM Periodic Tas"),
                                      futex(60s, "Common-Cleaner"),
                                      futex({}, "Signal Dispatch")};
        given.processes[0].thread_count = 6;
        const auto found = expect(given, Verdict::blocked,
                                  "blocked: all 3 threads of java (pid 90) wait each in a futex "
                                  "that nobody in the tree is seen to wake, "
                                  "no CPU for 4m12s");
        CHECK(found.hint == "where: jstack 90"); // it knows of its deadlocks itself
    }
}

TEST_CASE("a server at rest is no deadlock")
{
    auto given = evidence(
        {process(90, 1, "vite",
                 {thread(Call::poll, "epoll_wait", {socket_handle(20, 50)}), futex(), futex()})});
    given.sockets = {tcp(90, 50, "LISTEN", "127.0.0.1:5173", "")};
    given.kind = Kind::service;
    const auto found =
        expect(given, Verdict::idle, "idle: vite (pid 90) waits for connections on :5173");
    CHECK(found.next == "bgt logs -f 7");

    // With a client that says nothing, and a helper that reads its stdin from the server.
    given.processes[0].threads[0].handles.push_back(socket_handle(21, 51));
    given.sockets.push_back(tcp(90, 51, "ESTABLISHED", "127.0.0.1:5173", "127.0.0.1:40000"));
    given.processes.push_back(
        process(91, 90, "esbuild", {futex(), thread(Call::read, "read", {pipe_handle(0, 60)})}));
    given.pipes = {{60, "pipe:[60]", false, {{91, "esbuild", true}}, {{90, "vite", true}}}};
    CHECK(diagnose(given).verdict == Verdict::idle);
    given.kind = Kind::job;
    CHECK(diagnose(given).verdict == Verdict::idle);
}

TEST_CASE("a server that watches files as well waits for connections, whatever its kind")
{
    const Handle watch{9, HandleKind::watch, "/src", 0, false};
    auto given = evidence(
        {waiting_shell(3), process(4, 3, "node", {thread(Call::poll, "epoll_wait", {watch})})});
    CHECK(diagnose(given).verdict == Verdict::waits_file);
    given.sockets = {tcp(4, 50, "LISTEN", "[::1]:5173", "")};
    expect(given, Verdict::idle, "idle: sh (pid 3) waits for connections on :5173");
}

TEST_CASE("the last text is told as far as it says who holds a lock")
{
    auto given = evidence({process(4, 1, "apt", {thread(Call::read, "read", {terminal()})})});
    const std::string text = "Waiting for cache lock: Could not get lock "
                             "/var/lib/dpkg/lock-frontend. It is held by process 812 (apt-get)";
    given.output = {text};
    CHECK(diagnose(given).sentence.ends_with("; last text: " + text));
    given.output = {std::string(190, 'x')};
    CHECK(diagnose(given).sentence.size() < 230);
}

TEST_CASE("two event loops that hear of each other, and of more, are no deadlock")
{
    // vite and esbuild, as seen: one watches files, too, and the other looks again by itself.
    const Handle watch{19, HandleKind::watch, "7 files or folders", 0, false};
    auto given = evidence(
        {process(90, 1, "vite", {thread(Call::poll, "epoll_pwait", {watch, pipe_handle(20, 61)})}),
         process(91, 90, "esbuild", {thread(Call::poll, "epoll_pwait", {pipe_handle(0, 60)})})});
    given.pipes = {{60, "pipe:[60]", false, {{91, "esbuild", true}}, {{90, "vite", true}}},
                   {61, "pipe:[61]", false, {{90, "vite", true}}, {{91, "esbuild", true}}}};
    CHECK(diagnose(given).verdict == Verdict::waits_file);
    given.processes[0].threads[0].handles = {pipe_handle(20, 61)};
    CHECK(diagnose(given).verdict == Verdict::deadlock);
    given.processes[1].threads[0].timeout = 900ms;
    CHECK(diagnose(given).verdict == Verdict::waits_pipe_writer);
}

TEST_CASE(
    "a service that holds one port and waits at a database is idle, a job waits for the network")
{
    auto given = evidence(
        {process(90, 1, "app", {thread(Call::receive, "recvfrom", {socket_handle(5, 51)})})});
    given.sockets = {tcp(90, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.9:5432"),
                     tcp(90, 50, "LISTEN", "0.0.0.0:80", "")};
    CHECK(diagnose(given).verdict == Verdict::waits_network);
    given.kind = Kind::service;
    expect(given, Verdict::idle, "idle: app (pid 90) waits for connections on :80");
}

TEST_CASE("a peer that says nothing, or does not answer")
{
    auto given =
        evidence({process(77, 1, "curl", {thread(Call::receive, "recv", {socket_handle(5, 51)})})});
    given.sockets = {tcp(77, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.5:443")};
    given.sockets[0].received_ago = 3min;
    expect(given, Verdict::waits_network,
           "waits for the network: curl (pid 77), recv on 10.0.0.5:443, nothing received for 3m");

    given.processes[0].threads = {thread(Call::poll, "poll", {socket_handle(5, 51)})};
    CHECK(diagnose(given).verdict == Verdict::waits_network);
    given.sockets[0].state = "SYN-SENT";
    given.sockets[0].received_ago.reset();
    expect(given, Verdict::connecting,
           "connects: curl (pid 77) to 10.0.0.5:443, which does not answer, no CPU for 4m12s");

    given.sockets[0] = tcp(77, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.5:53");
    given.sockets[0].kind = "udp";
    expect(given, Verdict::waits_network,
           "waits for the network: curl (pid 77), poll on 10.0.0.5:53 (DNS), no CPU for 4m12s");

    given.processes[0].threads = {thread(Call::send, "sendto", {socket_handle(5, 51)})};
    given.sockets[0] = tcp(77, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.5:443");
    given.sockets[0].send_queue = 4096;
    expect(given, Verdict::waits_network,
           "waits for the network: curl (pid 77), sendto on 10.0.0.5:443, which does not take 4096 "
           "bytes");

    given.sockets.clear(); // netlink was not to be had
    given.processes[0].threads = {thread(Call::receive, "recv", {socket_handle(5, 51)})};
    CHECK(diagnose(given).verdict == Verdict::waits_network);
}

TEST_CASE("a local socket leads to the process at its other end")
{
    auto given = evidence(
        {process(77, 1, "docker", {thread(Call::receive, "recvfrom", {socket_handle(5, 51)})})});
    SocketEvidence socket = tcp(77, 51, "ESTABLISHED", "", "/run/docker.sock");
    socket.kind = "unix";
    socket.peer_pid = 9;
    socket.peer_comm = "dockerd";
    given.sockets = {socket};
    expect(given, Verdict::waits_peer,
           "waits for another process: docker (pid 77), recvfrom on /run/docker.sock, and dockerd "
           "(pid 9) says nothing");
    given.processes.push_back(
        process(9, 77, "dockerd", {thread(Call::read, "read", {terminal()})}));
    CHECK(diagnose(given).pid == 9);
}

TEST_CASE("who holds the lock")
{
    auto given = evidence({process(
        56, 1, "cargo",
        {thread(Call::lock, "flock", {{3, HandleKind::file, "/t/.cargo-lock", 9, false}})})});
    given.processes[0].command = "cargo build --release";
    given.locks = {{56, 55, "cargo test", "flock", ""}};
    expect(given, Verdict::waits_lock,
           "waits for a lock: cargo build (pid 56), flock held by pid 55 (cargo test) on "
           "/t/.cargo-lock, no CPU for 4m12s");
    given.locks.clear();
    expect(given, Verdict::waits_lock,
           "waits for a lock: cargo build (pid 56), flock on /t/.cargo-lock, held by an unknown "
           "process, no CPU for 4m12s");
}

TEST_CASE("a holder that waits for the one it keeps waiting is a deadlock, one that does something "
          "else is not")
{
    auto given = evidence(
        {process(3, 1, "flock", {thread(Call::wait_child, "wait4")}), waiting_shell(4, 3),
         process(5, 4, "flock",
                 {thread(Call::lock, "flock", {{3, HandleKind::file, "/t/l", 9, false}})})});
    given.locks = {{5, 3, "flock /t/l sh", "flock", "/t/l"}};
    expect(given, Verdict::deadlock,
           "deadlock: flock (pid 5) waits for the flock that flock (pid 3) holds on /t/l, which "
           "waits for it");
    // One that does something else is the cause, and is told with who waits for it.
    given.processes[0].threads = {thread(Call::sleep, "nanosleep")};
    expect(given, Verdict::sleeping,
           "sleeping: flock (pid 3) sleeps, nothing new for 5m; flock (pid 5) waits for the flock "
           "that flock (pid 3) holds on /t/l");
}

TEST_CASE("threads at Java's monitors look again each second, as threads that poll do: their stack "
          "dump tells")
{
    // As recorded from Java 17: two threads at each other's monitors, the main thread waits for
    // them.
    auto given = evidence({process(
        90, 1, "java",
        {futex({}, "java"), futex({}, "java"), futex(201ms, "G1 Service"), futex({}, "VM Thread"),
         futex(3700ms, "C2 CompilerThre"), futex(86392s, "Sweeper thread"),
         futex(52s, "Common-Cleaner"), futex(16ms, "VM Periodic Tas"), futex(437ms, "Thread-0"),
         futex(1s, "Thread-1")})});
    auto& threads = given.processes[0].threads;
    const auto found = expect(given, Verdict::blocked,
                              "blocked: the threads of java (pid 90) wait for each other, 2 of 4 "
                              "as at locks that others hold, "
                              "no CPU for 4m12s");
    CHECK(found.hint == "jstack 90 tells whether it is a deadlock");
    CHECK(found.certainty == Certainty::likely);
    given.dumps = {{90, "java", "java", 3, true}};
    SECTION("a deadlock that the dump tells of")
    {
        const auto deadlock = expect(given, Verdict::deadlock,
                                     "deadlock: threads of java (pid 90) wait for each other's "
                                     "locks, as its stack dump says, no CPU for 4m12s");
        CHECK(deadlock.hint == "where: see \"Java-level deadlock\" in the log");
    }
    SECTION("of another process it says nothing")
    {
        given.dumps[0].pid = 91;
        CHECK(diagnose(given).verdict == Verdict::blocked);
    }
    SECTION("polls with short sleeps, as the dump knows of no deadlock")
    {
        given.dumps[0].deadlock = false;
        CHECK(diagnose(given).verdict == Verdict::polling);
        CHECK(diagnose(given).hint.empty());
    }
    SECTION("a dump that did not come in time")
    {
        given.dumps[0].deadlock = std::nullopt;
        CHECK(diagnose(given).verdict == Verdict::blocked);
        CHECK_FALSE(diagnose(given).hint.empty());
    }
    SECTION("a deadlock beside threads that wait for something else")
    {
        threads[1] = thread(Call::receive, "recvfrom", {socket_handle(5, 51)});
        given.sockets = {tcp(90, 51, "ESTABLISHED", "10.0.0.2:4000", "10.0.0.5:443")};
        CHECK(diagnose(given).verdict == Verdict::deadlock);
        given.dumps.clear();
        CHECK(diagnose(given).verdict == Verdict::waits_network);
    }
    given.dumps.clear();
    SECTION("one that waits longer sleeps, and might wake the others")
    {
        threads.back().timeout = 1001ms;
        CHECK(diagnose(given).verdict == Verdict::polling);
        CHECK(diagnose(given).hint.empty());
    }
    SECTION("one alone is a sleep")
    {
        threads.pop_back();
        given.processes[0].thread_count = 9;
        CHECK(diagnose(given).hint.empty());
    }
    SECTION("other runtimes do not look again")
    {
        given.processes[0].comm = given.processes[0].command = "app";
        std::erase_if(threads, [](const auto& t) {
            return t.name == "VM Thread" || t.name.starts_with("G1") || t.name.starts_with("C2");
        });
        given.processes[0].thread_count = static_cast<std::uint32_t>(threads.size());
        CHECK(diagnose(given).verdict == Verdict::polling);
        CHECK(diagnose(given).hint.empty());
    }
}
