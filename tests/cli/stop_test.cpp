// Who else ends a task: its owner, its timeout, a SIGTERM to its supervisor, the task around it;
// and what is left over.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>

using namespace bgt::test;

TEST_CASE("a task ends with its owner")
{
    const Lab lab;
    SECTION("in a script")
    {
        const Ran ran = run(lab.program(
            {"sh", "-c", BGT_BINARY " run --owner $$ --grace 300ms -- " BGT_FIXTURE " escape"}));
        INFO(ran);
        REQUIRE(ran.code == 0);
        CHECK(lab.wait("1") == 128 + SIGTERM);
        CHECK(find_task_members(lab.folder()).empty());
    }
    SECTION("that is killed")
    {
        Child owner(lab.program({"sleep", "100"}));
        const std::string id =
            lab.start({"--owner", std::to_string(owner.pid()), "--", "sleep", "100"});
        CHECK(text_at(lab.show(id), "/lifecycle") == "running");
        owner.send(SIGKILL);
        CHECK(lab.wait(id) == 128 + SIGTERM);
    }
    SECTION("while its supervisor is dead")
    {
        Child owner(lab.program({"sleep", "100"}));
        const std::string id =
            lab.start({"--owner", std::to_string(owner.pid()), "--", "sleep", "100"});
        const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
        REQUIRE(::kill(supervisor, SIGKILL) == 0);
        owner.send(SIGKILL);
        owner.finish();
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
        CHECK(lab.wait(id) == 122);
    }
    CHECK(text_at(lab.show("1"), "/outcome/reason") == "owner-gone");
}

TEST_CASE("what is left over after the main process", "[slow]")
{
    const Lab lab;
    SECTION("is killed two seconds later")
    {
        const Stopwatch watch;
        const std::string id = lab.start_fixture({}, {"daemon"});
        CHECK(lab.wait(id) == 0);
        CHECK(watch.elapsed() >= 2s);
        CHECK(all_gone(lab.pids_said(id)));
        const auto task = lab.show(id);
        CHECK(number_at(task, "/outcome/leftover_killed") == 1);
        CHECK(text_at(task, "/outcome/kind") == "exited");
        CHECK(text_at(task, "/outcome/reason") == "self");
    }
    SECTION("is waited for")
    {
        const std::string id = lab.start({"--leftover", "wait", "--stdin", "pipe", "-c",
                                          "exec 3<&0; (read x <&3; echo $x) & exit 4"});
        const auto root = static_cast<pid_t>(number_at(lab.show(id), "/pid"));
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(root); }));
        CHECK(text_at(lab.show(id), "/lifecycle") == "running");
        CHECK(lab({"wait", "--timeout", "100ms", id}).code == 124);
        CHECK(lab({"send", id, "last"}).code == 0);
        CHECK(lab.wait(id) == 4);
        CHECK(lab.log(id) == "last\n");
    }
    SECTION("is kept")
    {
        const std::string id = lab.start_fixture({"--leftover", "keep"}, {"daemon"});
        CHECK(lab.wait(id) == 0);
        const std::vector<pid_t> pids = lab.pids_said(id);
        CHECK(is_alive(pids[1]));
        const Ran refused = lab({"rm", id});
        INFO(refused);
        CHECK(refused.code == 125);
        CHECK(is_alive(pids[1]));
        CHECK(lab({"rm", "--force", id}).code == 0);
        CHECK(all_gone(pids));
        CHECK(!std::filesystem::exists(lab.task_folder(id)));
    }
}

TEST_CASE("a supervisor that is told to end ends its task")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "500ms"}, {"escape"});
    const std::vector<pid_t> pids = lab.pids_said(id);
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGTERM) == 0);
    CHECK(lab.wait(id) == 128 + SIGTERM);
    CHECK(all_gone(pids));
    CHECK(text_at(lab.show(id), "/outcome/reason") == "shutdown");
    CHECK(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
}

TEST_CASE("a task inside a task ends with the outer one")
{
    const Lab lab;
    const std::string outer = lab.start({"--grace", "500ms", "-c",
                                         BGT_BINARY " run --name inner -- " BGT_FIXTURE
                                                    " escape; echo started; exec sleep 100"});
    REQUIRE(lab.logged(outer, "started"));
    const std::vector<pid_t> pids = lab.pids_said("2");
    REQUIRE(pids.size() == 5);
    CHECK(text_at(lab.show("inner"), "/lifecycle") == "running");
    const Ran ran = lab({"kill", outer});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(all_gone(pids));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(text_at(lab.show("inner"), "/lifecycle") == "ended");
}

