// What ps, show, gc, rm, config and version print. Ages, times and pids are replaced by letters
// first.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <fcntl.h>
#include <regex>
#include <sys/inotify.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// The same text in every run: folders, times, ages and pids are replaced.
std::string normal(const Lab& lab, std::string text)
{
    for (std::size_t at = 0; (at = text.find(lab.folder(), at)) != std::string::npos;)
        text.replace(at, lab.folder().size(), "LAB");
    text =
        std::regex_replace(text, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)"), "TIME");
    text = std::regex_replace(text, std::regex(R"(pid=\d+)"), "pid=N");
    text = std::regex_replace(text, std::regex(R"(\b\d+(\.\d+)?(ms|s|m|h)\b)"), "AGE");
    return std::regex_replace(text, std::regex(" +"), " ");
}

} // namespace

TEST_CASE("ps lists the living first, then the newest ended")
{
    const Lab lab;
    CHECK(lab({"ps"}).out == "ID  NAME  STATE  AGE  CPU  MEM  PORTS  COMMAND  LAST\n");
    const std::string ok = lab.start({"--name", "ok", "--", "sh", "-c", "echo fine"});
    const std::string bad = lab.start({"--", "sh", "-c", "exit 3"});
    const std::string dead = lab.start_fixture({"--name", "dead"}, {"signal", "9"});
    CHECK(lab({"wait", ok, bad, dead}).in_time);
    const std::string living = lab.start({"--name", "web", "--", "sleep", "100"});
    const Ran ran = lab({"ps"});
    INFO(ran);
    CHECK(ran.code == 0);
    const std::string text = normal(lab, ran.out);
    const std::regex expected("ID NAME STATE AGE CPU MEM PORTS COMMAND LAST\n"
                              "4 web running AGE ([0-9.]+%|-) [0-9.]+ [KM]?i?B - sleep 100\n"
                              "3 dead SIGKILL, AGE ago AGE - - - [^\n]*bgt_fixture signal 9\n"
                              "2 - exit 3, AGE ago AGE - - - sh -c 'exit 3'\n"
                              "1 ok exit 0, AGE ago AGE - - - sh -c 'echo fine' fine\n");
    INFO(text);
    CHECK(std::regex_match(text, expected));
    CHECK(lab({"ps", "--format", "{id}\\t{name}\\t{state}\\t{exit}"}).out ==
          "4\tweb\trunning\t\n3\tdead\tSIGKILL\t137\n2\t\texit 3\t3\n1\tok\texit 0\t0\n");
    CHECK(lab({"ps", "-q", "--state", "failed"}).out == "3\n2\n");
    CHECK(lab({"ps", "-q", "--state", "running"}).out == "4\n");
    CHECK(lab({"ps", "-q", "web", "1"}).out == "4\n1\n");
}

TEST_CASE("ps shows ten ended tasks, -a all")
{
    const Lab lab;
    Words wait{"wait"};
    for (int i = 0; i < 15; ++i) wait.push_back(lab.start({"--", "true"}));
    CHECK(lab(wait).code == 0);
    const auto lines = [](const std::string& text) {
        return std::count(text.begin(), text.end(), '\n');
    };
    CHECK(lines(lab({"ps", "-q"}).out) == 10);
    CHECK(lab({"ps", "-q"}).out.starts_with("15\n14\n"));
    CHECK(lines(lab({"ps", "-a", "-q"}).out) == 15);
}

TEST_CASE("a hostile command and name do nothing to the table")
{
    const Lab lab;
    const std::string id =
        lab.start({"--", "sh", "-c", "printf 'x\\033[2Jy\\n'", "\x1b[31m\nnew\rline\x07"});
    CHECK(lab.wait(id) == 0);
    const Ran ran = lab({"ps"});
    INFO(ran);
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 2);
    for (const char c : ran.out) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    const Ran shown = lab({"show", id});
    for (const char c : shown.out) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
}

