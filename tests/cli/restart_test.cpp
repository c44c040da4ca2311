// Attempts: retries, restarts, bgt restart and bgt retry.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>
#include <filesystem>

using namespace bgt::test;

TEST_CASE("a failed attempt is tried again, and each is on record")
{
    const Lab lab;
    const std::string id = lab.start({"--retries", "2", "--backoff", "20ms", "-c",
                                      "echo attempt $BGT_ATTEMPT; test $BGT_ATTEMPT = 3"});
    CHECK(lab.wait(id) == 0);
    CHECK(lab.log(id) == "attempt 1\nattempt 2\nattempt 3\n");
    const auto task = lab.show(id);
    CHECK(number_at(task, "/attempt") == 3);
    std::string ends;
    for (const auto& ended : task.at("attempts").as_array())
        ends += text_at(ended.as_object(), "/attempt") + ":" +
                text_at(ended.as_object(), "/exit_code") + "@" +
                text_at(ended.as_object(), "/log_from") + "-" +
                text_at(ended.as_object(), "/log_to") + " ";
    CHECK(ends == "1:1@0-10 2:1@10-20 ");
    CHECK(lab({"show", id}).out.find("    2  exit 1 after ") != std::string::npos);
}

TEST_CASE("when the retries are used up the last outcome is the task's")
{
    const Lab lab;
    const std::string id =
        lab.start({"--retries", "1", "--backoff", "20ms", "-c", "exit $((40 + BGT_ATTEMPT))"});
    CHECK(lab.wait(id) == 42);
    const std::string other =
        lab.start({"--retries", "3", "--retry-on", "75", "--backoff", "20ms", "-c", "exit 7"});
    CHECK(lab.wait(other) == 7);
    CHECK(number_at(lab.show(other), "/attempt") == 1);
}

TEST_CASE("between two attempts a task is backing off, and can be killed")
{
    const Lab lab;
    const std::string id = lab.start({"--restart", "always", "--backoff", "1m", "-c", "exit 5"});
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "backing-off"; }));
    CHECK(text_at(lab.show(id), "/next_attempt_at") != "null");
    CHECK(lab({"ps"}).out.find("backing-off") != std::string::npos);
    CHECK(lab({"ps", "--state", "backing-off"}).out.find("exit 5") != std::string::npos);
    CHECK(lab({"ps", "--state", "running"}).out.find("exit 5") == std::string::npos);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(lab.wait(id) == 5);
    CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
}

TEST_CASE("a crash loop is told, and wait --or-stuck gives up for it")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "--restart", "always", "--max-restarts",
                                      "off", "--backoff", "100ms", "-c", "exit 5"});
    const Ran ran = lab({"wait", "--or-stuck", "web"});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("web ends again and again (attempt ") != ran.err.npos);
    CHECK(ran.err.find("bgt why " + id) != ran.err.npos);
    CHECK(eventually(test_timeout, [&] {
        return at(lab.show(id), "/notices") == boost::json::array{"crash-loop"};
    }));
    CHECK(lab({"ps"}).out.find("crash loop") != std::string::npos);
    CHECK(lab({"events"}).out.find("crash-loop") != std::string::npos);
    CHECK(lab({"show", id}).out.find("crash loop") != std::string::npos);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(at(lab.show(id), "/notices") == boost::json::array{});
}

TEST_CASE("a supervisor that dies between two attempts leaves the outcome of the last one")
{
    const Lab lab;
    const std::string id = lab.start({"--restart", "always", "--backoff", "1m", "-c", "exit 5"});
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "backing-off"; }));
    kill(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")), SIGKILL);
    CHECK(lab.wait(id) == 5);
    CHECK(text_at(lab.show(id), "/lifecycle") == "ended");
}

TEST_CASE("a supervisor that dies while wait begins to watch it is noticed, also between attempts")
{
    const Lab lab;
    const std::string strace = find_program("strace");
    if (strace.empty()) return skip("there is no strace");
    const std::string id = lab.start({"--restart", "always", "--backoff", "1m", "-c", "exit 5"});
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "backing-off"; }));
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    // It lives when its lock is looked at, and is dead when it is opened.
    const std::string trace = lab.folder() + "/trace";
    Child waiting(lab.program({strace, "-o", trace, "-e", "trace=fcntl,pidfd_open", "-e",
                               "inject=pidfd_open:delay_enter=1000000", BGT_BINARY, "wait", id}));
    const bool has_looked = eventually(
        test_timeout, [&] { return read_file(trace).find("F_OFD_GETLK") != std::string::npos; });
    kill(supervisor, SIGKILL);
    const Ran ran = waiting.finish();
    INFO(ran);
    if (!has_looked) return skip("strace can't trace here");
    CHECK(ran.code == 5);
}

TEST_CASE("no process of an attempt is left when the next one begins", "[slow]")
{
    const Lab lab;
    const std::string id = lab.start({"--retries", "1", "--backoff", "20ms", "--leftover", "kill",
                                      "-c", "setsid sleep 1000 & echo pids $$ $!; exit 1"});
    CHECK(lab.wait(id) == 1);
    CHECK(all_gone(lab.pids_said(id)));
}

TEST_CASE("bgt restart: the same task, the next attempt")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "web", "-c", "echo up $BGT_ATTEMPT $MARK; exec sleep 1000"});
    REQUIRE(lab.logged(id, "up 1"));
    const Ran ran = lab({"restart", "web"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.out.find(id + " web: runs again, attempt 2, pid ") == 0);
    REQUIRE(lab.logged(id, "up 2"));
    CHECK(text_at(lab.show("web"), "/id") == id);
}

