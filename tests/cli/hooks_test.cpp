// What follows the end of a task: --on-end, --on-fail; and how it is shown. --notify:
// hook_notify_test.cpp.
#include "hook_lab.hpp"

#include <csignal>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt::test;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

pid_t supervisor_of(const Lab& lab, const std::string& id)
{
    // The record says who it is also after the end of the task, which `show` does not tell.
    return static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
}

bool wrote(const Lab& lab, const std::string& file)
{
    return eventually(test_timeout, [&] { return !read_file(lab.work() + "/" + file).empty(); });
}

/// The pid that a shell has written into a file of the working folder.
pid_t pid_in(const Lab& lab, const std::string& file)
{
    REQUIRE(wrote(lab, file));
    return static_cast<pid_t>(std::stol(read_file(lab.work() + "/" + file)));
}

bool lives(pid_t pid)
{
    return is_alive(pid);
}

} // namespace

TEST_CASE("on-end runs after the final status, and is told all of it")
{
    const Lab lab;
    const std::string told =
        "echo $BGT_TASK_ID $BGT_HOOK $BGT_OUTCOME $BGT_EXIT_CODE $BGT_REASON $BGT_TASK_NAME; "
        "cat $BGT_TAIL_FILE; stat -c %a $BGT_TAIL_FILE; pwd; umask; echo $MINE $BGT_COOKIE; "
        "'" BGT_BINARY "' show --json $BGT_TASK_ID > seen";
    const std::string id = lab.start({"--name", "build", "--split", "-e", "MINE=5", "--on-end",
                                      told, "-c", "echo one; echo two >&2; exit 3"});
    CHECK(lab.wait(id) == 3);
    const json::object hook = hook_of(lab, id, "on-end");
    INFO(hook);
    CHECK(number_at(hook, "/code") == 0);
    CHECK(text_at(hook, "/command") == told);
    const std::string umask = run(lab.program({"sh", "-c", "umask"})).out;
    CHECK(text_at(hook, "/output") ==
          id + " on-end exited 3 self build\none\ntwo\n600\n" + lab.work() + "\n" + umask + "5\n");
    CHECK(at(hook, "/failed") == json::value(false));
    CHECK(at(hook, "/error").is_null());
    const auto seen = json::parse(read_file(lab.work() + "/seen"));
    CHECK(at(seen, "/tasks/0/lifecycle") == json::value("ended"));
    CHECK(at(seen, "/tasks/0/hooks/0/state") == json::value("running"));
}

TEST_CASE("on-fail runs for what failed, not for what was stopped on request")
{
    const Lab lab;
    const Words hooks{"--on-fail", "echo failed", "--on-end", "echo ended"};
    const auto started = [&](Words words) {
        words.insert(words.begin(), hooks.begin(), hooks.end());
        return lab.start(words);
    };
    const auto names = [&](const std::string& id) {
        hook_of(lab, id, "on-end");
        std::string text;
        for (const auto& hook : hooks_of(lab, id)) text += text_at(hook.as_object(), "/hook") + " ";
        return text;
    };
    const std::string fine = started({"--", "true"});
    const std::string bad = started({"--", "false"});
    const std::string late = started({"--timeout", "100ms", "--", "sleep", "100"});
    const std::string killed = started({"--", "sleep", "100"});
    const std::string shut = started({"--", "sleep", "100"});
    CHECK(lab({"kill", killed}).code == 0);
    kill(supervisor_of(lab, shut), SIGTERM);
    CHECK(names(fine) == "on-end ");
    CHECK(names(killed) == "on-end ");
    CHECK(names(shut) == "on-end ");
    for (const std::string& id : {bad, late}) {
        hook_of(lab, id, "on-fail");
        CHECK(names(id).size() == std::string("on-end on-fail ").size());
    }
}

