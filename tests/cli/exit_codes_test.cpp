// The table of exit codes, row by row, with what the JSON says beside it.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// kind, code, signal, reason, exit_code of an outcome, in one line.
std::string outcome_of(const Lab& lab, const std::string& id)
{
    const auto task = lab.show(id);
    std::string line = text_at(task, "/lifecycle") + ":";
    for (const char* key : {"kind", "code", "signal", "reason", "exit_code"})
        line += " " + text_at(task, "/outcome/" + std::string(key));
    return line;
}

} // namespace

TEST_CASE("where the id can't be told, the message says that the task runs")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--", "sleep", "100"});
    what.in_child = [] {
        const int full = ::open("/dev/full", O_WRONLY);
        dup2(full, 1);
    };
    const Ran ran = run(what);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.starts_with("bgt run: task 1 runs, but its id could not be printed: "));
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
    CHECK(lab({"kill", "1"}).code == 0);
    const auto says = [&](Words words, const std::string& text) {
        Invocation call = lab.bgt(words);
        call.in_child = what.in_child;
        const Ran failed = run(call);
        INFO(failed);
        CHECK(failed.code == 125);
        CHECK(failed.err.find(text) != failed.err.npos);
    };
    says({"run", "--json", "--", "true"}, "task 2 was started, but its id could not be printed");
    says({"retry", "1"}, "task 3 was started, but its id could not be printed");
    says({"retry", "--json", "1"}, "task 4 was started, but its id could not be printed");
    says({"submit", "--", "true"}, "task 5 waits, but its id could not be printed");
    says({"submit", "--array", "1-3", "--json", "--", "true"},
         "tasks 6 to 8 wait, but their ids could not be printed");
}

TEST_CASE("a caller that may write no file is told so, and nothing is left")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--", "true"});
    what.in_child = [] {
        const rlimit limit{512, 512};
        setrlimit(RLIMIT_FSIZE, &limit);
    };
    const Ran ran = run(what);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("File too large; look at ulimit -f") != std::string::npos);
    CHECK(!std::filesystem::exists(lab.task_folder("1")));
    CHECK(lab({"ps", "-a", "-q"}).out.empty());
}

TEST_CASE("a task's own exit code is passed through")
{
    const Lab lab;
    const int code = GENERATE(0, 1, 2, 77, 119, 120, 124, 125, 200, 255);
    const std::string number = std::to_string(code);
    INFO(number);
    SECTION("by wait")
    {
        const std::string id = lab.start_fixture({}, {"exit", number});
        CHECK(lab.wait(id) == code);
        CHECK(outcome_of(lab, id) == "ended: exited " + number + " null self " + number);
        CHECK(lab.wait(id) == code); // and again
    }
    SECTION("by run --wait")
    {
        CHECK(lab({"run", "--wait", "--", BGT_FIXTURE, "exit", number}).code == code);
    }
}

TEST_CASE("a task that died of a signal")
{
    const Lab lab;
    const auto [number, name] = GENERATE(table<int, const char*>({{SIGHUP, "SIGHUP"},
                                                                  {SIGKILL, "SIGKILL"},
                                                                  {SIGSEGV, "SIGSEGV"},
                                                                  {SIGPIPE, "SIGPIPE"},
                                                                  {SIGTERM, "SIGTERM"},
                                                                  {SIGUSR2, "SIGUSR2"},
                                                                  {34, "SIGRTMIN"}}));
    const std::string id = lab.start_fixture({}, {"signal", std::to_string(number)});
    CHECK(lab.wait(id) == 128 + number);
    CHECK(outcome_of(lab, id) ==
          "ended: signaled null " + std::string(name) + " self " + std::to_string(128 + number));
    CHECK(lab({"run", "--wait", "--", BGT_FIXTURE, "signal", std::to_string(number)}).code ==
          128 + number);
}

TEST_CASE("120s: a code that bgt has a meaning for is still the task's own in the JSON")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sh", "-c", "exit 122"});
    CHECK(lab.wait(id) == 122);
    CHECK(outcome_of(lab, id) == "ended: exited 122 null self 122");
}

TEST_CASE("121: what was waited for can no longer be met")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo starting; exit 3"});
    for (const char* condition : {"log:never", "port"}) {
        INFO(condition);
        const Ran ran = lab({"wait", "--for", condition, "--timeout", "15s", id});
        INFO(ran);
        CHECK(ran.code == 121);
        CHECK(ran.out.empty());
        CHECK(ran.took < 10s);
    }
    CHECK(lab({"wait", "--for", "log:start", id}).code == 0);
    CHECK(lab({"wait", "--for", "exit", id}).code == 3);
    const Ran failed = lab({"wait", "--for", "exit=0", id});
    INFO(failed);
    CHECK(failed.code == 121);
    CHECK(failed.out.empty());
    CHECK(failed.err == "bgt wait: 1 ended (exit 3): exit=0 can no longer be met\n");
    CHECK(outcome_of(lab, id) == "ended: exited 3 null self 3");
}

