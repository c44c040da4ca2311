#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/sample.hpp>
#include <bgt/os/tree.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

/// Runs `body` in a child, which then sleeps until it is killed.
template <class Body>
std::int32_t in_child(Body body)
{
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::alarm(600);
    body();
    for (;;) ::pause();
}

void burn(Duration cpu)
{
    const auto used = [] {
        timespec ts{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec);
    };
    const Duration end = used() + cpu;
    while (used() < end) {}
}

struct Pipe {
    Pipe()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) read = Fd(ends[0]), write = Fd(ends[1]);
    }
    void put() const { REQUIRE(::write(write.get(), "x", 1) == 1); }
    bool take() const
    {
        char c = 0;
        return ::read(read.get(), &c, 1) == 1;
    }
    Fd read, write;
};

std::vector<os::ProcStat> members_of(std::int32_t root)
{
    auto members = os::descendants_of(root);
    if (const auto stat = os::read_stat(root)) members.insert(members.begin(), *stat);
    return members;
}

Sample look(std::int32_t root)
{
    return os::take_sample(members_of(root), {});
}

char state_of(std::int32_t pid)
{
    const auto stat = os::read_stat(pid);
    return stat ? stat->state : '?';
}

/// A look that is at least `span` later.
Sample look_after(const Sample& before, std::int32_t root, Duration span)
{
    Sample now;
    test::eventually([&] { return (now = look(root)).at - before.at >= span; });
    return now;
}

Activity verdict(const Sample& before, const Sample& now)
{
    return classify(compare(before, now), before, now, false);
}

} // namespace

TEST_CASE("a process that computes is busy, one that sleeps is blocked")
{
    test::Sandbox sandbox;
    const auto burner = in_child([] { burn(1h); });
    const auto sleeper = in_child([] {});
    REQUIRE(test::eventually([&] { return state_of(sleeper) == 'S'; }));
    const Sample burner_before = look(burner), sleeper_before = look(sleeper);
    CHECK(test::eventually([&] {
        return compare(burner_before, look(burner)).cpu >= 250ms;
    })); // of a shorter span no share is told
    CHECK(verdict(burner_before, look(burner)) == Activity::busy);
    const Sample now = look_after(sleeper_before, sleeper, 300ms);
    CHECK(compare(sleeper_before, now).cpu == 0ns);
    CHECK(verdict(sleeper_before, now) == Activity::blocked);
}

TEST_CASE("a process that other work keeps from its CPU is busy")
{
    test::Sandbox sandbox;
    const auto on_one_cpu = [](int nice_value) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(static_cast<unsigned>(::sched_getcpu()), &set);
        return in_child([set, nice_value] {
            ::sched_setaffinity(0, sizeof set, &set);
            static_cast<void>(::nice(nice_value));
            burn(1h);
        });
    };
    // Of all that wait for this core, only the last is looked at.
    on_one_cpu(0);
    on_one_cpu(0);
    const auto starved = on_one_cpu(19);
    Sample before = look(starved);
    os::add_cpu_waits(before, nullptr);
    REQUIRE(before.processes.size() == 1);
    CHECK(test::eventually([&] {
        Sample now = look(starved);
        os::add_cpu_waits(now, &before);
        const Duration span = now.at - before.at;
        const auto waited = waited_for_cpu(before, now.processes.at(0), span);
        return span >= 1s && waited && *waited * 2 >= span &&
               verdict(before, now) == Activity::busy;
    }));
}

TEST_CASE("a sleeper is not asked for its waits")
{
    test::Sandbox sandbox;
    const auto sleeper = in_child([] {});
    REQUIRE(test::eventually([&] { return state_of(sleeper) == 'S'; }));
    Sample now = look(sleeper);
    os::add_cpu_waits(now, nullptr);
    CHECK_FALSE(now.processes.at(0).cpu_wait);
}

TEST_CASE("a loop that polls each second is never busy, nor is one that polls faster idle for ever")
{
    test::Sandbox sandbox;
    const auto loop = [](const char* pause) {
        return in_child([&] {
            const std::string script = "while :; do sleep " + std::string(pause) + "; done";
            ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
        });
    };
    const auto fast = loop("0.05"), slow = loop("1");
    REQUIRE(test::eventually(
        [&] { return os::descendants_of(fast).size() + os::descendants_of(slow).size() >= 2; }));
    const Sample fast_before = look(fast), slow_before = look(slow);
    const Sample slow_now = look_after(slow_before, slow, 3s);
    INFO("used " << compare(slow_before, slow_now).cpu.count() << " ns");
    CHECK(verdict(slow_before, slow_now) != Activity::busy);
    Activity seen = Activity::unknown;
    CHECK(test::eventually([&] {
        seen = verdict(fast_before, look(fast));
        return seen == Activity::trickle || seen == Activity::busy;
    }));
}

