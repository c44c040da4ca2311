// Recorded evidences of pipes and pairs of sockets, and whom the diagnosis names.
#include "evidence_sample.hpp"

using namespace evidence_sample;

TEST_CASE("a pipe that nobody drains")
{
    auto given =
        evidence({process(3, 1, "make", {thread(Call::wait_child, "wait4")}),
                  process(4, 3, "gen", {thread(Call::write, "write", {pipe_handle(1, 60)})})});
    given.pipes = {{60, "pipe:[60]", false, {{3, "make", true}}, {{4, "gen", true}}}};
    expect(given, Verdict::waits_pipe_reader,
           "waits for a reader: gen (pid 4) writes into a full pipe, its descriptor 1 (pipe:[60]), "
           "which make (pid 3) does not read: "
           "wait4: a child, no CPU for 4m12s");

    SECTION("a reader that is stuck elsewhere is to blame itself")
    {
        given.processes[0].threads = {thread(Call::running, "")};
        given.processes[0].state = 'R';
        CHECK(diagnose(given).pid == 3);
    }
    SECTION("two that fill each other's pipes")
    {
        given.processes[0].threads = {thread(Call::write, "write", {pipe_handle(4, 61)})};
        given.pipes.push_back({61, "pipe:[61]", false, {{4, "gen", true}}, {{3, "make", true}}});
        const auto found = diagnose(given);
        CHECK(found.verdict == Verdict::deadlock);
        CHECK(found.sentence == "deadlock: 2 processes wait for each other: make (pid 3) write "
                                "pipe:[61], gen (pid 4) write pipe:[60], "
                                "no CPU for 4m12s");
    }
    SECTION("the supervisor is the reader")
    {
        given.pipes[0].task_output = true;
        given.pipes[0].readers = {{2, "bgt", false}};
        CHECK(diagnose(given).sentence.find(
                  "the task's own output, which its supervisor does not take") !=
              std::string::npos);
    }
}

TEST_CASE("a reader of a pipe leads to its writer, and is stuck itself only where there is none")
{
    auto given = evidence(
        {waiting_shell(3), process(4, 3, "tee", {thread(Call::read, "read", {pipe_handle(0, 60)})}),
         process(5, 3, "curl", {thread(Call::connect, "connect", {socket_handle(5, 51)})})});
    given.pipes = {{60, "pipe:[60]", false, {{4, "tee", true}}, {{5, "curl", true}}}};
    given.sockets = {tcp(5, 51, "SYN-SENT", "10.0.0.2:4000", "10.0.0.5:443")};
    CHECK(diagnose(given).pid == 5);
    CHECK(diagnose(given).verdict == Verdict::connecting);
    given.processes.pop_back();
    given.pipes[0].writers = {{99, "ssh-agent", false}};
    expect(given, Verdict::waits_pipe_writer,
           "waits for a writer: tee (pid 4) reads pipe:[60]; ssh-agent (pid 99) has it open and "
           "writes nothing");
    given.pipes[0].writers = {{4, "tee", true}};
    CHECK(diagnose(given).sentence.find("it alone has it open for writing") != std::string::npos);
    auto fifo = thread(Call::open, "openat", {{-1, HandleKind::fifo, "/t/queue", 70, false}});
    given.processes[1].threads = {fifo};
    given.pipes = {{70, "/t/queue", false, {}, {}}};
    expect(given, Verdict::waits_pipe_writer,
           "waits for a writer: tee (pid 4) opens /t/queue; nobody has opened it for writing, no "
           "CPU for 4m12s");
    given.processes[1].threads[0].writes_wanted = true;
    CHECK(diagnose(given).sentence ==
          "waits for a reader: tee (pid 4) opens /t/queue to write into it; nobody has opened it "
          "for reading, no CPU for 4m12s");
}