TEST_CASE("122: lost")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const auto task = lab.show(id);
    for (const char* key : {"/supervisor", "/pid"}) {
        const auto pid = static_cast<pid_t>(number_at(task, key));
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(pid); }));
    }
    CHECK(lab.wait(id) == 122);
    CHECK(outcome_of(lab, id) == "lost: lost null null self 122");
}

TEST_CASE("123: bgt ended the task because its --timeout passed")
{
    const Lab lab;
    SECTION("by the stop signal")
    {
        const std::string id = lab.start({"--timeout", "200ms", "--", "sleep", "100"});
        CHECK(lab.wait(id) == 123);
        CHECK(outcome_of(lab, id) == "ended: signaled null SIGTERM timeout 123");
    }
    SECTION("and it exits 0 then")
    {
        const std::string id = lab.start_fixture({"--timeout", "500ms"}, {"trap-exit0"});
        CHECK(lab.wait(id) == 123);
        CHECK(outcome_of(lab, id) == "ended: exited 0 null timeout 123");
    }
    SECTION("and it has to be killed")
    {
        const Ran ran = lab({"run", "--wait", "--timeout", "500ms", "--grace", "200ms", "--",
                             BGT_FIXTURE, "ignore-term"});
        INFO(ran);
        CHECK(ran.code == 123);
        CHECK(outcome_of(lab, "1") == "ended: signaled null SIGKILL timeout 123");
    }
    SECTION("not when it ends before")
    {
        const std::string id = lab.start({"--timeout", "60s", "--", "true"});
        CHECK(lab.wait(id) == 0);
    }
}

TEST_CASE("124: the wait's own --timeout passed")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const Ran ran = lab({"wait", "--timeout", "200ms", id});
    INFO(ran);
    CHECK(ran.code == 124);
    CHECK(ran.out.empty());
    CHECK(ran.took >= 200ms);
    const auto task = lab.show(id);
    CHECK(text_at(task, "/lifecycle") == "running"); // untouched
    CHECK(at(task, "/outcome").is_null());
    CHECK(lab({"wait", "--for", "log:x", "--timeout", "200ms", id}).code == 124);
    CHECK(lab({"wait", "--timeout", "0", id}).code == 124);
}

TEST_CASE("126 and 127: the command could not be executed, or was not found")
{
    const Lab lab;
    write_file(lab.work() + "/plain", "text\n");
    write_file(lab.work() + "/nothing", "");
    std::filesystem::create_directory(lab.work() + "/folder");
    write_file(lab.work() + "/noloader", "#!/no/such/interpreter\n");
    std::filesystem::permissions(lab.work() + "/noloader", std::filesystem::perms::owner_all);
    write_file(lab.work() + "/foreign", std::string("\x7f"
                                                    "ELF\2\1\1\0\0\0\0\0",
                                                    12) +
                                            "of another machine");
    std::filesystem::permissions(lab.work() + "/foreign", std::filesystem::perms::owner_all);
    struct Case {
        const char* command;
        int code;
    };
    const auto [command, code] = GENERATE(values<Case>({{"./plain", 126},
                                                        {"./folder", 126},
                                                        {"./missing", 127},
                                                        {"./foreign", 126},
                                                        {"no-such-program-anywhere", 127},
                                                        {"", 127},
                                                        {"./noloader", 127}}));
    INFO(command);
    const Words options = GENERATE(Words{}, Words{"--wait"});
    Words words{"run"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", command});
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == code);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("bgt run: "));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK(ran.err.find(command) != std::string::npos);
    CHECK(at(lab.ask({"ps", "-a"}), "/tasks").as_array().empty()); // no task, no trace
    CHECK(lab.listing() == Words{"active", "next-id", "tasks"});
}

TEST_CASE("the code of several tasks")
{
    const Lab lab;
    const std::string good = lab.start({"--", "true"}),
                      bad = lab.start({"--", "sh", "-c", "exit 5"}),
                      long_one = lab.start({"--", "sleep", "100"});
    CHECK(lab({"wait", good, bad}).code == 5);
    CHECK(lab({"wait", good, good}).code == 0);
    CHECK(lab({"wait", "--any", long_one, bad}).code == 5);
    CHECK(lab({"wait", "--timeout", "100ms", good, bad, long_one}).code == 124);
}

TEST_CASE("kill by a person gives the task's own status, with the reason beside it")
{
    const Lab lab;
    const std::string id = lab.start_fixture({}, {"trap-exit0"});
    REQUIRE(lab.logged(id, "ready"));
    CHECK(lab({"kill", id}).code == 0);
    CHECK(lab.wait(id) == 0);
    CHECK(outcome_of(lab, id) == "ended: exited 0 null killed 0");
    const Ran again = lab({"kill", id});
    INFO(again);
    CHECK(again.code == 0);
    CHECK(again.out.find("had already ended") != std::string::npos);
}