TEST_CASE("a hook that fails is shown by show, why, their JSON and run --wait")
{
    const Lab lab;
    const std::string command = "echo can\\'t reach it >&2; exit 7";
    const Ran ran = lab({"run", "--wait", "--on-end", command, "-c", "echo work; exit 3"});
    INFO(ran);
    CHECK(ran.code == 3);
    CHECK(ran.out == "work\n");
    CHECK(has(ran.err, "bgt run: a hook failed: on-end exit 7 after "));
    CHECK(has(ran.err, "bgt run:   can't reach it\n"));
    const json::object hook = hook_of(lab, "1", "on-end");
    CHECK(number_at(hook, "/code") == 7);
    CHECK(at(hook, "/failed") == json::value(true));
    CHECK(text_at(hook, "/output") == "can't reach it\n");
    const std::string shown = lab({"show", "1"}).out;
    INFO(shown);
    CHECK(has(shown, "  hooks\n    on-end exit 7 after "));
    CHECK(has(shown, "\n      can't reach it\n"));
    const std::string why = lab({"why", "1"}).out;
    INFO(why);
    CHECK(has(why, "\nhook      on-end exit 7 after "));
    CHECK(has(why, "\n  can't reach it\n"));
    const json::value answer = lab.ask({"why", "1"});
    CHECK(at(answer, "/hooks/0/code") == json::value(7));
    CHECK(at(answer, "/hooks/0/id") == json::value(1));
    const json::array told =
        lab.ask({"events", "--type", "hook", "--type", "hook-ended"}).at("events").as_array();
    REQUIRE(told.size() == 2);
    CHECK(text_at(told[0].as_object(), "/data/command") == command);
    CHECK(text_at(told[1].as_object(), "/level") == "error");
    CHECK(number_at(told[1].as_object(), "/data/code") == 7);
    CHECK(number_at(told[1].as_object(), "/task") == 1);
    const Ran fine = lab({"run", "--wait", "--on-end", "echo fine", "--", "true"});
    CHECK(fine.err.empty()); // what did its work needs no word
    CHECK(fine.code == 0);
}

TEST_CASE("a hook that can't be run is shown, too")
{
    const Lab lab;
    const std::string id = lab.start({"--on-end", "/no/such/program", "--", "true"});
    CHECK(lab.wait(id) == 0);
    const json::object hook = hook_of(lab, id, "on-end");
    CHECK(number_at(hook, "/code") == 127);
    CHECK(has(text_at(hook, "/output"), "/no/such/program"));
}

TEST_CASE("hooks run once, after the last attempt")
{
    const Lab lab;
    const std::string id =
        lab.start({"--retries", "2", "--backoff", "10ms", "--on-fail", "echo x >> count",
                   "--on-end", "echo x >> count", "--", "false"});
    CHECK(lab.wait(id) == 1);
    hook_of(lab, id, "on-end");
    hook_of(lab, id, "on-fail");
    CHECK(read_file(lab.work() + "/count") == "x\nx\n");
    CHECK(number_at(lab.show(id), "/attempt") == 3);
}

TEST_CASE("with --rm the folder is there for the hooks, and stays if one of them fails")
{
    const Lab lab;
    const std::string id =
        lab.start({"--rm", "--on-end", "cp $BGT_TAIL_FILE kept.$BGT_TASK_ID", "--", "echo", "bye"});
    CHECK(lab.wait(id) == 0);
    CHECK(eventually(test_timeout, [&] { return !fs::exists(lab.task_folder(id)); }));
    CHECK(read_file(lab.work() + "/kept." + id) == "bye\n");
    const std::string bad = lab.start({"--rm", "--on-end", "exit 9", "--", "true"});
    CHECK(lab.wait(bad) == 0);
    CHECK(number_at(hook_of(lab, bad, "on-end"), "/code") == 9);
    CHECK(lab({"rm", bad}).code == 0);
    const Ran stayed = lab({"run", "--wait", "--rm", "--on-end",
                            "sleep 0.2; cp $BGT_TAIL_FILE kept.$BGT_TASK_ID", "--", "echo", "bye"});
    INFO(stayed);
    CHECK(stayed.code == 0);
    CHECK(stayed.err.empty());
    CHECK(read_file(lab.work() + "/kept.3") == "bye\n");
    CHECK_FALSE(fs::exists(lab.task_folder("3")));
}

