// bgt scope: what is started or submitted inside ends with it, however it ends.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <filesystem>
#include <sys/stat.h>

using namespace bgt::test;

namespace {

std::string lifecycle(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/lifecycle");
}

std::string reason(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/outcome/reason");
}

bool has_ended(const Lab& lab, const std::string& id)
{
    return eventually(test_timeout, [&] { return lifecycle(lab, id) == "ended"; });
}

Invocation scope(const Lab& lab, const Words& options, const std::string& script)
{
    Words words{"scope"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "sh", "-c", script});
    return lab.bgt(words);
}

/// `bgt`, as a script in the scope calls it.
const std::string self = std::string(BGT_BINARY) + " ";

} // namespace

TEST_CASE("a scope is transparent: stdin, stdout, working folder and exit code are the command's")
{
    const Lab lab;
    Invocation call = scope(lab, {}, "cat; pwd; exit 7");
    call.input = "in\n";
    const Ran ran = run(call);
    INFO(ran);
    CHECK(ran.code == 7);
    CHECK(ran.out == "in\n" + lab.work() + "\n");
    CHECK(ran.err == "bgt scope: there was no task to end\n");
    CHECK(run(scope(lab, {}, "kill -KILL $$")).code == 137);
    CHECK(lab({"scope", "--", "/no/such/program"}).code == 127);
    CHECK(lab({"scope", "--", "/"}).code == 126);
    CHECK(lab({"scope"}).code == 125);
    CHECK(lab({"scope", "--grace", "x", "--", "true"}).code == 125);
    const Ran no_file = lab({"scope", "--json", "/no/such/file", "--", "touch", "ran"});
    CHECK(no_file.code == 125);
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran"));
}