TEST_CASE("the inner task can be ended alone, and the outer one is adopted with it")
{
    const Lab lab;
    const std::string outer =
        lab.start({"-c", BGT_BINARY " run -- sleep 100; echo started; exec sleep 100"});
    REQUIRE(lab.logged(outer, "started"));
    SECTION("alone")
    {
        CHECK(lab({"kill", "2"}).code == 0);
        CHECK(text_at(lab.show(outer), "/lifecycle") == "running");
        CHECK(text_at(lab.show("2"), "/lifecycle") == "ended");
    }
    SECTION("adopted")
    {
        const auto inner = static_cast<pid_t>(number_at(lab.show("2"), "/pid"));
        ::kill(static_cast<pid_t>(number_at(lab.show(outer), "/supervisor")), SIGKILL);
        CHECK(lab({"kill", "--now", outer}).code == 0);
        CHECK(!is_alive(inner));
        CHECK(find_task_members(lab.folder()).empty());
    }
}

TEST_CASE("run --wait ends at once by a signal while it waits to start")
{
    const Lab lab;
    const std::string old = lab.start_fixture({"--name", "web", "--grace", "60s"}, {"ignore-term"});
    REQUIRE(lab.logged(old, "ready"));
    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
    Child stay(lab.bgt({"run", "--wait", "--name", "web", "--replace", "--", "true"}));
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(old), "/lifecycle") == "stopping"; }));
    stay.send(signal);
    const Ran ran = stay.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.signal == signal);
    CHECK(at(lab.ask({"ps", "-a"}), "/tasks").as_array().size() == 1);
}

TEST_CASE("run --wait passes signals on")
{
    const Lab lab;
    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
    SECTION("as a stop request")
    {
        Child stay(
            lab.bgt({"run", "--wait", "-c",
                     "trap 'echo asked; exit 6' TERM; echo ready; while :; do sleep 0.05; done"}));
        REQUIRE(stay.says("ready"));
        stay.send(signal);
        const Ran ran = stay.finish();
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 6);
        CHECK(ran.out.ends_with("asked\n"));
        CHECK(text_at(lab.show("1"), "/outcome/reason") == "killed");
    }
    SECTION("a second one as kill")
    {
        Child stay(lab.bgt({"run", "--wait", "--grace", "60s", "--", BGT_FIXTURE, "ignore-term"}));
        REQUIRE(stay.says("ready"));
        stay.send(signal);
        REQUIRE(eventually(test_timeout,
                           [&] { return text_at(lab.show("1"), "/lifecycle") == "stopping"; }));
        stay.send(signal);
        const Ran ran = stay.finish();
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 128 + SIGKILL);
        CHECK(find_task_members(lab.folder()).empty());
    }
}

TEST_CASE("run --wait that is killed leaves its task alone")
{
    const Lab lab;
    Child stay(lab.bgt({"run", "--wait", "--", BGT_FIXTURE, "tick", "20"}));
    REQUIRE(stay.says("tick 1"));
    stay.send(SIGKILL);
    stay.finish();
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
    CHECK(at(lab.show("1"), "/adopted") == false);
}

TEST_CASE("run --wait whose reader goes away leaves its task alone")
{
    const Lab lab;
    Child stay(lab.bgt({"run", "--wait", "--", BGT_FIXTURE, "tick", "10", "60"}));
    REQUIRE(stay.says("tick 1"));
    stay.close_output();
    const Ran ran = stay.finish();
    CHECK(ran.in_time);
    CHECK(lab.wait("1") == 0);
    CHECK(lab.log("1").ends_with("tick 60\n"));
}

TEST_CASE("a task is paused and resumed")
{
    const Lab lab;
    const std::string id = lab.start_fixture({}, {"escape"});
    const std::vector<pid_t> pids = lab.pids_said(id);
    CHECK(lab({"pause", id}).code == 0);
    CHECK(eventually(test_timeout, [&] {
        return std::all_of(pids.begin(), pids.end(), [](pid_t p) { return state_of(p) == 'T'; });
    }));
    CHECK(at(lab.show(id), "/paused") == true);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    SECTION("and goes on")
    {
        CHECK(lab({"resume", id}).code == 0);
        CHECK(eventually(test_timeout, [&] {
            return std::all_of(pids.begin(), pids.end(),
                               [](pid_t p) { return state_of(p) == 'S'; });
        }));
        CHECK(at(lab.show(id), "/paused") == false);
    }
    SECTION("and is killed while it is paused")
    {
        CHECK(lab({"kill", "--grace", "300ms", id}).code == 0);
        CHECK(all_gone(pids));
    }
}

