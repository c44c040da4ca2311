// Hang rules: who is ended, who is spared, what is told.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <thread>

using namespace bgt::test;

namespace {

boost::json::object newest_report(const Lab& lab, const std::string& id)
{
    return at(lab.ask({"why", "--last", id}), "/reports/0").as_object();
}

bool has_event(const Lab& lab, const std::string& id, const std::string& name)
{
    const auto task = lab.show(id); // which must outlive the loop
    for (const auto& event : task.at("events").as_array())
        if (text_at(event.as_object(), "/event") == name) return true;
    return false;
}

} // namespace

TEST_CASE("a silent task is ended with 120, and a report was made before the first signal")
{
    const Lab lab;
    const std::string id = lab.start({"--output-timeout", "2s", "-c", "echo hi; exec sleep 100"});
    CHECK(lab.wait(id) == 120);
    const auto task = lab.show(id);
    CHECK(text_at(task, "/outcome/reason") == "output-timeout");
    CHECK(text_at(task, "/outcome/signal") == "SIGTERM");
    const auto report = newest_report(lab, id);
    CHECK(text_at(report, "/verdict") == "sleeping");
    CHECK(text_at(report, "/rule") == "output-timeout");
    std::string order;
    for (const auto& event : task.at("events").as_array())
        order += text_at(event.as_object(), "/event") + " ";
    CHECK(order == "started report stop ended ");
    const Ran why = lab({"why", id}); // first its end, then the newest report
    INFO(why);
    CHECK(why.code == 0);
    CHECK(why.out.starts_with(id + " ended (SIGTERM, output-timeout) "));
    CHECK(why.out.find("no output for 2s (--output-timeout)") != why.out.npos);
    CHECK(why.out.find("when it hung\nsleeping: ") != why.out.npos);
}

