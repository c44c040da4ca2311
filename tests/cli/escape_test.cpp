// After `bgt kill` no process of the tree lives, wherever it went.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>

using namespace bgt::test;

namespace {

/// What a loaded machine may add to the 0.2 s that a stop takes beyond its grace.
constexpr milliseconds slack = 1000ms;

void check_killed(const Lab& lab, const std::string& id, const Words& how, milliseconds grace)
{
    const std::vector<pid_t> pids = lab.pids_said(id);
    for (const pid_t pid : pids) REQUIRE(is_alive(pid));
    Words words{"kill", id};
    words.insert(words.end(), how.begin(), how.end());
    const Stopwatch watch;
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(all_gone(pids));
    CHECK(watch.elapsed() < grace + 200ms + slack);
    CHECK(find_task_members(lab.folder()).empty());
}

} // namespace

TEST_CASE("none of five escapes a kill")
{
    const Lab lab;
    const std::string mode = GENERATE("escape", "escape-quit");
    INFO(mode);
    SECTION("with a stop signal first")
    {
        const std::string id = lab.start_fixture({"--grace", "500ms"}, {mode});
        REQUIRE(lab.pids_said(id).size() == 5);
        const Stopwatch watch;
        check_killed(lab, id, {}, 500ms);
        CHECK(watch.elapsed() >= 500ms); // one of them ignores TERM, and is given the whole grace
        const auto task = lab.show(id);
        CHECK(text_at(task, "/lifecycle") == "ended");
        CHECK(text_at(task, "/outcome/reason") == "killed");
        CHECK(text_at(task, "/outcome/kind") == (mode == "escape" ? "signaled" : "exited"));
        CHECK(lab.wait(id) == (mode == "escape" ? 128 + SIGTERM : 0));
        CHECK(at(task, "/survivors").as_array().empty());
    }
    SECTION("at once")
    {
        const std::string id = lab.start_fixture({"--grace", "30s"}, {mode});
        check_killed(lab, id, {"--now"}, 0ms);
        CHECK(lab.wait(id) == 128 + SIGKILL);
    }
    SECTION("with the grace of the kill")
    {
        const std::string id = lab.start_fixture({"--grace", "30s"}, {mode});
        check_killed(lab, id, {"--grace", "300ms"}, 300ms);
    }
}

TEST_CASE("a tree that obeys is ended at once")
{
    const Lab lab;
    const std::string id = lab.start({"--grace", "30s", "-c", "sleep 100 & sleep 100 & wait"});
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 1s);
    CHECK(ran.out.find("by SIGTERM") != std::string::npos);
    CHECK(ran.out.find("by SIGKILL") == std::string::npos);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("a second kill does not wait for the grace of the first")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "60s"}, {"ignore-term"});
    REQUIRE(lab.logged(id, "ready"));
    Child first(lab.bgt({"kill", id}));
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "stopping"; }));
    const Ran second = lab({"kill", id});
    INFO(second);
    CHECK(second.code == 0);
    CHECK(second.took < 5s);
    const Ran ran = first.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(lab.wait(id) == 128 + SIGKILL);
}

TEST_CASE("children that are started while the tree is killed do not live on")
{
    const Lab lab;
    const Words how = GENERATE(Words{}, Words{"--now"});
    const std::string id = lab.start_fixture({"--grace", "300ms"}, {"forkstorm", "300"});
    REQUIRE(lab.logged(id, "ready"));
    REQUIRE(eventually(test_timeout, [&] { return find_task_members(lab.folder()).size() > 50; }));
    Words words{"kill", id};
    words.insert(words.end(), how.begin(), how.end());
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 5s);
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
}