TEST_CASE("a signal goes to the main process, or to the whole tree")
{
    const Lab lab;
    const std::string id =
        lab.start({"-c", "trap 'echo outer' USR1; sh -c 'trap \"echo inner; exit\" USR1; echo "
                         "ready; while :; do sleep 0.05; done' & wait; wait; echo done"});
    REQUIRE(lab.logged(id, "ready"));
    CHECK(lab({"signal", "USR1", id}).code == 0);
    REQUIRE(lab.logged(id, "outer"));
    CHECK(lab.log(id).find("inner") == std::string::npos);
    CHECK(lab({"signal", "--tree", "SIGUSR1", id}).code == 0);
    REQUIRE(lab.logged(id, "inner"));
    CHECK(lab({"signal", "NOSUCH", id}).code == 125);
    lab({"kill", "--now", id});
    const Ran late = lab({"signal", "USR1", id});
    INFO(late);
    CHECK(late.code == 125);
}

TEST_CASE("kill takes a signal as kill(1) does")
{
    const Lab lab;
    const auto [words, outcome] =
        GENERATE(std::pair{Words{"-9"}, "SIGKILL"}, std::pair{Words{"-s", "INT"}, "SIGINT"},
                 std::pair{Words{"-INT"}, "SIGINT"}, std::pair{Words{"--signal=QUIT"}, "SIGQUIT"},
                 std::pair{Words{"-KILL"}, "SIGKILL"});
    const std::string id = lab.start({"--name", "web", "--", "sleep", "100"});
    Words kill{"kill"};
    kill.insert(kill.end(), words.begin(), words.end());
    kill.push_back("web");
    const Ran ran = lab(kill);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    CHECK(text_at(lab.show(id), "/outcome/signal") == outcome);
}

TEST_CASE("kill only sends a signal that is not meant to end things")
{
    const Lab lab;
    const std::string id =
        lab.start({"-c", "trap 'echo reloaded' HUP; echo up; while :; do sleep 0.01; done"});
    REQUIRE(lab.logged(id, "up"));
    CHECK(lab({"kill", "-HUP", id}).out == id + ": SIGHUP was sent\n");
    CHECK(lab.logged(id, "reloaded"));
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    CHECK(lab({"kill", "-HUP", "--grace", "1s", id}).code == 125);
    CHECK(lab({"kill", "-INT", "--now", id}).code == 125);
}

TEST_CASE("a word with a dash that is no option refuses the whole call")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "-c", "echo said; exec sleep 100"});
    REQUIRE(lab.logged(id, "said"));
    for (const Words& words : {Words{"kill", "web", "-99"}, Words{"kill", "-x", "web"},
                               Words{"rm", "--force", "-9", "web"}, Words{"logs", "-5x", "web"},
                               Words{"pause", "-9", "web"}, Words{"wait", "-5", "web"}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(ran.err.find("unknown option -") != std::string::npos);
    }
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    CHECK(at(lab.show(id), "/paused") == false);
}

TEST_CASE("logs -5 and --tail 5 print the last lines")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "-c", "seq 20"});
    CHECK(lab.wait(id) == 0);
    CHECK(lab({"logs", "-2", "web"}).out == "19\n20\n");
    CHECK(lab({"logs", "web", "-2"}).out == "19\n20\n");
    CHECK(lab({"logs", "--tail", "2", "web"}).out == "19\n20\n");
}

TEST_CASE("failed does not hold what was killed")
{
    const Lab lab;
    lab.start({"--name", "killed", "--", "sleep", "100"});
    CHECK(lab({"kill", "killed"}).code == 0);
    CHECK(lab({"run", "--wait", "-c", "exit 3"}).code == 3);
    CHECK(lab({"run", "--wait", "--timeout", "1ms", "--", "sleep", "100"}).code == 123);
    CHECK(lab({"ps", "-q", "--state", "failed"}).out == "3\n2\n");
}

TEST_CASE("verbs by their other names")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    CHECK(lab({"ls", "-q"}).out == id + "\n");
    CHECK(lab({"stop", id}).code == 0);
    for (const auto& [word, meant] : {std::pair{"list", "bgt ps"},
                                      {"status", "bgt show"},
                                      {"top", "bgt ps --watch"},
                                      {"tail", "bgt logs -f"}}) {
        const Ran ran = lab({word});
        CHECK(ran.code == 125);
        CHECK(ran.err.find(meant) != std::string::npos);
    }
}