TEST_CASE("rm waits for no hook, and with --force it stops it")
{
    const Lab lab;
    const std::string id =
        lab.start({"--on-end", "echo $$ > hook.pid; exec sleep 100", "--", "true"});
    CHECK(lab.wait(id) == 0); // not held up by it
    const pid_t hook = pid_in(lab, "hook.pid");
    const Ran refused = lab({"rm", id});
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(has(refused.err, "its hook on-end still runs"));
    CHECK(has(lab({"show", id}).out, "    on-end running (echo $$ > hook.pid;"));
    CHECK(lab({"rm", "--force", id}).code == 0);
    CHECK(all_gone({hook}));
    CHECK_FALSE(fs::exists(lab.task_folder(id)));
}

TEST_CASE("nothing of a hook outlives its supervisor")
{
    const Lab lab;
    const int signal = GENERATE(SIGKILL, SIGTERM);
    REQUIRE(mkfifo((lab.work() + "/go").c_str(), 0600) == 0);
    const std::string id = lab.start({"--on-end",
                                      "trap '' TERM; setsid sleep 1000 & echo $! > child.pid; "
                                      "echo $$ > hook.pid; while :; do sleep 1; done",
                                      "-c", "read x < go"});
    const pid_t supervisor = supervisor_of(lab, id);
    REQUIRE(run(lab.program({"sh", "-c", "echo > go"})).in_time);
    lab.wait(id);
    const pid_t child = pid_in(lab, "child.pid"), shell = pid_in(lab, "hook.pid");
    REQUIRE(kill(supervisor, signal) == 0);
    CHECK(eventually(test_timeout, [&] { return !lives(child) && !lives(shell); }));
    const json::object hook = hook_of(lab, id, "on-end");
    INFO(hook);
    CHECK(at(hook, "/failed") == json::value(true));
    CHECK(text_at(hook, "/error") == (signal == SIGKILL
                                          ? "it was stopped, as the supervisor was killed"
                                          : "it was stopped, as the supervisor was told to end"));
}

TEST_CASE("where the watcher of a hook is killed, nothing of the hook is left either")
{
    const Lab lab;
    const std::string id = lab.start(
        {"--on-end", "setsid sleep 1000 & echo $! > child.pid; echo $PPID > watcher.pid; wait",
         "--", "true"});
    const pid_t watcher = pid_in(lab, "watcher.pid"), child = pid_in(lab, "child.pid");
    REQUIRE(kill(watcher, SIGKILL) == 0);
    CHECK(eventually(test_timeout, [&] { return !lives(child); }));
    const json::object hook = hook_of(lab, id, "on-end", "unknown");
    CHECK(at(hook, "/failed") == json::value(true));
    CHECK(has(lab({"show", id}).out, "on-end nobody saw how it ended"));
}

TEST_CASE("a hook that writes without end keeps the last that it wrote")
{
    const Lab lab;
    const std::string id = lab.start(
        {"--on-end", "yes | head -c 100000000; echo; echo the end >&2; exit 4", "--", "true"});
    const json::object hook = hook_of(lab, id, "on-end");
    CHECK(number_at(hook, "/code") == 4);
    const std::string output = text_at(hook, "/output");
    CHECK(output.size() == 4096);
    CHECK(output.ends_with("y\n\nthe end\n"));
    CHECK(number_at(hook, "/output_bytes_cut") == 100000009 - 4096);
}