TEST_CASE("show tells a task's life")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "web", "--tag", "job=e2e", "--timeout", "1h", "--", "sleep", "100"});
    const auto pid = number_at(lab.show(id), "/pid");
    const Ran living = lab({"show", "web"});
    INFO(living);
    CHECK(living.code == 0);
    CHECK(living.out.starts_with("task 1 (web): running\n"));
    CHECK(living.out.find(std::to_string(pid)) != std::string::npos);
    CHECK(lab({"kill", "web"}).code == 0);
    const Ran ended = lab({"show", "web"});
    const std::string text = normal(lab, ended.out);
    INFO(text);
    CHECK(text == "task 1 (web): killed\n"
                  " lifecycle ended, job\n"
                  " outcome killed on request: SIGTERM (bgt wait gives 143)\n"
                  " command sleep 100\n"
                  " cwd LAB/work\n"
                  " tags job=e2e\n"
                  " created TIME\n"
                  " started TIME\n"
                  " ended TIME after AGE\n"
                  " stopped by SIGTERM ended 1 of 1\n"
                  " log LAB/root/tasks/1/out.log (0 B)\n"
                  " timeout AGE\n"
                  " stop TERM:AGE, then KILL\n"
                  " leftover kill\n"
                  " log-max 256MiB\n"
                  " events\n"
                  " TIME started pid=N\n"
                  " TIME stop reason=killed signal=15\n"
                  " TIME ended outcome=signaled code=0 signal=15 reason=killed exit_code=143\n");
    const auto task = lab.show("web");
    CHECK(text_at(task, "/events/0/event") == "started");
    CHECK(at(task, "/stop_steps/0/signal") == "SIGTERM");
}

TEST_CASE("gc keeps what it is told to")
{
    const Lab lab;
    Words wait{"wait"};
    for (int i = 0; i < 5; ++i) wait.push_back(lab.start({"--", "true"}));
    const std::string living = lab.start({"--", "sleep", "100"});
    CHECK(lab(wait).code == 0);
    const Ran dry = lab({"gc", "--keep", "2", "--dry-run"});
    CHECK(std::regex_match(dry.out, std::regex("would remove 3 tasks, .*: 1 2 3\n")));
    CHECK(lab({"ps", "-a", "-q"}).out == "6\n5\n4\n3\n2\n1\n");
    CHECK(std::regex_match(lab({"gc", "--keep", "2"}).out,
                           std::regex("removed 3 tasks, .*: 1 2 3\n")));
    CHECK(lab({"ps", "-a", "-q"}).out == "6\n5\n4\n");
    CHECK(lab({"gc", "--keep", "0"}).code == 0);
    CHECK(lab({"ps", "-a", "-q"}).out == "6\n");
    CHECK(lab({"gc", "--older", "0"}).code == 0);
    CHECK(text_at(lab.show(living), "/lifecycle") == "running");
    CHECK(lab.start({"--", "true"}) == "7");
}

TEST_CASE("ended tasks beyond keep_ended go in passing", "[slow]")
{
    Lab lab;
    lab.set_env("BGT_KEEP_ENDED=5");
    for (int i = 0; i < 130; ++i) REQUIRE(lab({"run", "--wait", "--", "true"}).code == 0);
    const Ran left = lab({"ps", "-a", "-q"});
    CHECK(std::count(left.out.begin(), left.out.end(), '\n') < 130);
    CHECK(left.out.starts_with("130\n"));
}