TEST_CASE("a shell that starts new children all the time is ended")
{
    const Lab lab;
    const std::string id =
        lab.start({"--grace", "300ms", "-c",
                   "trap '' TERM; echo ready; while :; do sleep 7 & sleep 0.01; done"});
    REQUIRE(lab.logged(id, "ready"));
    REQUIRE(eventually(test_timeout, [&] { return find_task_members(lab.folder()).size() > 5; }));
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 300ms + 200ms + slack);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("a daemon with an environment of its own is ended")
{
    const Lab lab;
    const Words mode = GENERATE(Words{"escape-clean-env"}, Words{"escape-clean-env", "--close"},
                                Words{"daemon"}, Words{"hold-fds"});
    INFO(mode[0]);
    const std::string id = lab.start_fixture({"--grace", "300ms", "--leftover", "wait"}, mode);
    const std::vector<pid_t> pids = lab.pids_said(id);
    REQUIRE(pids.size() == 2);
    REQUIRE(is_alive(pids[1]));
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(all_gone(pids));
}

TEST_CASE("a process that takes the name of a helper of bgt is shown and ended like any other")
{
    const Lab lab;
    const char* const text = "printf bgt:helper > /proc/$$/comm; "
                             "(setsid sh -c 'printf bgt:helper > /proc/$$/comm; echo two; while :; "
                             "do sleep 100; done' &); "
                             "echo one; while :; do sleep 100; done";
    const std::string id = lab.start({"--stdin", "pipe", "-c", text});
    REQUIRE(lab.logged(id, "one"));
    REQUIRE(lab.logged(id, "two"));
    // Two shells and their sleeps; the helper that keeps stdin open is none of the task's.
    CHECK(eventually(test_timeout, [&] { return number_at(lab.show(id), "/processes") == 4; }));
    CHECK(lab({"kill", id}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("a process that was stopped is ended")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "30s"}, {"stop-self"});
    REQUIRE(lab.logged(id, "ready"));
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 5s);
    CHECK(lab.wait(id) == 128 + SIGTERM);
}

TEST_CASE("the ladder of stop signals is gone through")
{
    const Lab lab;
    SECTION("as the task has it")
    {
        const std::string id = lab.start({"--stop-signals", "INT:200ms,USR1:10s", "-c",
                                          "trap 'echo int' INT; trap 'echo usr1; exit 7' USR1; "
                                          "echo ready; while :; do sleep 0.05; done"});
        REQUIRE(lab.logged(id, "ready"));
        const Ran ran = lab({"kill", id});
        INFO(ran);
        CHECK(ran.code == 0);
        // The sleeps of the shell die of INT, the shell itself of nothing before USR1.
        const std::string log = lab.log(id);
        CHECK(log.find("int\n") < log.find("usr1\n"));
        CHECK(log.ends_with("usr1\n"));
        CHECK(lab.wait(id) == 7);
    }
    SECTION("as the kill has it")
    {
        const std::string id = lab.start(
            {"-c",
             "trap 'exit 9' QUIT; trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done"});
        REQUIRE(lab.logged(id, "ready"));
        CHECK(lab({"kill", id, "--stop-signals", "QUIT:10s"}).code == 0);
        CHECK(lab.wait(id) == 9);
    }
}

TEST_CASE("several are killed together")
{
    const Lab lab;
    for (int i = 0; i < 5; ++i)
        lab.start_fixture({"--grace", "500ms", "--tag", "job=many"}, {"ignore-term"});
    const std::string other = lab.start({"--", "sleep", "100"});
    for (const char* id : {"1", "2", "3", "4", "5"}) REQUIRE(lab.logged(id, "ready"));
    const Ran ran = lab({"kill", "--tag", "job=many"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 500ms + 200ms + slack); // and not five graces
    CHECK(text_at(lab.show(other), "/lifecycle") == "running");
    CHECK(lab({"kill", "--all"}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
    const Ran none = lab({"kill", "--all"});
    CHECK(none.code == 0);
    CHECK(none.out.empty());
}

TEST_CASE("a kill that takes longer than its --timeout says so, and goes on")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "1s"}, {"ignore-term"});
    REQUIRE(lab.logged(id, "ready"));
    const Ran ran = lab({"kill", id, "--timeout", "100ms"});
    INFO(ran);
    CHECK(ran.code == 124);
    CHECK(lab.wait(id) == 128 + SIGKILL);
}
