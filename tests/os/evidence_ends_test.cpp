// Who has the other side of a pipe, a FIFO, a socket or a lock at which a real process waits.
#include "evidence_lab.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace evidence_lab;

TEST_CASE("a peer that says nothing")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "recv"});
    const auto numbers = stuck.numbers();
    REQUIRE(numbers.size() == 1);
    const auto found = look_for(stuck.pid, Verdict::waits_network);
    const std::string peer = "127.0.0.1:" + std::to_string(numbers[0]);
    CHECK(has(found.diagnosis.sentence, "recvfrom on " + peer + ", nothing received for "));
    const auto& sockets = found.evidence.sockets;
    const auto socket = std::ranges::find(sockets, peer, &core::SocketEvidence::peer);
    REQUIRE(socket != sockets.end());
    CHECK(socket->state == "ESTABLISHED");
    CHECK(socket->kind == "tcp");
    CHECK(socket->receive_queue == 0);
    CHECK(socket->received == 0);
    REQUIRE(socket->received_ago);
    CHECK(*socket->received_ago < std::chrono::minutes(1));
}

TEST_CASE("a listener whose backlog is full does not answer")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "connect"});
    const auto numbers = stuck.numbers();
    REQUIRE(numbers.size() == 1);
    const auto found = look_for(stuck.pid, Verdict::connecting);
    CHECK(has(found.diagnosis.sentence,
              "to 127.0.0.1:" + std::to_string(numbers[0]) + ", which does not answer"));
}

TEST_CASE("the other end of a local socket is named")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "peer"});
    const auto pids = stuck.numbers();
    REQUIRE(pids.size() == 2);
    REQUIRE(test::eventually([&] {
        const auto evidence = os::gather(request_for(stuck.pid));
        return std::ranges::any_of(evidence.sockets, [&](const auto& s) {
            return s.pid == pids[0] && s.peer_pid == pids[1];
        });
    }));
    // Alone in its tree; the pids are announced before it asks.
    core::Diagnosis diagnosis;
    test::eventually([&] {
        auto alone = request_for(stuck.pid);
        alone.members.resize(1);
        const auto evidence = os::gather(alone);
        diagnosis = core::diagnose(evidence);
        return diagnosis.verdict == Verdict::waits_peer &&
               std::ranges::any_of(evidence.sockets, [&](const auto& s) {
                   return s.peer_pid == pids[1] && s.peer_share &&
                          has(s.peer_command, "stuck peer");
               });
    });
    CHECK(core::to_string(diagnosis.verdict) == "waits-peer");
    CHECK(has(diagnosis.sentence, "bgt_fixture (pid " + std::to_string(pids[1]) + ","));
    CHECK(has(diagnosis.sentence, " says nothing and uses "));
}

TEST_CASE("who holds the lock that is waited for")
{
    for (const std::string kind : {"flock", "ofd-lock"}) {
        test::Sandbox sandbox;
        const std::string path = sandbox.folder() + "/locked";
        auto stuck = sandbox.start({"stuck", kind, path});
        const auto pids = stuck.numbers();
        REQUIRE(pids.size() == 2);
        const auto found = look_for(stuck.pid, Verdict::waits_lock);
        INFO(found.diagnosis.sentence);
        CHECK(found.diagnosis.pid == pids[1]);
        REQUIRE(found.evidence.locks.size() == 1);
        const auto& lock = found.evidence.locks[0];
        CHECK(lock.waiter == pids[1]);
        CHECK(lock.holder == pids[0]);
        CHECK(lock.path == path);
        CHECK(lock.kind == (kind == "flock" ? "flock" : "ofd"));
        CHECK(has(found.diagnosis.sentence, "held by pid " + std::to_string(pids[0])));
    }
}

TEST_CASE("a FIFO into which nobody writes, by its whole path")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/queue";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    auto stuck = sandbox.start({"stuck", "fifo", path});
    REQUIRE(stuck.line() == "ready");
    const auto found = look_for(stuck.pid, Verdict::waits_pipe_writer);
    CHECK(has(found.diagnosis.sentence, "opens " + path + "; nobody has opened it for writing"));
}

TEST_CASE("a FIFO that creat opens is one that a reader is waited for")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/backup";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const Child child([&] { ::creat(path.c_str(), 0600); });
    const auto found = look_for(child.pid(), Verdict::waits_pipe_reader);
    CHECK(has(found.diagnosis.sentence,
              "opens " + path + " to write into it; nobody has opened it for reading"));
}

TEST_CASE("the stdin that bgt send writes to is told from other FIFOs")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/in";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    auto stuck = sandbox.start({"stuck", "stdin", path});
    REQUIRE(stuck.line() == "ready");
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    const auto found = look_for(stuck.pid, Verdict::waiting_input, {info.st_dev, info.st_ino});
    CHECK(has(found.diagnosis.sentence, "reads its stdin"));
    const auto other = look_for(stuck.pid, Verdict::waits_pipe_writer);
    CHECK(has(other.diagnosis.sentence, "it alone has it open for writing"));
}

TEST_CASE("a pipe that nobody drains, and who should")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "pipe"});
    const auto pids = stuck.numbers();
    REQUIRE(pids.size() == 2);
    const auto found = look_for(stuck.pid, Verdict::waits_pipe_reader);
    INFO(found.diagnosis.sentence);
    CHECK(found.diagnosis.pid == pids[1]);
    CHECK(has(found.diagnosis.sentence, pid_text(pids[0]) + " does not read: wait4: a child"));
    REQUIRE(found.evidence.pipes.size() == 1);
    REQUIRE(found.evidence.pipes[0].readers.size() == 1);
    CHECK(found.evidence.pipes[0].readers[0].pid == pids[0]);
    CHECK(found.evidence.pipes[0].readers[0].inside);
}

TEST_CASE("the writer of a pipe is found in the tree, however many other processes there are")
{
    const Child root([] {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) ::_exit(1);
        if (::fork() == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(ends[0]);
            for (;;) ::pause();
        }
        ::close(ends[1]);
        char c = 0;
        static_cast<void>(!::read(ends[0], &c, 1));
    });
    std::int32_t writer = 0;
    core::Evidence evidence;
    REQUIRE(test::eventually([&] {
        const auto children = os::descendants_of(root.pid());
        if (children.size() != 1) return false;
        writer = children[0].key.pid;
        evidence = os::gather(request_for(root.pid()));
        const auto said = core::diagnose(evidence);
        return evidence.pipes.size() == 1 && evidence.pipes[0].writers.size() == 1 &&
               said.pid == writer && said.verdict == Verdict::blocked;
    }));
    CHECK(evidence.pipes[0].writers[0].pid == writer);
    CHECK_FALSE(evidence.pipes[0].all_seen); // nobody else had to be looked at
    ::kill(writer, SIGKILL);
}
