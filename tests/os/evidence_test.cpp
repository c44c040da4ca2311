// Real processes that are stuck, and what is found out about them.
#include "evidence_lab.hpp"

#include "os/evidence/stack_dump.hpp"
#include <bgt/os/clock.hpp>
#include <bgt/os/tree.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace evidence_lab;

TEST_CASE("two threads that wait for each other's mutex")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "futex"});
    REQUIRE(stuck.line() == "ready");
    const auto found = look_for(stuck.pid, Verdict::deadlock);
    CHECK(has(found.diagnosis.sentence,
              " of bgt_fixture " + pid_text(stuck.pid) + " wait in futex for each other's mutex"));
    CHECK(found.diagnosis.certainty == core::Certainty::sure);
    const auto& process = process_of(found.evidence, stuck.pid);
    REQUIRE(process.threads.size() == 2);
    CHECK(process.threads[0].futex_owner == process.threads[1].tid);
    CHECK(process.threads[1].futex_owner == process.threads[0].tid);
    CHECK(process.threads[0].call_name == "futex");
    CHECK(process.threads[0].futex != 0);
    CHECK(process.threads[0].futex != process.threads[1].futex);
    CHECK_FALSE(process.threads[0].futex_shared);
    CHECK_FALSE(process.threads[0].timeout);
    CHECK(process.stdio.size() == 3);
    CHECK(has(process.command, "stuck futex"));
}

TEST_CASE("which signal is waited for")
{
    const Child child([] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        for (;;) sigwaitinfo(&set, nullptr);
    });
    core::Diagnosis diagnosis;
    CHECK(test::eventually([&] {
        diagnosis = core::diagnose(os::gather(request_for(child.pid())));
        return has(diagnosis.sentence, "waits for the signal SIGUSR1, in rt_sigtimedwait");
    }));
    CHECK(diagnosis.certainty == core::Certainty::sure);
}

TEST_CASE("one thread in a futex is no deadlock, and its handlers are seen")
{
    const Child child([] {
        std::signal(SIGTERM, [](int) {});
        std::signal(SIGUSR2, [](int) {});
        int word = 0;
        for (;;) ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    });
    core::Diagnosis diagnosis;
    core::Evidence evidence;
    CHECK(test::eventually([&] {
        evidence = os::gather(request_for(child.pid()));
        diagnosis = core::diagnose(evidence);
        return has(diagnosis.sentence, "waits in a futex that nobody in the tree is seen to wake");
    }));
    CHECK(diagnosis.verdict == Verdict::blocked);
    CHECK(has(diagnosis.doubt, "SIGUSR2, SIGTERM"));
    const auto& process = process_of(evidence, child.pid());
    CHECK(std::ranges::count(process.catches, SIGTERM) == 1);
    CHECK(process.runtime.empty());
}

TEST_CASE("what a process has open that looks again and again, and another has locked")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/app.db";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(file >= 0);
    const Child holder([&] {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        ::fcntl(::open(path.c_str(), O_RDWR), F_SETLK, &lock);
        for (;;) ::pause();
    });
    const Child poller([&] {
        const timespec nap{0, 50'000'000};
        for (;;) ::nanosleep(&nap, nullptr);
    });
    core::Evidence evidence;
    CHECK(test::eventually([&] {
        evidence = os::gather(request_for(poller.pid()));
        return !evidence.locks.empty();
    }));
    ::close(file);
    REQUIRE(evidence.locks.size() == 1);
    CHECK(evidence.locks[0].waiter == poller.pid());
    CHECK(evidence.locks[0].holder == holder.pid());
    CHECK(evidence.locks[0].polled);
    CHECK(evidence.locks[0].path == path);
    CHECK(has(core::diagnose(evidence).sentence, path + " is locked by "));
}

TEST_CASE("a child that was stopped is found behind its parent's wait")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "stopped-child"});
    const auto pids = stuck.numbers();
    REQUIRE(pids.size() == 2);
    const auto found = look_for(stuck.pid, Verdict::stopped);
    CHECK(found.diagnosis.pid == pids[1]);
    CHECK(found.diagnosis.next == "bgt signal --tree CONT 7");
}

TEST_CASE("a child that has ended and is not waited for")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "zombie"});
    const auto pids = stuck.numbers();
    REQUIRE(pids.size() == 2);
    const auto found = look_for(stuck.pid, Verdict::zombie_parent);
    CHECK(process_of(found.evidence, pids[1]).state == 'Z');
    CHECK(has(found.diagnosis.sentence, pid_text(pids[1]) + " has ended"));
    CHECK(found.diagnosis.certainty == core::Certainty::likely); // it was not looked at before
    auto request = request_for(stuck.pid);
    request.before = os::take_sample(request.members, {});
    REQUIRE(test::eventually([&] {
        const auto evidence = os::gather(request);
        const auto ended = process_of(evidence, pids[1]).ended_for;
        return ended && *ended >= std::chrono::seconds(1) &&
               core::diagnose(evidence).certainty == core::Certainty::sure;
    }));
    request.before->processes.clear();
    const auto evidence = os::gather(request);
    CHECK(process_of(evidence, pids[1]).ended_for == Duration::zero());
    CHECK(core::diagnose(evidence).verdict != Verdict::zombie_parent);
}

TEST_CASE("a read from a terminal")
{
    test::Sandbox sandbox;
    auto stuck = sandbox.start({"stuck", "terminal"});
    const auto pids = stuck.numbers();
    REQUIRE(pids.size() == 2);
    const auto found = look_for(stuck.pid, Verdict::waiting_input);
    CHECK(found.diagnosis.pid == pids[1]);
    CHECK(has(found.diagnosis.sentence, "reads its terminal"));
}