TEST_CASE("a child that computed counts when it is gone, whoever waited for it")
{
    test::Sandbox sandbox;
    Pipe go, done;
    const auto parent = in_child([&] {
        go.take();
        const bool orphan = ::fork() == 0;
        if (orphan && ::fork() == 0) burn(200ms), ::_exit(0); // reaped by its parent
        if (orphan) {
            ::wait(nullptr);
            if (::fork() == 0)
                burn(200ms), done.put(), ::_exit(0); // left to the test, the subreaper
            ::_exit(0);
        }
        ::wait(nullptr);
    });
    const Sample before = look(parent);
    go.put();
    REQUIRE(done.take());
    while (true) { // all but the parent itself
        siginfo_t info{};
        const bool mine = test::eventually([&] {
            info = {};
            return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0;
        });
        REQUIRE(mine);
        if (info.si_pid != parent) break;
    }
    const Sample now = look(parent);
    REQUIRE(now.processes.size() == 1);
    const Duration used = compare(before, now).cpu;
    CHECK(used >= 360ms); // ticks of 10 ms are cut off at each of four counters
    CHECK(used <= 2s);
}

TEST_CASE("nothing counts twice, however often one looks while children come and go")
{
    test::Sandbox sandbox;
    Pipe done;
    const auto parent = in_child([&] {
        for (int i = 0; i < 25; ++i) {
            if (::fork() == 0) {
                if (::fork() == 0) burn(20ms), ::_exit(0);
                burn(10ms);
                ::wait(nullptr);
                ::_exit(0);
            }
            if (i % 3 == 0)
                while (::wait(nullptr) > 0) {}
        }
        while (::wait(nullptr) > 0) {}
        done.put();
    });
    const Sample first = look(parent);
    Sample before = first;
    Duration told{};
    const auto at_rest = [&](const Sample& sample) {
        return sample.processes.size() == 1 && sample.processes[0].state == 'S' &&
               sample.processes[0].reaped_cpu >= 600ms;
    };
    REQUIRE(test::eventually([&] {
        const Sample now = look(parent);
        told += compare(before, now).cpu;
        before = now;
        return at_rest(now);
    }));
    const Duration truth = compare(first, before).cpu;
    CHECK(truth >= 600ms);
    CHECK(told >= truth / 2);
    CHECK(told <=
          truth + 300ms); // ticks: what a process had used and not yet shown shows at its end
}

TEST_CASE("zombies are looked at, other processes with a member's pid are not, and nobody twice")
{
    test::Sandbox sandbox;
    Pipe done;
    const auto parent = in_child([&] {
        if (::fork() == 0) ::_exit(0);
        siginfo_t info{};
        ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
        done.put();
    });
    REQUIRE(done.take());
    auto members = members_of(parent);
    REQUIRE(members.size() == 1);
    const Sample sample = os::take_sample(members, {});
    REQUIRE(sample.processes.size() == 2);
    CHECK(sample.processes[1].state == 'Z');
    CHECK(sample.processes[1].ppid == parent);
    members.push_back(members[0]);
    CHECK(os::take_sample(members, {}).processes.size() == 2);
    members.resize(1);
    members[0].key.start_ticks += 1;
    const Sample other = os::take_sample(members, {});
    CHECK(std::ranges::none_of(other.processes,
                               [&](const ProcessSample& p) { return p.pid == parent; }));
    CHECK(os::take_sample({}, {}).processes.empty());
}

TEST_CASE("500 processes are looked at")
{
    test::Sandbox sandbox;
    const auto parent = in_child([] {
        for (int i = 0; i < 499; ++i)
            if (::fork() == 0) break;
    });
    REQUIRE(test::eventually([&] { return members_of(parent).size() == 500; }));
    const Sample before = look(parent);
    CHECK(before.processes.size() == 500);
    const Sample now = look_after(before, parent, 10ms);
    CHECK(now.processes.size() == 500);
    CHECK(verdict(before, now) != Activity::unknown);
    std::set<std::int32_t> pids;
    for (const ProcessSample& process : now.processes) pids.insert(process.pid);
    CHECK(pids.size() == 500);
}

TEST_CASE("a look at 50 sleeping processes costs little")
{
    test::Sandbox sandbox;
    const auto parent = in_child([] {
        for (int i = 0; i < 49; ++i)
            if (::fork() == 0) break;
    });
    REQUIRE(test::eventually([&] { return members_of(parent).size() == 50; }));
    const auto members = members_of(parent);
    Duration best = 1h;
    for (int i = 0; i < 20; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        REQUIRE(os::take_sample(members, {}).processes.size() == 50);
        best = std::min<Duration>(best, std::chrono::steady_clock::now() - begin);
    }
    INFO("50 processes: " << best.count() / 1000 << " us");
    CHECK(best < 30ms); // the aim is 3 ms; sanitizers and a loaded machine take more
}