TEST_CASE("what a hook leaves is stopped; a task that it starts goes on")
{
    Lab lab;
    lab.set_env("BGT_ON_END=echo never");
    const std::string id = lab.start({"--on-end",
                                      "(setsid sleep 1000 & echo $! > child.pid); '" BGT_BINARY
                                      "' run --name next -- sleep 1000",
                                      "--", "true"});
    const pid_t child = pid_in(lab, "child.pid");
    const json::object hook = hook_of(lab, id, "on-end");
    INFO(hook);
    CHECK(number_at(hook, "/code") == 0);
    CHECK(number_at(hook, "/leftovers") == 1);
    CHECK(text_at(hook, "/output") == "2\n");
    CHECK_FALSE(lives(child));
    CHECK(text_at(lab.show("next"), "/lifecycle") == "running");
    // Otherwise a hook that starts a task would never come to an end.
    CHECK(lab({"kill", "next"}).code == 0);
    CHECK(hooks_of(lab, "next").empty());
}

TEST_CASE("leftovers that are kept do not delay the hooks")
{
    const Lab lab;
    const std::string id = lab.start({"--leftover", "keep", "--on-end", "echo over", "-c",
                                      "sleep 1000 > /dev/null 2>&1 & exit 0"});
    CHECK(lab.wait(id) == 0);
    CHECK(text_at(hook_of(lab, id, "on-end"), "/output") == "over\n");
    CHECK(lab({"kill", "--now", id}).code == 0);
    CHECK(hooks_of(lab, id).size() == 1);
}

TEST_CASE("a task that was taken over has its hooks; one that is lost has none")
{
    const Lab lab;
    REQUIRE(mkfifo((lab.work() + "/go").c_str(), 0600) == 0);
    const std::string id = lab.start(
        {"--on-end", "echo $BGT_OUTCOME", "--on-fail", "echo failed", "-c", "read x < go"});
    const pid_t supervisor = supervisor_of(lab, id);
    REQUIRE(kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !lives(supervisor); }));
    CHECK(at(lab.show(id), "/adopted") == json::value(true));
    REQUIRE(run(lab.program({"sh", "-c", "echo > go"})).in_time);
    CHECK(text_at(hook_of(lab, id, "on-end"), "/output") == "lost\n");
    CHECK(text_at(hook_of(lab, id, "on-fail"), "/output") == "failed\n");

    const std::string lost =
        lab.start({"--on-end", "echo never", "--on-fail", "echo never", "--", "sleep", "1000"});
    const json::object task = lab.show(lost);
    const auto pid = static_cast<pid_t>(number_at(task, "/pid"));
    const pid_t its_supervisor = supervisor_of(lab, lost);
    REQUIRE(kill(its_supervisor, SIGSTOP) == 0);
    REQUIRE(kill(pid, SIGKILL) == 0);
    REQUIRE(kill(its_supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !lives(its_supervisor) && !lives(pid); }));
    CHECK(text_at(lab.show(lost), "/outcome/kind") == "lost");
    CHECK(hooks_of(lab, lost).empty());
}

TEST_CASE("a task from a queue has its hooks, also where its command can't be executed")
{
    Lab lab;
    lab.set_env("WHO=submitter");
    const Ran fine = lab({"submit", "--on-end", "echo $WHO", "--", "true"});
    REQUIRE(fine.code == 0);
    CHECK(lab({"wait", "1"}).code == 0);
    CHECK(text_at(hook_of(lab, "1", "on-end"), "/output") == "submitter\n");
    REQUIRE(
        lab({"submit", "--on-fail", "echo $BGT_OUTCOME $BGT_EXIT_CODE", "--", "/no/such"}).code ==
        0);
    CHECK(lab({"wait", "2"}).code == 127);
    CHECK(text_at(hook_of(lab, "2", "on-fail"), "/output") == "failed-to-start 127\n");
    const Ran stayed = lab({"submit", "--wait", "--on-end", "exit 6", "--", "true"});
    CHECK(stayed.code == 0);
    CHECK(has(stayed.err, "a hook failed: on-end exit 6 after "));
}