TEST_CASE("the answer of a scope goes into a regular file, and nothing is waited for")
{
    const Lab lab;
    REQUIRE(::mkfifo((lab.work() + "/fifo").c_str(), 0600) == 0);
    for (const char* path : {"fifo", ".", "/dev/null"}) {
        const Ran ran = lab({"scope", "--json", path, "--", "touch", "ran"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.in_time);
    }
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran"));
    write_file(lab.work() + "/answer", std::string(5000, 'x')); // what was there is gone
    CHECK(lab({"scope", "--json", "answer", "--", "true"}).code == 0);
    CHECK(read_file(lab.work() + "/answer").find("xx") == std::string::npos);
    const Ran piped = lab({"scope", "--json", "/dev/stdout", "--", "true"});
    INFO(piped);
    CHECK(piped.out.find("\"exit_code\":0") != std::string::npos);
}

TEST_CASE("tasks that were started and submitted inside end with the scope, at any depth")
{
    const Lab lab;
    const std::string outside = lab.start({"--", "sleep", "100"});
    const std::string nested = "run -- sh -c '" + self + "run -- sleep 100; sleep 100'; ";
    const std::string script = self + "run -- sleep 100; " + // 2
                               self + nested +               // 3, 4
                               "until test $(" + self +
                               "ps -q | wc -l) -ge 4; do sleep 0.01; done; " + self +
                               "submit -- sleep 100; " +     // 5
                               self + "submit -- sleep 100"; // 6 waits
    const Ran ran = run(scope(lab, {"--json", "numbers"}, script));
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    const auto numbers = boost::json::parse(read_file(lab.work() + "/numbers")).as_object();
    CHECK(number_at(numbers, "/initial_tasks") == 5);
    CHECK(number_at(numbers, "/completed_tasks") == 5);
    CHECK(number_at(numbers, "/remaining_tasks") == 0);
    CHECK(number_at(numbers, "/exit_code") == 0);
    for (const char* id : {"2", "3", "4", "5", "6"}) CHECK(has_ended(lab, id));
    CHECK(reason(lab, "2") == "owner-gone");
    CHECK(text_at(lab.show("6"), "/outcome/kind") == "not-started");
    CHECK(reason(lab, "6") == "cancelled");
    CHECK(lifecycle(lab, outside) == "running");
    CHECK(lab({"show", "2"}).out.find("scope") != std::string::npos);
}

TEST_CASE("inside a scope a name and - mean the tasks of the scope, an id any task")
{
    const Lab lab;
    const std::string outside = lab.start({"--name", "web", "--", "sleep", "1000"});
    const Ran ran =
        run(scope(lab, {},
                  self + "kill -; echo $?; " + self + "kill web; echo $?; " + self +
                      "run --name in -- sleep 100; " + self + "show in >shown && " + self +
                      "kill -; echo $?; " + self + "submit --name q --hold -- true; " + self +
                      "kill q >&2; echo $?; " + self + "show 1 >shown; echo $?"));
    INFO(ran);
    CHECK(ran.out.starts_with("125\n125\n2\n2 in: ended"));
    CHECK(ran.out.ends_with("\n0\n3\n0\n0\n"));
    CHECK(ran.err.find("task 1 (web) does not belong to the scope") != ran.err.npos);
    CHECK(ran.err.find("no task was started in this scope") != ran.err.npos);
    CHECK(lifecycle(lab, outside) == "running");
}

TEST_CASE("a scope that is killed by SIGKILL takes its command and its tasks with it")
{
    const Lab lab;
    const std::string script = self + "run -- sleep 100; " + self + "submit -- sleep 100; " + self +
                               "submit -- touch ran; echo ready; exec sleep 100";
    Child child(scope(lab, {}, script));
    REQUIRE(child.says("ready"));
    REQUIRE(eventually(test_timeout, [&] { return lifecycle(lab, "2") == "running"; }));
    CHECK(lifecycle(lab, "3") == "queued");
    const auto inside = descendants_of(child.pid());
    REQUIRE(inside.size() == 1);
    child.send(SIGKILL);
    CHECK(has_ended(lab, "1"));
    CHECK(has_ended(lab, "2"));
    CHECK(reason(lab, "1") == "owner-gone");
    CHECK(has_ended(lab, "3"));
    CHECK(reason(lab, "3") == "cancelled");
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran"));
    CHECK(eventually(test_timeout, [&] { return all_gone(inside); }));
}

TEST_CASE("the supervisor that adopts a task of a scope that was killed ends it")
{
    const Lab lab;
    Child child(scope(lab, {}, self + "run -- sleep 100; echo ready; exec sleep 100"));
    REQUIRE(child.says("ready"));
    const auto supervisor = static_cast<pid_t>(number_at(lab.show("1"), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    child.send(SIGKILL);
    child.finish();
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    CHECK(lab.wait("1") == 122);
    CHECK(reason(lab, "1") == "owner-gone");
}

TEST_CASE("signals to a scope go to its command, and its tasks end afterwards")
{
    const Lab lab;
    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGUSR1);
    const std::string script = "trap 'exit 9' INT TERM HUP USR1; " + self +
                               "run -- sleep 100; echo ready; while :; do sleep 0.01; done";
    Child child(scope(lab, {}, script));
    REQUIRE(child.says("ready"));
    child.send(signal);
    const Ran ran = child.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 9);
    CHECK(ran.err.find("1 task ended in ") != std::string::npos);
    CHECK(lifecycle(lab, "1") == "ended");
}

TEST_CASE("a scope gives its tasks the grace, and a second signal does not wait for it")
{
    const Lab lab;
    const std::string stubborn =
        self + "run -- sh -c 'trap \"\" TERM; touch up; while :; do sleep 0.01; done'; " +
        "until test -e up; do sleep 0.01; done; ";
    SECTION("the grace")
    {
        const Stopwatch watch;
        CHECK(run(scope(lab, {"--grace", "50ms"}, stubborn)).code == 0);
        CHECK(watch.elapsed() < 5s);
    }
    SECTION("a signal")
    {
        Child child(scope(lab, {"--grace", "1h"}, stubborn + "echo ready"));
        REQUIRE(child.says("ready"));
        REQUIRE(eventually(test_timeout, [&] { return lifecycle(lab, "1") == "stopping"; }));
        child.send(SIGTERM);
        const Ran ran = child.finish();
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 0);
    }
    CHECK(lifecycle(lab, "1") == "ended");
}