TEST_CASE("output keeps the output rule away", "[slow]")
{
    const Lab lab;
    const std::string id = lab.start({"--output-timeout", "1500ms", "-c",
                                      "for i in 1 2 3 4 5 6 7 8; do echo same; sleep 0.3; done"});
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("work without output is progress, the same line again and again is none", "[slow]")
{
    const Lab lab;
    const std::string busy = lab.start(
        {"--progress-timeout", "2s", "-c", "timeout 5 sh -c 'while :; do :; done'; echo done"});
    const std::string spinner = lab.start(
        {"--progress-timeout", "2s", "-c", "while :; do printf 'working\\r'; sleep 0.4; done"});
    CHECK(lab.wait(spinner) == 120);
    CHECK(text_at(lab.show(spinner), "/outcome/reason") == "progress-timeout");
    CHECK(lab.wait(busy) == 0);
}

TEST_CASE("on-hang report and exec leave the task alone")
{
    const Lab lab;
    const std::string id =
        lab.start({"--output-timeout", "400ms", "--on-hang",
                   "exec:echo $BGT_TASK_ID $BGT_HANG_RULE > hooked.$BGT_TASK_ID; exit 7", "--cwd",
                   lab.work(), "--", "sleep", "100"});
    REQUIRE(eventually(test_timeout, [&] { return has_event(lab, id, "hook-ended"); }));
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    CHECK(text_at(lab.show(id), "/notices").find("stalled") != std::string::npos);
    const auto events = lab.show(id).at("events").as_array();
    for (const auto& event : events)
        if (text_at(event.as_object(), "/event") == "hook-ended")
            CHECK(number_at(event.as_object(), "/code") == 7);
    CHECK(lab({"kill", id}).code == 0);
    const std::string quiet =
        lab.start({"--output-timeout", "400ms", "--on-hang", "report", "--", "sleep", "100"});
    REQUIRE(eventually(test_timeout, [&] { return has_event(lab, quiet, "hang"); }));
    CHECK(text_at(lab.show(quiet), "/lifecycle") == "running");
    const Ran gone = lab({"run", "--output-timeout", "1s", "--on-hang", "nonsense", "--", "true"});
    CHECK(gone.code == 125);
}

TEST_CASE("a hook that hangs or can't be run harms nobody", "[slow]")
{
    const Lab lab;
    const std::string slow = lab.start(
        {"--output-timeout", "300ms", "--on-hang", "exec:sleep 30", "--", "sleep", "1.5"});
    CHECK(lab.wait(slow) == 0); // not held up by it
    const std::string bad = lab.start(
        {"--output-timeout", "300ms", "--on-hang", "exec:/no/such/program", "--", "sleep", "1.5"});
    CHECK(lab.wait(bad) == 0);
}

TEST_CASE("on-hang restart starts it again, but not for ever", "[slow]")
{
    const Lab lab;
    const std::string id =
        lab.start({"--output-timeout", "400ms", "--on-hang", "restart", "--backoff", "50ms",
                   "--max-restarts", "2/1h", "-c", "echo try $BGT_ATTEMPT; exec sleep 100"});
    CHECK(lab.wait(id) == 120);
    CHECK(lab.log(id) == "try 1\ntry 2\ntry 3\n");
    CHECK(number_at(lab.show(id), "/attempt") == 3);
    CHECK(has_event(lab, id, "restart-limit"));
}

TEST_CASE("quiet and stalled are told and end nothing; output takes them back")
{
    const Lab lab;
    const std::string id = lab.start(
        {"--quiet-after", "300ms", "--stalled-after", "1s", "--stdin", "pipe", "--", "cat"});
    REQUIRE(eventually(test_timeout, [&] {
        return text_at(lab.show(id), "/notices").find("quiet") != std::string::npos;
    }));
    REQUIRE(lab({"wait", "--for", "stalled", "--timeout", "20s", id}).code == 0);
    CHECK(lab({"send", id, "hello"}).code == 0);
    CHECK(eventually(test_timeout, [&] {
        return text_at(lab.show(id), "/notices").find("quiet") == std::string::npos;
    }));
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("who waits for input is told, and wait --or-stuck comes back with it")
{
    const Lab lab;
    const std::string id = lab.start(
        {"--stdin", "pipe", "-c", "printf 'Ok to proceed? '; read answer; echo got $answer"});
    const Ran ran = lab({"wait", "--or-stuck", "--timeout", "30s", id});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("waits for input") != std::string::npos);
    const auto report = at(lab.ask({"why", id}), "/reports/0").as_object();
    CHECK(text_at(report, "/verdict") == "waiting-input");
    CHECK(text_at(report, "/sentence").find("Ok to proceed?") != std::string::npos);
    CHECK(text_at(report, "/next").find("bgt send " + id) == 0);
    CHECK(lab({"send", id, "y"}).code == 0);
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("ps says within two seconds of a prompt that input is needed, and no longer after it")
{
    const Lab lab;
    const std::string question = GENERATE("printf 'Proceed? '", "echo 'Your name:'");
    const std::string id =
        lab.start({"--service", "--stdin", "pipe", "-c",
                   "echo begin; " + question + "; read answer; echo got $answer; exec sleep 100"});
    REQUIRE(lab.logged(id, "begin\n"));
    const auto began = std::chrono::steady_clock::now();
    const auto needs_input = [&] {
        return lab({"ps"}).out.find("needs input") != std::string::npos; // asks no supervisor
    };
    REQUIRE(eventually(test_timeout, needs_input));
    CHECK(std::chrono::steady_clock::now() - began < milliseconds(2000));
    CHECK(lab({"send", id, "y"}).code == 0);
    CHECK(eventually(milliseconds(5000), [&] { return !needs_input(); }));
    CHECK(lab.log(id).ends_with("got y\n"));
}

TEST_CASE("an idle task has no wake-ups, also after output", "[slow]")
{
    const Lab lab;
    const std::string id = lab.start({"--service", "-c", "printf 'no prompt'; exec sleep 100"});
    const auto supervisor = std::to_string(number_at(lab.show(id), "/supervisor"));
    const auto switches = [&] {
        const std::string status = read_file("/proc/" + supervisor + "/status");
        return std::stol(status.substr(status.find("\nvoluntary_ctxt_switches:") + 25));
    };
    // What does not happen can't be waited for. The looks after its output, which are over within
    // 1.25 s, pass first; then a span of time has no wake-up.
    std::this_thread::sleep_for(milliseconds(3000));
    const long before = switches();
    std::this_thread::sleep_for(milliseconds(5000));
    CHECK(switches() == before);
}

TEST_CASE("the rules go on when a supervisor is replaced")
{
    const Lab lab;
    const std::string id = lab.start({"--output-timeout", "800ms", "-c", "echo x; exec sleep 100"});
    kill(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")), SIGKILL);
    CHECK(lab.wait(id) == 122); // nobody saw how it ended
    CHECK(text_at(lab.show(id), "/outcome/reason") == "output-timeout");
}

TEST_CASE("a supervisor that was stopped for long accuses nobody", "[slow]")
{
    const Lab lab;
    const std::string id =
        lab.start({"--progress-timeout", "2s", "-c", "sleep 0.1; exec sleep 3.2"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    kill(supervisor, SIGSTOP);
    // Until well after its limit, in which nobody could look.
    const Ran slept = run(lab.program({"sleep", "2.6"}));
    CHECK(slept.code == 0);
    kill(supervisor, SIGCONT);
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("a paused task is not accused", "[slow]")
{
    const Lab lab;
    const std::string id =
        lab.start({"--output-timeout", "900ms", "-c", "sleep 0.3; echo on; exec sleep 0.3"});
    REQUIRE(lab({"pause", id}).code == 0);
    CHECK(lab({"wait", "--timeout", "1500ms", id}).code == 124);
    REQUIRE(lab({"resume", id}).code == 0);
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("the rules hold for what is left of a tree that is waited for, too")
{
    const Lab lab;
    const std::string id =
        lab.start({"--leftover", "wait", "--idle-timeout", "1s", "-c", "sleep 1000 & exit 0"});
    CHECK(lab.wait(id) == 120);
    const auto task = lab.show(id);
    CHECK(text_at(task, "/outcome/reason") == "idle-timeout");
    CHECK(text_at(newest_report(lab, id), "/rule") == "idle-timeout");
}

TEST_CASE("cpu-limit: ends a task whose processes have used so much, whoever of them it was")
{
    const Lab lab;
    // The first loop ends by itself: what it used counts on. The task ignores --on-hang, and is not
    // started again.
    const std::string loop = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
    const std::string id = lab.start(
        {"--cpu-limit", "1500ms", "--retries", "3", "-c", "(" + loop + "); while :; do :; done"});
    CHECK(lab.wait(id) == 123);
    const auto task = lab.show(id);
    CHECK(text_at(task, "/outcome/reason") == "cpu-limit");
    CHECK(number_at(task, "/attempt") == 1);
    const auto report = newest_report(lab, id);
    CHECK(text_at(report, "/rule") == "cpu-limit");
    const std::string shown = lab({"show", id}).out;
    CHECK(shown.find("its --cpu-limit passed") != std::string::npos);
}

TEST_CASE(
    "cpu-limit: a task that sleeps is not ended, and a setting or a rule gives the limit as well")
{
    Lab lab;
    CHECK(lab.wait(lab.start({"--cpu-limit", "200ms", "--", "sleep", "1.2"})) == 0);
    lab.set_env("BGT_CPU_LIMIT=300ms");
    CHECK(lab.wait(lab.start({"-c", "while :; do :; done"})) == 123);
    CHECK(lab.wait(lab.start({"--cpu-limit", "off", "--", "true"})) == 0);
    CHECK(lab({"run", "--cpu-limit", "0", "--", "true"}).code == 125);
    CHECK(lab({"run", "--cpu-limit", "1h", "--on-hang", "report", "--", "true"}).code ==
          125); // it is not about a hang
}
