#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace std::chrono_literals;

TEST_CASE("clocks run and the boot has an id")
{
    const Instant before = os::now();
    REQUIRE(os::now() >= before);
    REQUIRE(os::wall_now() > WallTime(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)));
    REQUIRE(os::boot_id() != BootId{});
    REQUIRE(os::boot_id() == os::boot_id());
}

TEST_CASE("the caller is found in /proc as it is")
{
    const auto self = os::read_stat(::getpid());
    REQUIRE(self);
    CHECK(self->key.pid == ::getpid());
    CHECK(self->ppid == ::getppid());
    CHECK(self->pgrp == ::getpgrp());
    CHECK(self->session == ::getsid(0));
    CHECK(self->rss_bytes > 100'000);
    CHECK(self->state == 'R');
    CHECK(os::is_alive(self->key));
    CHECK(os::key_of(::getpid()) == self->key);
    CHECK(os::own_key() == self->key);
    const auto age = os::age_of(self->key);
    CHECK(age >= 0s);
    CHECK(age < 1h);
    CHECK(os::command_line(::getpid()).find("os_tests") != std::string::npos);
    const auto all = os::all_processes();
    CHECK(std::ranges::any_of(all, [&](const auto& stat) { return stat.key == self->key; }));
    CHECK(std::ranges::any_of(all, [&](const auto& stat) { return stat.key.pid == 1; }));
}

TEST_CASE("a name that looks like the rest of its line does not mislead")
{
    test::Sandbox sandbox;
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_NAME, "a) R 1 (\n2 2");
        for (;;) ::pause();
    }
    REQUIRE(test::eventually([&] {
        const auto stat = os::read_stat(pid);
        return stat && stat->comm == "a) R 1 (\n2 2" && stat->state == 'S';
    }));
    CHECK(os::read_stat(pid)->ppid == ::getpid());
}

TEST_CASE("no such process")
{
    for (const std::int32_t pid : {0, -1, -5, 1 << 30}) {
        CHECK_FALSE(os::read_stat(pid));
        CHECK_FALSE(os::key_of(pid));
        CHECK_FALSE(os::is_alive({pid, 1}));
        CHECK_FALSE(os::open_pidfd({pid, 1}));
        const auto sent = os::send_signal({pid, 1}, SIGKILL);
        REQUIRE(sent);
        CHECK_FALSE(*sent);
        CHECK(os::command_line(pid).empty());
    }
}

TEST_CASE("a signal reaches the process with that start time and no other")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"trap-exit0"});
    REQUIRE(sleeper.line() == "ready");
    const auto key = os::key_of(sleeper.pid);
    REQUIRE(key);
    CHECK(os::command_line(sleeper.pid).ends_with("bgt_fixture trap-exit0"));

    auto earlier = *key;
    --earlier.start_ticks;
    CHECK_FALSE(os::is_alive(earlier));
    CHECK_FALSE(os::open_pidfd(earlier));
    const auto refused = os::send_signal(earlier, SIGKILL);
    REQUIRE(refused);
    CHECK_FALSE(*refused);
    CHECK(os::is_alive(*key));

    const auto pidfd = os::open_pidfd(*key);
    REQUIRE(pidfd);
    const auto sent = os::send_signal(*key, SIGTERM);
    REQUIRE(sent);
    CHECK(*sent);
    pollfd polled{pidfd->get(), POLLIN, 0};
    REQUIRE(::poll(&polled, 1, 20'000) == 1);
    CHECK_FALSE(os::is_alive(*key)); // a zombie now
    CHECK_FALSE(*os::send_signal(*key, SIGTERM));
    CHECK(os::command_line(sleeper.pid) == "[bgt_fixture]");
    const int status = sandbox.reap(sleeper.pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK_FALSE(os::is_alive(*key));
    CHECK_FALSE(os::open_pidfd(*key));
}

TEST_CASE("a signal is sent even when no descriptor is left for a pidfd")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"ignore-term"});
    REQUIRE(sleeper.line() == "ready");
    const auto key = os::key_of(sleeper.pid);
    REQUIRE(key);
    const pid_t starved = ::fork(); // a limit of its own
    if (starved == 0) {
        // Lowered until nothing but /proc/PID/stat can be opened, one descriptor at a time: as it
        // is at the very edge.
        const int free_fd = ::dup(0);
        ::close(free_fd);
        const rlimit limit{static_cast<rlim_t>(free_fd), static_cast<rlim_t>(free_fd)};
        ::setrlimit(RLIMIT_NOFILE, &limit);
        const auto sent = os::send_signal(*key, SIGKILL);
        ::_exit(sent && *sent ? 0 : 1); // nothing can be read: it must not claim to have sent it
    }
    const int status = sandbox.reap(starved);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
    CHECK(os::is_alive(*key));
}

TEST_CASE("a process lives while a thread of it does, though its main thread has ended")
{
    test::Sandbox sandbox;
    const pid_t pid = ::fork();
    if (pid == 0) {
        std::thread([] {
            for (;;) ::pause();
        }).detach();
        ::syscall(SYS_exit, 0); // of this thread alone
    }
    REQUIRE(test::eventually([&] {
        const auto stat = os::read_stat(pid);
        return stat && stat->state == 'Z';
    }));
    const auto stat = os::read_stat(pid);
    CHECK(os::is_living(*stat));
    CHECK(os::is_alive(stat->key));
    CHECK(*os::send_signal(stat->key, SIGKILL));
    REQUIRE(test::eventually([&] { return !os::is_alive(stat->key); }));
}

TEST_CASE("reading all processes is quick")
{
    test::Sandbox sandbox;
    constexpr int count = 300;
    for (int i = 0; i < count; ++i)
        if (::fork() == 0)
            for (;;) ::pause();
    auto best = 1h + 0ns;
    std::size_t found = 0;
    for (int i = 0; i < 5; ++i) {
        const Instant before = os::now();
        found = os::all_processes().size();
        best = std::min<std::chrono::nanoseconds>(best, os::now() - before);
    }
    REQUIRE(found >= count);
    INFO("nanoseconds a process: " << best.count() / static_cast<long>(found));
    CHECK(best / static_cast<long>(found) <
          100us); // ten times what it takes, for a busy machine and sanitizers
}
