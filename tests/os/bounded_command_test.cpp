// A command that must not last: what it starts, what it writes, and how it is stopped.
#include <bgt/os/background.hpp>
#include <bgt/os/bounded_command.hpp>
#include <bgt/os/wait.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/process.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdlib.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::test;

namespace {

/// Runs it as its caller has to: in a process that does nothing else.
struct Watched {
    std::string folder;
    pid_t pid = -1;

    explicit Watched(const std::string& text, Duration timeout = 20s,
                     Duration leftover_wait = 100ms, Duration grace = 200ms)
    {
        char name[] = "/tmp/bounded-XXXXXX";
        folder = mkdtemp(name);
        const auto started = os::fork_helper({}, false, [&] {
            os::BoundedCommand command{.text = text,
                                       .env = {"PATH=/usr/bin:/bin"},
                                       .cwd = folder,
                                       .umask = 022,
                                       .timeout = timeout,
                                       .leftover_wait = leftover_wait,
                                       .grace = grace,
                                       .grace_when_told = 50ms,
                                       .max_output = 16};
            const auto end = os::run_bounded(command);
            std::ofstream out(folder + "/end");
            if (!end) out << end.error().message;
            else
                out << end->code.value_or(-1) << " " << static_cast<int>(end->stopped) << " "
                    << end->leftovers << " " << end->survivors << " " << end->output_bytes << " "
                    << end->output;
            return 0;
        });
        REQUIRE(started);
        pid = *started;
    }
    ~Watched()
    {
        os::kill_child(pid);
        os::reap(pid);
        std::system(("rm -rf " + folder).c_str());
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    std::string file(const std::string& name) const
    {
        std::ostringstream text;
        text << std::ifstream(folder + "/" + name).rdbuf();
        return text.str();
    }
    /// Code, StoppedFor, leftovers, survivors, bytes written, and the last of them.
    std::string end() const
    {
        REQUIRE(eventually(test_timeout, [&] { return os::has_ended(pid); }));
        return file("end");
    }
    pid_t pid_of(const std::string& name) const
    {
        REQUIRE(eventually(test_timeout, [&] { return !file(name).empty(); }));
        return static_cast<pid_t>(std::stol(file(name)));
    }
};

} // namespace

TEST_CASE("a bounded command has its code, and the last that it and its children wrote")
{
    CHECK(Watched("exit 3").end() == "3 0 0 0 0 ");
    CHECK(Watched("echo out; echo err >&2; exit 0").end() == "0 0 0 0 8 out\nerr\n");
    CHECK(Watched("echo 0123456789; (echo abcdefghij >&2)").end() ==
          "0 0 0 0 22 6789\nabcdefghij\n");
    CHECK(Watched("kill -9 $$").end() == "137 0 0 0 0 ");
    CHECK(Watched("cat; echo $?").end() == "0 0 0 0 2 0\n"); // it has an empty stdin
}

TEST_CASE("a bounded command that takes too long is stopped with all that it has started")
{
    const Watched soft("trap 'echo bye; exit 5' TERM; echo $$ > shell; while :; do :; done", 200ms);
    CHECK(soft.end() == "5 1 0 0 4 bye\n");
    const Watched hard("trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > deep; "
                       "while :; do sleep 1; done' & while :; do sleep 1; done",
                       500ms);
    const pid_t deep = hard.pid_of("deep");
    CHECK(hard.end() == "137 1 0 0 0 ");
    CHECK_FALSE(is_alive(deep));
    const Watched stopped("kill -STOP $$", 200ms); // it gets SIGCONT after SIGTERM
    CHECK(stopped.end() == "143 1 0 0 0 ");
}

TEST_CASE("what a bounded command leaves is stopped")
{
    const Watched run("(setsid sleep 1000 & echo $! > left) & sleep 0.1; exit 0");
    const pid_t left = run.pid_of("left");
    CHECK(run.end() == "0 0 1 0 0 ");
    CHECK_FALSE(is_alive(left));
    CHECK(Watched("sleep 0.05 & exit 0", 20s, 20s).end() == "0 0 0 0 0 "); // it ended in its time
}

TEST_CASE("what a bounded command leaves is stopped, whatever it calls itself")
{
    for (const std::string name : {"bgt:7", "bgt:dispatcher", "bgt:standby", "bgt:x"}) {
        INFO(name);
        const Watched run("cp \"$(command -v sleep)\" " + name + "; (setsid ./" + name +
                          " 1000 & echo $! > left) & sleep 0.1; exit 0");
        const pid_t left = run.pid_of("left");
        CHECK(run.end() == "0 0 1 0 0 ");
        CHECK_FALSE(is_alive(left));
    }
}

TEST_CASE("a process that watches a bounded command stops it when it is told to end")
{
    const Watched run("trap '' TERM; echo $$ > shell; while :; do sleep 1; done", 20s, 100ms, 20s);
    const pid_t shell = run.pid_of("shell");
    REQUIRE(kill(run.pid, SIGTERM) == 0);
    CHECK(run.end() == "137 2 0 0 0 ");
    CHECK_FALSE(is_alive(shell));
}

TEST_CASE("a bounded command that can't be run at all is an error")
{
    const auto pid = os::fork_helper({}, false, [] {
        os::BoundedCommand command{
            .text = "exit 0", .env = {}, .cwd = "/no/such/folder", .timeout = 20s};
        return os::run_bounded(command) ? 0 : 9;
    });
    REQUIRE(pid);
    std::optional<os::ChildEnd> end;
    REQUIRE(eventually(test_timeout, [&] { return (end = os::try_reap(*pid)).has_value(); }));
    CHECK(end->exit_code == 9);
}