TEST_CASE("bgt restart of an ended task starts another one like it, under its name")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "--tag", "k=v", "-c", "exit 3"});
    CHECK(lab.wait(id) == 3);
    const Ran ran = lab({"restart", "web"});
    INFO(ran);
    CHECK(ran.code == 0);
    const auto now = lab.show("web");
    CHECK(text_at(now, "/id") != id);
    CHECK(text_at(now, "/tags/k") == "v");
    CHECK(ran.out.find(text_at(now, "/id") + " web: started in place of " + id +
                       ", which ended (exit 3), pid ") == 0);
    CHECK(text_at(lab.show(id), "/outcome/code") == "3");
}

TEST_CASE("one way to start an adopted task again works, and is named by all")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "--", "sleep", "1000"});
    const auto before = lab.show(id);
    kill(static_cast<pid_t>(number_at(before, "/supervisor")), SIGKILL);
    const Ran refused = lab({"retry", "web"}); // two can't have its name
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(refused.err.find("bgt restart " + id) != refused.err.npos);
    const Ran ran = lab({"restart", "web"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.out.find(" web: started in place of " + id + ", which ended ") != ran.out.npos);
    CHECK(text_at(lab.show("web"), "/lifecycle") == "running");
    CHECK(all_gone({static_cast<pid_t>(number_at(before, "/pid"))}));
}

TEST_CASE("an environment that options gave is kept, for retry and for an adopted task, and shown "
          "nowhere")
{
    Lab lab;
    lab.set_env("FROM_SHELL=one");
    lab.set_env("BGT_GRACE=1s");
    write_file(lab.work() + "/vars", "FROM_FILE=vaule\n");
    const std::string id =
        lab.start({"--name", "web", "--env", "TOKEN=s3cret", "--env-file", "vars", "-c",
                   "echo up $BGT_ATTEMPT $TOKEN $FROM_FILE $FROM_SHELL; exec sleep 1000"});
    REQUIRE(lab.logged(id, "up 1 s3cret vaule one"));
    const auto mode = std::filesystem::status(lab.task_folder(id) + "/env").permissions();
    CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK_FALSE(std::filesystem::exists(lab.task_folder(lab.start({"--", "true"})) +
                                        "/env")); // nobody pays for what is not kept
    for (const char* verb : {"show", "why", "ps"}) {
        const Ran shown = lab({verb, "web"}), json = lab({verb, "--json", "web"});
        CHECK(shown.out.find("TOKEN=s3cret") == std::string::npos);
        CHECK(json.out.find("TOKEN=s3cret") == std::string::npos);
    }
    lab.set_env("FROM_SHELL=two");
    kill(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")), SIGKILL);
    const Ran restarted =
        lab({"restart", "web"}); // the supervisor that took over has the environment
    INFO(restarted);
    CHECK(restarted.out.find(id + " web: runs again, attempt 2, pid ") == 0);
    REQUIRE(lab.logged(id, "up 2 s3cret vaule one"));
    CHECK(lab({"kill", "web"}).code == 0);
    CHECK(text_at(lab.show(id), "/outcome/signal") ==
          "SIGTERM"); // its own child, whose end it sees
    const Ran again = lab({"retry", "web"});
    INFO(again);
    REQUIRE(again.code == 0);
    CHECK(lab.logged(again.out.substr(0, again.out.size() - 1), "up 1 s3cret vaule one"));
}

TEST_CASE("retry keeps --clear-env")
{
    Lab lab;
    lab.set_env("FROM_SHELL=one");
    const std::string id = lab.start({"--clear-env", "-c", "echo [$FROM_SHELL]"});
    CHECK(lab.wait(id) == 0);
    const Ran again = lab({"retry", id});
    REQUIRE(again.code == 0);
    const std::string other = again.out.substr(0, again.out.size() - 1);
    CHECK(lab.wait(other) == 0);
    CHECK(lab.log(other) == "[]\n");
}

TEST_CASE("a stdin that was closed is at its end for the next attempt, too")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "-c", "cat; echo end; exec sleep 1000"});
    CHECK(lab({"send", id, "--eof", "one"}).code == 0);
    REQUIRE(lab.logged(id, "one\nend\n"));
    const Ran restarted = lab({"restart", id});
    INFO(restarted);
    CHECK(restarted.code == 0);
    CHECK(lab.logged(id, "one\nend\nend\n"));
}

TEST_CASE("bgt retry: a new task with the same spec")
{
    const Lab lab;
    const std::string id = lab.start({"--tag", "k=v", "--name", "job", "-c", "pwd; exit 3"});
    CHECK(lab.wait(id) == 3);
    const Ran ran = lab({"retry", "job"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const std::string again = ran.out.substr(0, ran.out.size() - 1);
    CHECK(again != id);
    CHECK(lab.wait(again) == 3);
    CHECK(lab.log(again) == lab.log(id));
    CHECK(text_at(lab.show(again), "/tags/k") == "v");
    CHECK(text_at(lab.show(again), "/name") == "job");
    CHECK(lab({"retry", "99"}).code == 125);
}

TEST_CASE("restart and run --replace do not wait for a supervisor that is stopped after it was "
          "asked")
{
    const Lab lab;
    const std::string id =
        lab.start_fixture({"--name", "slow", "--grace", "100s"}, {"ignore-term"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    Words words{"restart", id};
    SECTION("restart") {}
    SECTION("run --replace")
    {
        words = {"run", "--name", "slow", "--replace", "--", "true"};
    }
    Child asking(lab.bgt(words));
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "stopping"; }));
    REQUIRE(::kill(supervisor, SIGSTOP) == 0);
    const Ran ran = asking.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("its supervisor (pid " + std::to_string(supervisor) + ") is stopped") !=
          std::string::npos);
    REQUIRE(::kill(supervisor, SIGCONT) == 0);
    CHECK(lab({"kill", "--now", id}).code == 0);
}