TEST_CASE("hooks come from settings and rules; the command line and an empty one win")
{
    Lab lab;
    write_file(lab.work() + "/bgt.toml", "on_end = \"echo setting\"\non_fail = \"echo fail\"\n"
                                         "[[rule]]\nmatch = \"^true\"\non_end = \"echo rule\"\n");
    REQUIRE(lab({"trust"}).code == 0);
    const auto output = [&](const Words& words) {
        return text_at(hook_of(lab, lab.start(words), "on-end"), "/output");
    };
    CHECK(output({"-c", "exit 0"}) == "setting\n");
    CHECK(output({"--", "true"}) == "rule\n");
    CHECK(output({"--on-end", "echo line", "--", "true"}) == "line\n");
    lab.set_env("BGT_ON_END=echo variable");
    CHECK(output({"-c", "exit 0"}) == "variable\n");
    const Ran none = lab({"run", "--wait", "--on-end", "", "-c", "exit 0"});
    CHECK(none.code == 0);
    CHECK(hooks_of(lab, "5").empty());
}

TEST_CASE("what follows the end of tasks needs trust in a bgt.toml")
{
    const Lab lab;
    write_file(lab.work() + "/bgt.toml",
               "on_end = \"touch bad\"\non_fail = \"touch bad\"\nnotify = \"bell\"\n");
    const Ran ran = lab({"run", "--wait", "--", "false"});
    INFO(ran);
    CHECK(ran.code == 1);
    CHECK(has(ran.err, "is not trusted, so this is ignored: on_end, on_fail, notify (read"));
    CHECK(hooks_of(lab, "1").empty());
    CHECK(lab({"ps", "-a"}).err.empty()); // it starts nothing
    CHECK(has(lab({"submit", "--", "true"}).err, "ignored: on_end, on_fail, notify"));
    CHECK_FALSE(fs::exists(lab.work() + "/bad"));
}

TEST_CASE("the command for a hang is shown with what it wrote")
{
    const Lab lab;
    const std::string id = lab.start({"--output-timeout", "300ms", "--on-hang",
                                      "exec:echo looked at $BGT_HANG_RULE; echo oops >&2; exit 5",
                                      "--", "sleep", "1000"});
    const json::object hook = hook_of(lab, id, "on-hang");
    CHECK(text_at(hook, "/output") == "looked at output-timeout\noops\n");
    const std::string why = lab({"why", id}).out;
    INFO(why);
    CHECK(has(why, "\nhook      on-hang exit 5 after "));
    CHECK(has(why, "\n  looked at output-timeout\n  oops\n"));
    CHECK(has(lab({"show", id}).out, "\n      oops\n"));
    CHECK(lab({"kill", "--now", id}).code == 0);
}

TEST_CASE("a hostile hook has a minute, and no more", "[slow]")
{
    const Lab lab;
    // It ignores SIGTERM, leaves its session, closes nothing and writes 1 GB.
    const std::string id = lab.start(
        {"--on-end",
         "trap '' TERM; (setsid sh -c 'trap \"\" TERM; echo $$ > deep.pid; while :; do sleep 1; "
         "done' &); echo $$ > hook.pid; yes | head -c 1000000000; while :; do sleep 1; done",
         "--", "true"});
    const pid_t deep = pid_in(lab, "deep.pid"), shell = pid_in(lab, "hook.pid");
    json::object hook;
    REQUIRE(eventually(milliseconds(90'000), [&] {
        hook = hooks_of(lab, id).at(0).as_object();
        return text_at(hook, "/state") == "ended";
    }));
    INFO(hook);
    CHECK(text_at(hook, "/error") == "it was stopped: it took longer than 1m");
    CHECK(number_at(hook, "/code") == 128 + SIGKILL);
    CHECK(number_at(hook, "/output_bytes_cut") == 1000000000 - 4096);
    CHECK_FALSE(lives(deep));
    CHECK_FALSE(lives(shell));
}
