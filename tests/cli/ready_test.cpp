// Readiness: bgt run --wait-ready and bgt wait --for ready.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt::test;

TEST_CASE("ready by its output, seen by a waiter too")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up on [0-9]+", "--wait-ready", "-c",
                         "sleep 0.3; echo up on 80; exec sleep 1000"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const std::string id = ran.out.substr(0, ran.out.size() - 1);
    CHECK(text_at(lab.show(id), "/ready") == "true");
    CHECK(text_at(lab.show(id), "/kind") == "service");
    CHECK(text_at(lab.show(id), "/ready_at") != "null");
    CHECK(lab({"wait", "--for", "ready", id}).code == 0);
    CHECK(number_at(lab.show(id), "/processes") ==
          1); // who watched for it is gone, and was no part of the tree
}

TEST_CASE("ready by a port and a file: both must come")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-port", "any", "--ready-file", "flag", "--wait-ready", "-c",
                         "sleep 0.2; " BGT_FIXTURE " listen 0 & sleep 0.4; touch flag; wait"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    CHECK(std::filesystem::exists(lab.work() + "/flag"));
}

/// Wakes the task that reads a line from the FIFO. Fails where nobody does.
bool write_line(const std::string& fifo)
{
    return eventually(patience, [&] {
        const int fd = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) return false;
        const bool written = ::write(fd, "x\n", 2) == 2;
        ::close(fd);
        return written;
    });
}

TEST_CASE("readiness is looked at again while somebody asks, and its loss is told")
{
    const Lab lab;
    const std::string go = lab.work() + "/go";
    REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
    const std::string id =
        lab.start({"--ready-port", "any", "--ready-file", "flag", "-c",
                   "echo pids $$; " BGT_FIXTURE
                   " listen 0 & touch flag; read x < go; kill $!; wait; read x < go; " BGT_FIXTURE
                   " listen 0 & wait"});
    REQUIRE(eventually(patience, [&] {
        return lab({"wait", "--for", "ready", "--timeout", "1", id}).code == 0;
    }));
    SECTION("a file that has gone")
    {
        std::filesystem::remove(lab.work() + "/flag");
        CHECK(lab({"ps"}).out.find("ready") == std::string::npos);
        CHECK(lab({"wait", "--for", "ready", "--timeout", "100ms", id}).code == 124);
        const Ran why = lab({"why", id});
        INFO(why);
        CHECK(why.out.find("not ready file:flag: not there") != why.out.npos);
        CHECK(why.out.find("not ready port") == why.out.npos);
        write_file(lab.work() + "/flag", "");
        CHECK(lab({"wait", "--for", "ready", "--timeout", "10", id}).code == 0);
    }
    SECTION("a port that nobody listens on any more")
    {
        REQUIRE(write_line(go));
        const bool lost = eventually(patience, [&] { return at(lab.show(id), "/ready") == false; });
        INFO(lab({"show", id}));
        REQUIRE(lost);
        CHECK(lab({"show", id}).out.find("ready-lost") != std::string::npos);
        REQUIRE(write_line(go));
        CHECK(lab({"wait", "--for", "ready", "--timeout", "10", id}).code == 0);
    }
}

TEST_CASE("why of several tasks: their supervisors make the reports at the same time")
{
    const Lab lab;
    constexpr int tasks = 20;
    for (int i = 0; i < tasks; ++i) lab.start({"--", "sleep", "1000"});
    const auto reports = at(lab.ask({"why", "--all"}), "/reports").as_array();
    REQUIRE(reports.size() == tasks);
    for (const auto& report : reports) CHECK(text_at(report.as_object(), "/verdict") == "sleeping");
    // One after the other takes at least 300 ms each.
    const Ran ran = lab({"why", "--all"});
    CHECK(ran.took < milliseconds(tasks * 300));
}

