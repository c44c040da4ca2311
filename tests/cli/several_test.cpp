// Verbs that are about several tasks, and tasks that remove themselves.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

using namespace bgt::test;

TEST_CASE("an id that is not there is told, and the others are dealt with")
{
    const Lab lab;
    const Words verb = GENERATE(Words{"kill"}, Words{"pause"}, Words{"signal", "KILL"},
                                Words{"show"}, Words{"logs"}, Words{"rm", "--force"});
    const std::string id = lab.start({"--name", "live", "-c", "echo said; exec sleep 100"});
    REQUIRE(lab.logged(id, "said"));
    Words words = verb;
    words.insert(words.end(), {"nosuch", "live"});
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("no task named nosuch") != std::string::npos);
    if (verb[0] == "logs") CHECK(ran.out.find("said") != std::string::npos);
    if (verb[0] == "show") CHECK(ran.out.find("sleep 100") != std::string::npos);
    if (verb[0] == "rm") CHECK(lab({"ps", "-a", "-q"}).out.empty());
    if (verb[0] == "pause") CHECK(at(lab.show(id), "/paused") == true);
    if (verb[0] == "kill" || verb[0] == "signal") CHECK(lab.wait(id) > 128);
    const Ran alone = lab({verb[0] == "signal" ? "pause" : verb[0], "nosuch"});
    CHECK(alone.code == 125);
    CHECK(std::count(alone.err.begin(), alone.err.end(), '\n') == 1);
}

TEST_CASE("kill tells how a task ended that removes itself")
{
    const Lab lab;
    const std::string id = lab.start({"--rm", "--", "sleep", "100"});
    SECTION("in words")
    {
        const Ran ran = lab({"kill", id});
        INFO(ran);
        CHECK(ran.code == 0);
        CHECK(ran.out.starts_with("1: ended 1 process in "));
        CHECK(ran.out.ends_with(" (1 by SIGTERM)\n"));
    }
    SECTION("in JSON")
    {
        const auto answer = lab.ask({"kill", id});
        CHECK(at(answer, "/tasks/0/id") == 1);
        CHECK(at(answer, "/tasks/0/outcome/signal") == "SIGTERM");
    }
    CHECK(lab({"ps", "-a", "-q"}).out.empty());
}

TEST_CASE("--replace with a command that can't be started leaves the old task alone")
{
    const Lab lab;
    lab.start({"--name", "web", "--", "sleep", "100"});
    write_file(lab.work() + "/plain", "text\n");
    std::filesystem::create_symlink("loop", lab.work() + "/loop");
    const auto [command, code] =
        GENERATE(std::pair{"no-such-program-anywhere", 127}, std::pair{"./plain", 126},
                 std::pair{"./", 126}, std::pair{"./loop", 126});
    const Ran ran = lab({"run", "--name", "web", "--replace", "--", command});
    INFO(ran);
    CHECK(ran.code == code);
    CHECK(ran.err.ends_with("; task 1 keeps running\n"));
    CHECK(lab({"ps", "-q", "--state", "running"}).out == "1\n");
    CHECK(lab({"run", "--name", "web", "--replace", "--anywhere", "--cwd", "/usr", "--", "bin/env",
               "true"})
              .out == "2\n"); // from its folder
}

TEST_CASE("what is left of a long line whose begin was freed is shown")
{
    const Lab lab;
    const std::string id = lab.start(
        {"--log-max", "64K", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end"});
    CHECK(lab.wait(id) == 0);
    const Ran ran = lab({"logs", id});
    INFO(ran.err);
    CHECK(ran.out.size() > 60'000);
    CHECK(ran.out.ends_with("x\nend\n"));
}

TEST_CASE("logs -f ends when nobody reads it any more, though the task is silent")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo once; exec sleep 100"});
    Child follow(lab.bgt({"logs", "-f", id}));
    REQUIRE(follow.says("once"));
    follow.close_output();
    const Ran ran = follow.finish();
    CHECK(ran.in_time);
    CHECK(ran.signal == SIGPIPE);
    CHECK(lab({"kill", id}).code == 0);
}