TEST_CASE("of ends that were not all looked for nothing is sure, unless the tree has one")
{
    auto given = evidence({waiting_shell(3),
                           process(4, 3, "cat", {thread(Call::read, "read", {pipe_handle(0, 60)})}),
                           process(5, 3, "sleep", {thread(Call::sleep, "clock_nanosleep")})});
    given.complete = false;
    given.pipes = {{60, "pipe:[60]", false, {{4, "cat", true}}, {}, -1, false}};
    given.processes[2].threads[0].timeout = 1h;
    auto& cat = given.processes[1].threads[0];
    const auto check = [&](const std::string& sentence) {
        auto alone = given;
        alone.processes = {given.processes[1]};
        const auto said = diagnose(alone);
        CHECK(said.sentence == sentence);
        CHECK(said.certainty == Certainty::likely);
        CHECK(said.doubt == "not all processes could be looked at in time");
    };
    check("waits for a writer: cat (pid 4) reads pipe:[60]; who has it open for writing is not "
          "known, no CPU for 4m12s");
    cat.call = Call::write;
    given.pipes[0].readers.clear();
    check("waits for a reader: cat (pid 4) writes into a full pipe, its descriptor 0 (pipe:[60]), "
          "and who has it open for reading is not known, no CPU for 4m12s");
    cat.call = Call::read;
    given.pipes.clear();
    check("waits for a writer: cat (pid 4) is in read on pipe:[60], and who has its other end is "
          "not known, no CPU for 4m12s");
    given.pipes = {{60, "pipe:[60]", false, {{4, "cat", true}}, {{5, "sleep", true}}, -1, false}};
    given.complete = true;
    const auto said = diagnose(given);
    CHECK(said.pid == 5);
    CHECK(said.verdict == Verdict::sleeping);
    CHECK(said.certainty == Certainty::sure);
}

TEST_CASE("nobody waits for another process at its own pair of sockets")
{
    auto given = evidence(
        {process(4, 1, "python3", {thread(Call::receive, "recvfrom", {socket_handle(3, 50)})})});
    SocketEvidence socket;
    socket.pid = 4;
    socket.fd = 3;
    socket.inode = 50;
    socket.kind = "unix";
    socket.peer_pid = 4;
    socket.peer_comm = "python3";
    given.sockets = {socket};
    expect(
        given, Verdict::blocked,
        "blocked: python3 (pid 4) waits in recvfrom at its own pair of sockets, which only it can "
        "wake, no CPU for 4m12s");
    given.processes[0].threads = {thread(Call::poll, "poll", {socket_handle(3, 50)})};
    CHECK(diagnose(given).verdict == Verdict::blocked);
    given.sockets[0].peer_pid = 0;
    given.sockets[0].peer_unseen = true;
    const auto said =
        expect(given, Verdict::waits_peer,
               "waits for another process: python3 (pid 4), poll on a socket, and who "
               "has its other end is not known");
    CHECK(said.certainty == Certainty::likely);
    given.sockets.clear();
    CHECK(diagnose(given).certainty == Certainty::likely);
}

TEST_CASE("a pipe by which a program wakes itself accuses nobody")
{
    auto given = evidence(
        {process(5, 1, "node",
                 {thread(Call::poll, "epoll_pwait", {pipe_handle(12, 60), socket_handle(18, 50)}),
                  thread(Call::poll, "epoll_pwait", {pipe_handle(14, 61)}), futex(), futex()})});
    given.pipes = {{60, "pipe:[60]", false, {{5, "node", true}}, {{5, "node", true}}},
                   {61, "pipe:[61]", false, {{5, "node", true}}, {{5, "node", true}}}};
    given.sockets = {tcp(5, 50, "LISTEN", "[::]:3000", "")};
    expect(given, Verdict::idle, "idle: node (pid 5) waits for connections on :3000");
    given.processes[0].threads = {thread(Call::poll, "epoll_wait", {pipe_handle(14, 61)})};
    given.processes[0].thread_count = 1;
    expect(
        given, Verdict::blocked,
        "blocked: node (pid 5) waits in its event loop, which only it can wake, no CPU for 4m12s");
    given.processes[0].threads = {thread(Call::read, "read", {pipe_handle(14, 61)}), futex()};
    given.processes[0].thread_count = 2;
    CHECK(diagnose(given).verdict == Verdict::blocked);
    given.processes[0].thread_count = 1;
    // But a single thread that reads the pipe outright can't write into it as well.
    given.processes[0].threads = {thread(Call::read, "read", {pipe_handle(14, 61)})};
    CHECK(diagnose(given).verdict == Verdict::waits_pipe_writer);
    // And from somebody else something could have come.
    given.processes[0].threads = {thread(Call::poll, "poll", {pipe_handle(14, 61)})};
    given.pipes[1].writers.push_back({99, "feeder", false});
    CHECK(diagnose(given).verdict == Verdict::waits_pipe_writer);
}
