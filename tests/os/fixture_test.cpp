// The fixture does what its help says: other tests rest on it.
#include "sandbox.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;

TEST_CASE("the fixture's pattern is verified byte by byte")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/log";
    auto spew = sandbox.start({"spew", "200001"});
    std::string text = spew.rest();
    REQUIRE(text.size() == 200001);
    const auto verdict = [&] {
        std::ofstream(path, std::ios::trunc) << text;
        return sandbox.start({"verify-spew", path, "200001"}).line();
    };
    CHECK(verdict() == "ok");
    SECTION("a missing byte")
    {
        text.erase(100'015, 1); // the space behind a number
        CHECK(verdict() == "wrong at byte 100015");
    }
    SECTION("a missing end")
    {
        text.pop_back();
        CHECK(verdict() == "too short at byte 200000");
    }
    SECTION("a doubled part")
    {
        text.insert(65536, text.substr(0, 65536));
        CHECK(verdict()->starts_with("wrong at byte 65"));
    }
    SECTION("a doubled end")
    {
        text += text.back();
        CHECK(verdict() == "too long at byte 200001");
    }
}

TEST_CASE("the fixture's lines end where they were asked to")
{
    test::Sandbox sandbox;
    auto lines = sandbox.start({"spew", "1600", "--line-length", "150"});
    CHECK(lines.line()->size() == 159);
    auto one = sandbox.start({"spew", "1600", "--line-length", "0"});
    CHECK(one.rest().find('\n') == std::string::npos);
}

TEST_CASE("the fixture ends as it was asked to")
{
    test::Sandbox sandbox;
    CHECK(WEXITSTATUS(sandbox.reap(sandbox.start({"exit", "42"}).pid)) == 42);
    CHECK(WTERMSIG(sandbox.reap(sandbox.start({"signal", "11"}).pid)) == SIGSEGV);
    CHECK(WEXITSTATUS(sandbox.reap(sandbox.start({"burst-exit", "0"}).pid)) == 0);
    CHECK(WEXITSTATUS(sandbox.reap(sandbox.start({"unknown"}).pid)) == 2);
    CHECK(WEXITSTATUS(sandbox.reap(sandbox.start({"exit", "x"}).pid)) == 2);
    auto quit = sandbox.start({"escape-quit"});
    REQUIRE(quit.numbers().size() == 5);
    ::kill(quit.pid, SIGTERM);
    CHECK(WEXITSTATUS(sandbox.reap(quit.pid)) == 0);
}

TEST_CASE("the fixture's daemons outlive their root")
{
    for (const char* mode : {"daemon", "hold-fds"}) {
        test::Sandbox sandbox;
        auto root = sandbox.start({mode});
        const auto pids = root.numbers();
        REQUIRE(pids.size() == 2);
        CHECK(WEXITSTATUS(sandbox.reap(root.pid)) == 0);
        const auto daemon = os::read_stat(pids[1]);
        REQUIRE(daemon);
        CHECK(daemon->session == daemon->key.pid);
        CHECK(daemon->ppid == ::getpid());
    }
}

TEST_CASE("the fixture's other modes")
{
    test::Sandbox sandbox;
    CHECK(sandbox.start({"tick", "1", "3"}).rest() == "tick 1\ntick 2\ntick 3\n");
    CHECK(sandbox.start({"mixed", "3"}).rest() == "out 1\nout 3\n");
    auto echo = sandbox.start({"echo-stdin"});
    REQUIRE(echo.line() == "ready");
    REQUIRE(::write(echo.input.get(), "hello\n", 6) == 6);
    CHECK(echo.line() == "hello");
    echo.input.reset();
    CHECK(echo.line() == "eof");
    auto stopped = sandbox.start({"stop-self"});
    REQUIRE(stopped.line() == "ready");
    REQUIRE(test::eventually([&] { return os::read_stat(stopped.pid)->state == 'T'; }));
    ::kill(stopped.pid, SIGCONT);
    CHECK(stopped.line() == "continued");
    auto clean = sandbox.start({"escape-clean-env", "--close"});
    REQUIRE(clean.numbers().size() == 2);
    const std::string said = sandbox.start({"env"}, {"NEW=with\nnewline"}).rest();
    CHECK(said.find("\nenv NEW=with\\nnewline\n") != std::string::npos);
    CHECK(said.find("\nfd 1 pipe:[") != std::string::npos);
}