TEST_CASE("scopes are nested: the end of the outer one ends the inner one")
{
    const Lab lab;
    const std::string inner =
        self + "scope -- sh -c '" + self + "run -- sleep 100; echo ready; exec sleep 100'";
    SECTION("the inner one ends by itself, and the outer one's tasks go on")
    {
        const std::string script = self + "run -- sleep 100; " + self + "scope -- " + self +
                                   "run -- sleep 100; " + self + "show --json 1";
        const Ran ran = run(scope(lab, {}, script));
        INFO(ran);
        CHECK(ran.out.find("\"lifecycle\":\"running\"") != std::string::npos);
        CHECK(reason(lab, "2") == "owner-gone");
        CHECK(lifecycle(lab, "1") == "ended");
    }
    SECTION("the outer one is killed")
    {
        Child child(scope(lab, {}, inner + " & wait"));
        REQUIRE(child.says("ready"));
        const auto inside = descendants_of(child.pid());
        child.send(SIGKILL);
        CHECK(has_ended(lab, "1"));
        CHECK(eventually(test_timeout, [&] { return all_gone(inside); }));
    }
}

TEST_CASE("nothing is started in a scope that has ended")
{
    const Lab lab;
    const std::string late = "(until test -e go; do sleep 0.01; done; " + self +
                             "run -- true; echo $?; " + self +
                             "submit -- true; echo $?) >late 2>&1 &";
    CHECK(run(scope(lab, {}, late)).code == 0);
    write_file(lab.work() + "/go", "");
    REQUIRE(eventually(test_timeout, [&] {
        const std::string said = read_file(lab.work() + "/late");
        return std::count(said.begin(), said.end(), '\n') == 4;
    }));
    const std::string said = read_file(lab.work() + "/late");
    INFO(said);
    CHECK(said.find("the scope around this has ended") != std::string::npos);
    CHECK(said.find("\n125\n") != std::string::npos);
    CHECK(lab.listing().empty());
}

TEST_CASE("an environment that names scopes in another way is refused")
{
    Lab lab;
    lab.set_env("BGT_SCOPE=\x1b[31mx");
    for (const Words& words : {Words{"run", "--", "true"}, Words{"submit", "--", "true"},
                               Words{"scope", "--", "true"}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("BGT_SCOPE: ") != std::string::npos);
        CHECK(ran.err.find('\x1b') == std::string::npos);
    }
}

TEST_CASE("a task with an environment of its own stays in the scope, and its tasks too")
{
    const Lab lab;
    const std::string script = self + "run --clear-env --env BGT_ROOT -- sh -c '" + self +
                               "run -- sleep 100; touch up; sleep 100'; " +
                               "until test -e up; do sleep 0.01; done";
    CHECK(run(scope(lab, {}, script)).code == 0);
    CHECK(lifecycle(lab, "2") == "ended");
}

TEST_CASE("a scope that is stopped goes on when its command does")
{
    const Lab lab;
    Child child(scope(lab, {}, "kill -STOP $$; exit 4"));
    REQUIRE(eventually(test_timeout, [&] { return state_of(child.pid()) == 'T'; }));
    child.send(SIGCONT);
    const Ran ran = child.finish();
    INFO(ran);
    CHECK(ran.code == 4);
}

TEST_CASE("the root of --root is that of what is started inside")
{
    const Lab lab;
    const std::string other = lab.folder() + "/other";
    const Ran ran = lab({"--root", other, "scope", "--", BGT_BINARY, "run", "--", "sleep", "100"});
    INFO(ran);
    CHECK(ran.err.find("1 task ended in ") != std::string::npos);
    CHECK(std::filesystem::exists(other + "/tasks/1"));
}