TEST_CASE("rm removes the ended, and refuses the living")
{
    const Lab lab;
    const std::string ended = lab.start({"--name", "a", "--", "true"});
    const std::string living = lab.start({"--name", "b", "--", "sleep", "100"});
    CHECK(lab.wait(ended) == 0);
    const Ran refused = lab({"rm", living});
    CHECK(refused.code == 125);
    CHECK(refused.err == "bgt rm: task 2 has not ended: bgt kill 2 first, or bgt rm --force 2\n");
    const Ran some = lab({"rm", "--json", "a", "b"});
    INFO(some);
    CHECK(some.code == 125);
    const auto answer = boost::json::parse(some.out);
    CHECK(at(answer, "/removed").as_array() == boost::json::array{1});
    CHECK(at(answer, "/bytes").to_number<std::int64_t>() > 0);
    CHECK(at(answer, "/problems").as_array().size() == 1);
    CHECK(lab({"show", "a"}).code == 125);
    CHECK(!std::filesystem::exists(lab.task_folder(ended)));
    CHECK(lab({"rm", "--force", "b"}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(lab({"ps", "-a", "-q"}).out.empty());
    CHECK(std::filesystem::is_empty(lab.root() + "/tasks"));
    CHECK(std::filesystem::is_empty(lab.root() + "/active"));
}

TEST_CASE("config shows each value in force and where it came from")
{
    Lab lab;
    lab.set_env("BGT_KEEP_ENDED=77");
    write_file(lab.work() + "/bgt.toml", "grace = \"9s\"\n");
    const Ran ran = lab({"config"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(std::regex_search(ran.out, std::regex("\nkeep_ended +77 +BGT_KEEP_ENDED\n")));
    CHECK(std::regex_search(ran.out, std::regex("\ngrace +9s +" + lab.work() + "/bgt.toml")));
    CHECK(std::regex_search(ran.out, std::regex("\nlog_max +256MiB +built-in\n")));
    CHECK(lab({"config", "grace"}).out == "9s\n");
    CHECK(lab({"run", "--wait", "-c", "echo $BGT_GRACE"}).out == "9s\n");
}

TEST_CASE("version and help go to stdout")
{
    const Lab lab;
    CHECK(lab({"--version"}).out == "bgt " BGT_VERSION "\n");
    CHECK(lab({"version"}).out.starts_with("bgt " BGT_VERSION "\n"));
    const Ran help = lab({"--help"});
    CHECK(help.code == 0);
    CHECK(help.err.empty());
    for (const char* verb : {"run", "ps", "show", "logs", "wait", "kill", "signal", "pause",
                             "resume", "send", "rm", "gc", "config", "completion", "version"}) {
        INFO(verb);
        CHECK(help.out.find("\n  " + std::string(verb)) != std::string::npos);
        const Ran one = lab({verb, "--help"});
        CHECK(one.code == 0);
        CHECK(one.err.empty());
        CHECK(one.out.find("bgt " + std::string(verb)) != std::string::npos);
    }
    CHECK(lab.listing().empty());
}

TEST_CASE("a reader that goes away ends bgt quietly")
{
    const Lab lab;
    const std::string id = lab.start_fixture({}, {"spew", "1000000"});
    CHECK(lab.wait(id) == 0);
    const Ran ran = run(lab.program({"sh", "-c", BGT_BINARY " logs " + id + " | head -n1"}));
    INFO(ran);
    CHECK(ran.err.empty());
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 1);
}

TEST_CASE("a full output device is told")
{
    const Lab lab;
    lab.start({"--", "sleep", "100"});
    const Ran ran = run(lab.program({"sh", "-c", BGT_BINARY " ps > /dev/full"}));
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("No space left on device") != std::string::npos);
}

TEST_CASE("rm waits for who holds the lock a moment longer than the supervisor lived")
{
    const Lab lab;
    const std::string id = lab.start({"--", "true"});
    REQUIRE(lab.wait(id) == 0);
    // As a process that the supervisor had forked, and that has not run yet: it closes its copies
    // when it first runs.
    const int lock = open((lab.task_folder(id) + "/lock").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(lock >= 0);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    REQUIRE(eventually(test_timeout, [&] { return fcntl(lock, F_OFD_SETLK, &whole) == 0; }));
    const int opened = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    REQUIRE(inotify_add_watch(opened, (lab.task_folder(id) + "/lock").c_str(), IN_OPEN) >= 0);
    Child removing(lab.bgt({"rm", id}));
    // To try it twice takes no test_timeout; who looks more often waits.
    std::size_t looks = 0;
    char events[4096];
    CHECK(eventually(test_timeout, [&] {
        for (ssize_t size; (size = read(opened, events, sizeof events)) > 0;)
            looks += static_cast<std::size_t>(size) / sizeof(inotify_event);
        return looks > 2;
    }));
    close(lock);
    const Ran removed = removing.finish();
    close(opened);
    CHECK(removed.code == 0);
    CHECK(removed.err.empty());
}