TEST_CASE("rm --all --force asks who types it")
{
    const Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    const std::string id = lab.start({"--", "sleep", "100"});
    const std::string program =
        "import pty; pty.spawn(['" BGT_BINARY "', 'rm', '--all', '--force'])";
    const auto answered = [&](const char* text) {
        return run({{python, "-c", program}, lab.bgt({}).env, lab.work(), text, {}}).out;
    };
    CHECK(answered("n\n").find("nothing was removed") != std::string::npos);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    CHECK(answered("y\n").find("[y/N]") != std::string::npos);
    CHECK(lab({"ps", "-a", "-q"}).out.empty());
    CHECK(lab({"rm", "--all", "--force"}).code == 0); // nobody is asked where nobody could answer
}

TEST_CASE("completion of kill offers what runs, names first")
{
    const Lab lab;
    CHECK(lab({"run", "--wait", "--name", "old", "--", "true"}).code == 0);
    lab.start({"--", "sleep", "100"});
    lab.start({"--name", "web", "--", "sleep", "101"});
    CHECK(lab({"completion", "living-list"}).out == "web\tsleep 101\n3\tsleep 101\n2\tsleep 100\n");
}

TEST_CASE("run --wait --max-wait leaves the task in the background")
{
    const Lab lab;
    const Ran ran =
        lab({"run", "--wait", "--max-wait", "200ms", "-c", "echo said; exec sleep 100"});
    INFO(ran);
    CHECK(ran.code == 124);
    CHECK(ran.out == "said\n");
    CHECK(ran.err == "bgt run: task 1 keeps running in the background (bgt wait 1, bgt logs -f 1, "
                     "bgt kill 1)\n");
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
    CHECK(lab({"run", "--wait", "--max-wait", "1m", "-c", "exit 7"}).code == 7);
    CHECK(lab({"run", "--max-wait", "1m", "--", "true"}).code == 125);
}

TEST_CASE("run --wait says what bgt ended the task for")
{
    const Lab lab;
    const Ran hung =
        lab({"run", "--wait", "--name", "test", "--output-timeout", "100ms", "--", "sleep", "100"});
    CHECK(hung.code == 120);
    CHECK(hung.err.ends_with("bgt run: 1 test ended (SIGTERM, output-timeout): no output for "
                             "100ms, so the exit code is 120 "
                             "(bgt why 1)\n"));
    const Ran timed = lab({"run", "--wait", "--timeout", "50ms", "--", "sleep", "100"});
    CHECK(timed.code == 123);
    CHECK(timed.err == "bgt run: 2 ended (SIGTERM, timeout): it ran for 50ms, so the exit code is "
                       "123 (bgt show 2)\n");
    const Ran busy = lab({"run", "--wait", "--cpu-limit", "100ms", "-c", "while :; do :; done"});
    CHECK(busy.code == 123);
    CHECK(busy.err == "bgt run: 3 ended (SIGTERM, cpu-limit): it used 100ms of CPU time, so the "
                      "exit code is 123 (bgt show 3)\n");
}

TEST_CASE("kill and rm say that a supervisor is stopped, and no verb waits for it")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(supervisor > 1);
    REQUIRE(::kill(supervisor, SIGSTOP) == 0);
    REQUIRE(eventually(test_timeout, [&] { return state_of(supervisor) == 'T'; }));
    const Ran ran = lab({"kill", id});
    CHECK(ran.code == 125);
    const std::string said = "its supervisor (pid " + std::to_string(supervisor) + ") is stopped";
    CHECK(ran.err.find(said) != std::string::npos);
    const auto began = std::chrono::steady_clock::now();
    const Ran removal = lab({"rm", "--force", id});
    CHECK(removal.code == 125);
    CHECK(removal.err.find(said) != std::string::npos);
    CHECK(lab({"wait", "--timeout", "300ms", "--or-stuck", id}).code == 124);
    CHECK(lab({"signal", "HUP", id}).err.find(said) != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - began < 4s); // one answer is awaited for 5 s
    REQUIRE(::kill(supervisor, SIGCONT) == 0);
    CHECK(lab({"kill", id}).code == 0);
}

TEST_CASE("kill counts through the grace on a terminal")
{
    Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    lab.set_env("TERM=xterm");
    const std::string id = lab.start_fixture({"--name", "slow", "--grace", "3s"}, {"ignore-term"});
    const std::string program = "import pty; pty.spawn(['" BGT_BINARY "', 'kill', 'slow'])";
    const std::string said =
        run({{python, "-c", program}, lab.bgt({}).env, lab.work(), std::nullopt, {}}).out;
    INFO(said);
    CHECK(said.find(id + " slow: 1 process, SIGKILL in ") != std::string::npos);
    CHECK(said.find("by SIGKILL") != std::string::npos);
}
