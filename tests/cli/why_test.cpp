// bgt why of tasks that have ended.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace bgt::test;

TEST_CASE("why of an ended task tells how it ended, and ends with 0")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo first; echo 'no such table: users' >&2; exit 3"});
    CHECK(lab.wait(id) == 3);
    const Ran why = lab({"why", id});
    INFO(why);
    CHECK(why.code == 0);
    CHECK(why.out.starts_with(id + " ended (exit 3) "));
    CHECK(why.out.find(" ago, after ") != why.out.npos);
    CHECK(why.out.find("because   it ended by itself with an error\n") != why.out.npos);
    CHECK(why.out.find("output\n  first\n  no such table: users\n") != why.out.npos);
    for (const char* present : {"waits", "bgt kill"}) CHECK(why.out.find(present) == why.out.npos);
    const auto answer = lab.ask({"why", id});
    CHECK(at(answer, "/reports").as_array().empty());
    CHECK(at(answer, "/ends/0/task/id") == std::stoll(id));
    CHECK(at(answer, "/ends/0/output/1") == "no such table: users");
}

TEST_CASE("wait --or-stuck || why: also where the task has ended, or waits for its next attempt")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "kill -KILL $$"});
    CHECK(lab({"wait", "--or-stuck", id}).code == 128 + SIGKILL);
    const Ran why = lab({"why", id});
    INFO(why);
    CHECK(why.code == 0);
    CHECK(why.out.find("killed by SIGKILL that bgt did not send: ") != why.out.npos);
    const std::string again =
        lab.start({"--restart", "always", "--backoff", "1m", "-c", "echo broken; exit 5"});
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(again), "/lifecycle") == "backing-off"; }));
    const Ran waits = lab({"why", again});
    INFO(waits);
    CHECK(waits.code == 0);
    CHECK(waits.out.find(" for attempt 2; attempt 1 ended (exit 5) ") != waits.out.npos);
    CHECK(waits.out.find("  broken\n") != waits.out.npos);
    CHECK(lab({"kill", again}).code == 0);
}

TEST_CASE("a task that the kernel ended for lack of memory is told as that")
{
    const std::string cgroup = "/sys/fs/cgroup/memory/bgt-test-" + std::to_string(::getpid());
    std::error_code refused;
    if (!std::filesystem::create_directory(cgroup, refused))
        return skip("no cgroup of version 1 can be made here");
    std::ofstream(cgroup + "/memory.limit_in_bytes") << (64 << 20) << std::flush;
    {
        const Lab lab;
        auto call =
            lab.bgt({"run", "-c", "sleep 0.2; dd if=/dev/zero of=/dev/null bs=300M count=1"});
        call.in_child = [&] {
            std::ofstream(cgroup + "/cgroup.procs") << ::getpid() << std::flush;
        };
        const Ran started = run(call);
        REQUIRE(started.code == 0);
        const std::string id = started.out.substr(0, started.out.size() - 1);
        CHECK(lab.wait(id) != 0);
        const auto end = at(lab.ask({"why", id}), "/ends/0").as_object();
        INFO(end);
        CHECK(text_at(end, "/cause").find("of its cgroup for lack of memory") != std::string::npos);
        CHECK(number_at(end, "/oom_kills") >= 1);
    }
    CHECK(eventually(test_timeout, [&] { return ::rmdir(cgroup.c_str()) == 0; }));
}