TEST_CASE("why tells who holds the port that a task says is in use")
{
    const Lab lab;
    const std::string port = std::to_string(free_port());
    const std::string holder = lab.start({"--ready-port", port, "--", BGT_FIXTURE, "listen", port});
    REQUIRE(lab({"wait", "--for", "ready", "--timeout", "10", holder}).code == 0);
    const std::string id =
        lab.start({"-c", "echo 'Error: listen EADDRINUSE: address already in use :::" + port +
                             "' >&2; exit 1"});
    CHECK(lab.wait(id) == 1);
    const Ran why = lab({"why", id});
    INFO(why);
    CHECK(why.out.find("port " + port + " is in use by pid " + text_at(lab.show(holder), "/pid")) !=
          why.out.npos);
    CHECK(at(lab.ask({"why", id}), "/ports_in_use/0/task") == std::stoll(holder));
}

TEST_CASE("what ends before it is ready can't become it")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up", "--wait-ready", "-c", "sleep 0.2; exit 3"});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("before it was ready") != std::string::npos);
    CHECK(lab.wait("-") == 3);
}

TEST_CASE("who waits is told at once that a living task can no longer become ready")
{
    const Lab lab;
    const std::string id = lab.start({"--ready-log", "up", "--ready-timeout", "600ms", "--on-hang",
                                      "report", "--", "sleep", "1000"});
    const Ran ran = lab({"wait", "--for", "ready", "--timeout", "20s", id});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("can no longer become ready") != std::string::npos);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("ready-timeout ends with the code of a hang")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up", "--ready-timeout", "500ms", "--wait-ready",
                         "--", "sleep", "1000"});
    INFO(ran);
    CHECK(ran.code == 120);
    CHECK(text_at(lab.show("-"), "/outcome/reason") == "ready-timeout");
}

TEST_CASE("ready by a message of the task itself, with progress")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-notify", "--wait-ready", "-c",
                         BGT_BINARY " notify --ready --status serving --progress 40% --step "
                                    "linking --total-steps 5; exec sleep 1000"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const auto task = lab.show("-");
    CHECK(text_at(task, "/progress/text") == "serving");
    CHECK(text_at(task, "/progress/step") == "linking");
    CHECK(number_at(task, "/progress/total_steps") == 5);
    CHECK(at(task, "/progress/fraction").as_double() == 0.4);
    CHECK(lab({"wait", "--for", "progress=40%", "-"}).code == 0);
    CHECK(lab({"wait", "--for", "progress=0.5", "--timeout", "300ms", "-"}).code == 124);
}

TEST_CASE("messages from outside the tree, and malformed ones, change nothing")
{
    const Lab lab;
    const std::string id = lab.start({"--ready-notify", "--", "sleep", "1000"});
    const std::string socket = lab.task_folder(id) + "/ctl.sock";
    auto outside = lab.bgt({"notify", "--ready"});
    outside.env.push_back("NOTIFY_SOCKET=" + socket);
    CHECK(run(outside).in_time);
    CHECK(text_at(lab.show(id), "/ready") == "false");
    const Ran inside =
        lab({"run", "--ready-notify", "--wait-ready", "--timeout", "20s", "--", "python3", "-c",
             "import os, socket, time\n"
             "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
             "s.connect(os.environ['NOTIFY_SOCKET'])\n"
             "s.send(b'\\x00\\xff nonsense')\n"
             "s.send(b'WATCHDOG_USEC=-1\\nSTATUS=\\x1b[31m')\n"
             "s.send(b'x' * 65000)\n"
             "for i in range(20000): s.send(b'STATUS=%d' % i)\n"
             "s.send(b'READY=1')\n"
             "time.sleep(1000)\n"});
    INFO(inside);
    CHECK(inside.code == 0);
    bool told = false;
    const auto task = lab.show("-");
    for (const auto& event : task.at("events").as_array())
        told |= text_at(event.as_object(), "/event") == "notification-malformed";
    CHECK(told);
}

TEST_CASE("a daemon becomes ready after its main process has ended")
{
    const Lab lab;
    const std::string id = lab.start({"--leftover", "wait", "--ready-log", "up", "-c",
                                      "(sleep 0.5; echo up; exec sleep 1000) & exit 0"});
    const Ran ran = lab({"wait", "--for", "ready", "--timeout", "20s", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    lab({"kill", id});
}