TEST_CASE("the length of a sleep is read from the process")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"sleep", "600"});
    REQUIRE(sleeper.line() == "ready");
    const auto found = look_for(sleeper.pid, Verdict::sleeping);
    const auto& thread = process_of(found.evidence, sleeper.pid).threads.at(0);
    REQUIRE(thread.timeout);
    CHECK(*thread.timeout <= std::chrono::seconds(600));
    CHECK(*thread.timeout > std::chrono::seconds(500));
    // A stop interrupts the call; it goes on under another number.
    REQUIRE(kill(sleeper.pid, SIGSTOP) == 0);
    look_for(sleeper.pid, Verdict::stopped);
    REQUIRE(kill(sleeper.pid, SIGCONT) == 0);
    const auto again = look_for(sleeper.pid, Verdict::sleeping);
    CHECK(process_of(again.evidence, sleeper.pid).threads.at(0).timeout.has_value());
}

TEST_CASE("the machine and the end of the log are part of it")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"sleep", "600"});
    REQUIRE(sleeper.line() == "ready");
    const std::string folder = sandbox.folder();
    const store::TaskDir task{store::TaskId{1}, folder,
                              Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))};
    supervise::TaskEvidence of_task(task);
    auto request = request_for(sleeper.pid, of_task);
    request.folder = folder;
    request.cwd = request.folder;
    {
        std::ofstream log(request.folder + "/out.log", std::ios::binary);
        for (int i = 1; i <= 100; ++i) log << "line " << i << "\n";
        log << "\033[31m12%\r 50%\033[0m";
    }
    const auto evidence = os::gather(request);
    REQUIRE(evidence.output.size() == core::max_lines_shown);
    CHECK(evidence.output.back() == " 50%");
    CHECK(evidence.output.front() == "line 62");
    CHECK(evidence.unfinished_line);
    CHECK(evidence.complete);
    CHECK(evidence.machine.memory_free.value_or(0) > 0);
    CHECK(evidence.machine.disk_free);
    CHECK(evidence.machine.load);
    CHECK(evidence.machine.cores > 0);
}

TEST_CASE("what has ended, or has another start time, is left out; no time is no reason to fail")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"sleep", "600"});
    REQUIRE(sleeper.line() == "ready");
    auto another = request_for(sleeper.pid);
    --another.members.front().key.start_ticks;
    CHECK(os::gather(another).processes.empty());
    auto request = request_for(sleeper.pid);
    request.bound = Duration::zero();
    const auto evidence = os::gather(request);
    CHECK_FALSE(evidence.complete);
    CHECK(evidence.more_processes == 1);
    CHECK(core::diagnose(evidence).verdict == Verdict::unknown);
}

TEST_CASE("recent CPU is counted from the look before")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"sleep", "600"});
    REQUIRE(sleeper.line() == "ready");
    auto request = request_for(sleeper.pid);
    core::Sample before;
    before.at = os::now() - std::chrono::seconds(30);
    before.processes.push_back({.pid = sleeper.pid,
                                .start = request.members.front().key.start_ticks,
                                .cpu = std::chrono::hours(1)});
    request.before = before;
    const auto evidence = os::gather(request);
    REQUIRE(evidence.recent_span);
    CHECK(*evidence.recent_span >= std::chrono::seconds(30));
    CHECK(process_of(evidence, sleeper.pid).recent_cpu ==
          Duration::zero()); // a counter that ran backwards
}

TEST_CASE("fifty processes are gathered quickly")
{
    test::Sandbox sandbox;
    os::GatherRequest request(no_folder());
    for (int i = 0; i < 50; ++i) {
        const pid_t pid = ::fork();
        if (pid == 0)
            for (;;) ::pause();
        request.members.push_back(*os::read_stat(pid));
    }
    request.bound = std::chrono::seconds(20);
    Duration best = std::chrono::hours(1);
    std::size_t rows = 0;
    for (int i = 0; i < 5; ++i) {
        const Instant before = os::now();
        rows = os::gather(request).processes.size();
        best = std::min(best, os::now() - before);
    }
    CHECK(rows == 50);
    INFO("milliseconds: " << std::chrono::duration_cast<std::chrono::milliseconds>(best).count());
    CHECK(best < std::chrono::milliseconds(
                     300)); // several times what it takes, for a busy machine and sanitizers
}

TEST_CASE("a signal for stacks is chosen only for a handler that prints them")
{
    const auto bit = [](int signal) { return std::uint64_t{1} << (signal - 1); };
    using namespace std::string_view_literals;
    const auto java = os::dump_signal({"java", "java\0-jar\0x.jar\0"sv, bit(SIGQUIT)});
    REQUIRE(java);
    CHECK(java->signal == SIGQUIT);
    CHECK_FALSE(os::dump_signal({"java", {}, bit(SIGTERM)}));
    CHECK_FALSE(os::dump_signal({"java", "java\0-Xrs\0"sv, bit(SIGQUIT)}));
    CHECK_FALSE(os::dump_signal({"bash", {}, bit(SIGQUIT)}));
    CHECK_FALSE(os::dump_signal({"node", "node\0x.js\0"sv, bit(SIGUSR2)}));
    const auto node = os::dump_signal({"node", "node\0--report-on-signal\0x.js\0"sv, bit(SIGUSR2)});
    REQUIRE(node);
    CHECK(node->signal == SIGUSR2);
    CHECK_FALSE(os::dump_signal({"python3.11", {}, bit(SIGABRT)}));
}

TEST_CASE("a process without such a runtime is sent nothing")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"trap-exit0"});
    REQUIRE(sleeper.line() == "ready");
    const auto stat = os::read_stat(sleeper.pid);
    REQUIRE(stat);
    CHECK_FALSE(os::dump_stacks(*stat));
    CHECK(os::is_alive(stat->key));
}
