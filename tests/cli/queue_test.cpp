// Tasks that wait: bgt submit, queue, hold, release, move, and what the other verbs say of them.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

using namespace bgt::test;

namespace {

/// `bgt submit WORDS...`, which must succeed; the ids.
Words submit(const Lab& lab, Words words)
{
    words.insert(words.begin(), "submit");
    const Ran ran = lab(words);
    INFO(ran);
    REQUIRE(ran.code == 0);
    std::istringstream lines(ran.out);
    Words ids;
    for (std::string line; std::getline(lines, line);) ids.push_back(line);
    return ids;
}

std::string lifecycle(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/lifecycle");
}

std::string reason(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/outcome/reason");
}

Words words_in(const std::string& path)
{
    std::istringstream in(read_file(path));
    Words out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

} // namespace

TEST_CASE("a submitted task runs, its output and code are kept, and nothing stays behind")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"-c", "echo out; exit 3"});
    CHECK(lab.wait(id) == 3);
    CHECK(lab.log(id) == "out\n");
    CHECK(text_at(lab.show(id), "/lifecycle") == "ended");
    CHECK(is_over(lab));
}

TEST_CASE("one slot: they run one after the other, in their order; a higher priority goes first")
{
    const Lab lab;
    const std::string order = lab.work() + "/order";
    const std::string first =
        submit_one(lab, {"-c", "until test -e go; do sleep 0.01; done; echo first >> order"});
    CHECK(eventually(test_timeout, [&] { return lifecycle(lab, first) == "running"; }));
    const std::string second = submit_one(lab, {"-c", "echo second >> order"});
    const std::string third = submit_one(lab, {"--priority", "5", "-c", "echo third >> order"});
    CHECK(lifecycle(lab, second) == "queued");
    CHECK(lab({"ps"}).out.find("queued") != std::string::npos);
    const Ran why = lab({"why", second});
    INFO(why);
    CHECK(why.code == 0);
    CHECK(why.out.find("waits in queue default, 1 before it") != std::string::npos);
    CHECK(why.out.find("1 of 1 slots of its queue are in use") != std::string::npos);
    CHECK(at(lab.ask({"why", third}), "/waiting/0/id").as_int64() == std::stoll(third));
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(second) == 0);
    CHECK(lab.wait(third) == 0);
    CHECK(words_in(order) == Words{"first", "third", "second"});
}

TEST_CASE("more slots, total slots and resources bind")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=3"}).code == 0);
    Words options;
    std::string at_once = "2";
    SECTION("total slots")
    {
        REQUIRE(lab({"queue", "set", "--total", "slots=2"}).code == 0);
    }
    SECTION("a resource")
    {
        REQUIRE(lab({"queue", "set", "--total", "gpu=2"}).code == 0);
        options = {"--need", "gpu=1"};
    }
    SECTION("slots of the queue")
    {
        REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    }
    SECTION("an array's own limit")
    {
        Words words{"--array", "1-9%2", "-c", "echo + >> log; sleep 0.05; echo - >> log"};
        for (const std::string& id : submit(lab, words)) CHECK(lab.wait(id) == 0);
    }
    Words words = options;
    words.insert(words.end(), {"--array", "1-6", "-c", "echo + >> log; sleep 0.05; echo - >> log"});
    if (words_in(lab.work() + "/log").empty())
        for (const std::string& id : submit(lab, words)) CHECK(lab.wait(id) == 0);
    int running = 0, most = 0;
    for (const std::string& sign : words_in(lab.work() + "/log"))
        most = std::max(most, running += sign == "+" ? 1 : -1);
    CHECK(std::to_string(most) == at_once);
}

TEST_CASE("dependencies: after the other's end, skipped with a reason, or held")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=4"}).code == 0);
    const std::string running = lab.start(
        {"--name", "base", "-c", "until test -e go; do sleep 0.01; done; exit $(cat go)"});
    const std::string on_ok = submit_one(lab, {"--after", "base", "--", "true"});
    const std::string on_fail = submit_one(lab, {"--after", running + ":fail", "-c", "exit 5"});
    const std::string on_any = submit_one(lab, {"--after", "base:any", "-c", "exit 6"});
    const std::string chained =
        submit_one(lab, {"--after", on_ok + ":any," + on_fail + ":any", "-c", "exit 7"});
    const std::string on_start = submit_one(lab, {"--after", "base:start", "-c", "exit 8"});
    CHECK(lab.wait(on_start) == 8);
    CHECK(lifecycle(lab, on_ok) == "queued");
    SECTION("it succeeds")
    {
        write_file(lab.work() + "/go", "0");
        CHECK(lab.wait(on_ok) == 0);
        CHECK(lab.wait(on_fail) == 121);
        CHECK(reason(lab, on_fail) == "dependency-failed");
    }
    SECTION("it fails")
    {
        write_file(lab.work() + "/go", "1");
        CHECK(lab.wait(on_fail) == 5);
        CHECK(lab.wait(on_ok) == 121);
        CHECK(reason(lab, on_ok) == "dependency-failed");
    }
    CHECK(lab.wait(on_any) == 6);
    CHECK(lab.wait(chained) == 7);
    CHECK(lab({"submit", "--after", "nosuch", "--", "true"}).code == 125);
    CHECK(lab({"submit", "--after", "999", "--", "true"}).code == 125);
    CHECK(is_over(lab));
}

TEST_CASE("hold, release, move and cancel")
{
    const Lab lab;
    const std::string held = submit_one(lab, {"--hold", "-c", "exit 4"});
    const std::string other = submit_one(lab, {"--hold", "-c", "exit 5"});
    CHECK(lifecycle(lab, held) == "queued");
    CHECK(lab({"wait", "--timeout", "100ms", held}).code == 124);
    const Ran cancelled = lab({"kill", other});
    INFO(cancelled);
    CHECK(cancelled.code == 0);
    CHECK(cancelled.out.find("cancelled") != std::string::npos);
    CHECK(lab.wait(other) == 121);
    CHECK(reason(lab, other) == "cancelled");
    CHECK(lab({"move", "--last", held}).code == 0);
    CHECK(lab({"move", held}).code == 125);
    CHECK(lab({"release", held}).code == 0);
    CHECK(lab.wait(held) == 4);
    CHECK(lab({"hold", held}).code == 125); // it has ended
    CHECK(is_over(lab));
}

TEST_CASE("kill --all: nothing that waits starts in the place of what ends")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    REQUIRE(lab({"submit", "--array", "1-30", "-c", "echo {} >> log; exec sleep 1000"}).code == 0);
    const std::string other = submit_one(lab, {"-c", "echo other >> log"});
    const auto lines = [&] { return std::ranges::count(read_file(lab.work() + "/log"), '\n'); };
    REQUIRE(eventually(test_timeout, [&] { return lines() == 2; }));
    const Ran killed = lab({"kill", "--all"});
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(lines() == 2);
    CHECK(reason(lab, other) == "cancelled");
    CHECK(lab.wait("30") == 121);
    CHECK(is_over(lab));
}

TEST_CASE("a request to a task that was started a moment ago waits no longer than it lives")
{
    const Lab lab;
    for (int i = 0; i < 20; ++i) {
        const Ran asked = lab({"signal", "USR1", submit_one(lab, {"--", "true"})});
        INFO(asked);
        CHECK(asked.took < milliseconds(4000)); // a request that nobody answers ends after 5 s
    }
}

TEST_CASE("retry: what came from a queue waits there again")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "q", "slots=1"}).code == 0);
    const std::string first = submit_one(lab, {"-q", "q", "-c", "test -e good"});
    const std::string second =
        submit_one(lab, {"-q", "q", "--after", first, "-c", "echo $BGT_QUEUE > second"});
    const std::string third = submit_one(lab, {"-q", "q", "--after", second, "--", "true"});
    const std::string killed = submit_one(lab, {"--hold", "--", "false"});
    CHECK(lab({"kill", killed}).code == 0);
    CHECK(lab.wait(third) == 121);
    CHECK(lab.wait(first) == 1);
    write_file(lab.work() + "/good", "");
    const Ran ran = lab({"retry", "--failed", "--dependents"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    std::istringstream out(ran.out);
    std::string a, b, c, more;
    REQUIRE(out >> a >> b >> c);
    CHECK_FALSE(out >> more); // what was cancelled is not retried
    CHECK(lab.wait(c) == 0);
    CHECK(lab.wait(a) == 0);
    CHECK(read_file(lab.work() + "/second") == "q\n");
    CHECK(text_at(lab.show(c), "/lifecycle") == "ended");
    CHECK(lab({"retry", "--failed"}).out.empty()); // it was retried
    CHECK(is_over(lab));
}

TEST_CASE("another run of an element of an array knows its place there")
{
    const Lab lab;
    const std::string text = "echo $BGT_ARRAY_INDEX $BGT_ITEM; exit 3";
    const Words array = submit(lab, {"--array", "7-8", "-c", text});
    write_file(lab.work() + "/items", "a b\nc\n");
    const Words each = submit(lab, {"--each", "items", "-e", "A=b", "-c", text});
    REQUIRE(array.size() == 2);
    REQUIRE(each.size() == 2);
    const auto again = [&](const std::string& verb, const std::string& id) {
        CHECK(lab.wait(id) == 3);
        const Ran ran = lab({verb, id});
        INFO(ran);
        REQUIRE(ran.code == 0);
        std::string made;
        std::istringstream(ran.out) >> made;
        made = made.substr(0, made.find(':')); // "7: started in place of 4, ..."
        CHECK(lab.wait(made) == 3);
        return lab.log(made);
    };
    CHECK(again("retry", array[1]) == "8\n");
    CHECK(again("retry", each[0]) == "1 a b\n");
    CHECK(again("restart", each[1]) == "2 c\n");
    CHECK(again("retry", "5") == "8\n"); // which is another run itself
}

TEST_CASE("who dispatches ends with the state root")
{
    const Lab lab;
    submit_one(lab, {"--hold", "--", "true"});
    const pid_t dispatcher = dispatcher_of(lab);
    REQUIRE(::kill(dispatcher, 0) == 0);
    std::filesystem::remove_all(lab.root());
    CHECK(eventually(test_timeout, [&] { return ::kill(dispatcher, 0) != 0; }));
}

TEST_CASE("a key: one at a time; skip, latest and replace")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=4"}).code == 0);
    const Words block{"--key", "k", "-c", "until test -e go; do sleep 0.01; done; echo one >> log"};
    const std::string first = submit_one(lab, block);
    CHECK(eventually(test_timeout, [&] { return lifecycle(lab, first) == "running"; }));
    const std::string second = submit_one(lab, {"--key", "k", "-c", "echo two >> log"});
    CHECK(submit_one(lab, {"--key", "k", "--on-busy", "skip", "--", "true"}) == second);
    const std::string third =
        submit_one(lab, {"--key", "k", "--on-busy", "latest", "-c", "echo three >> log"});
    CHECK(lab.wait(second) == 121);
    CHECK(reason(lab, second) == "superseded");
    CHECK(lifecycle(lab, third) == "queued");
    SECTION("the rest goes on")
    {
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(third) == 0);
        CHECK(words_in(lab.work() + "/log") == Words{"one", "three"});
    }
    SECTION("replace ends what runs")
    {
        const std::string last =
            submit_one(lab, {"--key", "k", "--on-busy", "replace", "-c", "echo four >> log"});
        CHECK(lab.wait(last) == 0);
        CHECK(lab.wait(first) == 128 + 15);
        CHECK(lab.wait(third) == 121);
        CHECK(words_in(lab.work() + "/log") == Words{"four"});
    }
}

TEST_CASE("a mistake in a batch is told by its line, in words of bgt")
{
    const Lab lab;
    for (const char* line : {R"({"command":["x"],"priority":1.5})",
                             R"({"command":["x"],"priority":"a"})", R"({"command":["x")", "[]"}) {
        write_file(lab.work() + "/batch", std::string(R"({"command":["true"]})") + "\n" + line);
        const Ran ran = lab({"submit", "--batch", "batch"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.starts_with("bgt submit: --batch: line 2: "));
        CHECK(ran.err.find("boost") == std::string::npos);
    }
}

TEST_CASE("each and batch: a task a line, all or nothing")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    write_file(lab.work() + "/lines", "a b\n\n$(touch pwned)\n");
    const Words ids = submit(lab, {"--each", "lines", "--", "printf", "%s.", "{}"});
    REQUIRE(ids.size() == 2);
    CHECK(lab.wait(ids[0]) == 0);
    CHECK(lab.wait(ids[1]) == 0);
    CHECK(lab.log(ids[0]) == "a b.");
    CHECK(lab.log(ids[1]) == "$(touch pwned).");
    write_file(lab.work() + "/batch",
               "{\"id\":\"a\",\"shell\":\"echo a >> order\"}\n"
               "{\"id\":\"c\",\"shell\":\"echo c >> order\",\"after\":[\"b\"]}\n"
               "{\"id\":\"b\",\"command\":[\"sh\",\"-c\",\"echo b >> "
               "order\"],\"after\":\"a:ok\",\"name\":\"bee\",\"tags\":{\"k\":\"v\"}}\n");
    const Words batch = submit(lab, {"--batch", "batch"});
    REQUIRE(batch.size() == 3);
    CHECK(lab.wait(batch[1]) == 0);
    CHECK(words_in(lab.work() + "/order") == Words{"a", "b", "c"});
    CHECK(text_at(lab.show(batch[2]), "/name") == "bee");
    write_file(lab.work() + "/circle", "{\"id\":\"a\",\"shell\":\"\",\"after\":\"b\"}\n{\"id\":"
                                       "\"b\",\"shell\":\"\",\"after\":\"a\"}\n");
    const Ran circle = lab({"submit", "--batch", "circle"});
    CHECK(circle.code == 125);
    CHECK(circle.err.find("circle") != std::string::npos);
    write_file(lab.work() + "/bad", "{\"shell\":\"true\"}\n{\"shel\":\"true\"}\n");
    const Ran bad = lab({"submit", "--batch", "bad"});
    CHECK(bad.code == 125);
    CHECK(bad.err.find("line 2") != std::string::npos);
    CHECK(is_over(lab));
}

TEST_CASE("a task has what its submitter had, and knows its slot")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "--total", "gpu=2"}).code == 0);
    Invocation call =
        lab.bgt({"submit", "--env", "MINE=yes", "--need", "gpu=2", "-c",
                 "echo $MINE $BGT_QUEUE $BGT_SLOT $BGT_RESOURCE_GPU; umask; pwd; ulimit -n"});
    const Ran ran = run(
        lab.program({"sh", "-c", "umask 027; ulimit -n 321; exec \"$@\"", "sh", call.argv[0],
                     "submit", "--env", "MINE=yes", "--need", "gpu=2", "-c",
                     "echo $MINE $BGT_QUEUE $BGT_SLOT $BGT_RESOURCE_GPU; umask; pwd; ulimit -n"}));
    INFO(ran);
    REQUIRE(ran.code == 0);
    const std::string id = ran.out.substr(0, ran.out.size() - 1);
    CHECK(lab.wait(id) == 0);
    CHECK(lab.log(id) == "yes default 1 0,1\n0027\n" + lab.work() + "\n321\n");
}

TEST_CASE("limits, draining, pausing and clearing a queue")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "q", "limit=2"}).code == 0);
    REQUIRE(lab({"queue", "pause", "q"}).code == 0);
    const Words ids = submit(lab, {"-q", "q", "--array", "1-2", "--", "true"});
    const Ran full = lab({"submit", "-q", "q", "--", "true"});
    CHECK(full.code == 125);
    CHECK(full.err.find("full") != std::string::npos);
    const auto json = lab.ask({"queue", "show", "q"});
    CHECK(at(json, "/queues/0/waiting") == 2);
    CHECK(at(json, "/queues/0/paused") == true);
    CHECK(lab({"queue", "rm", "q"}).code == 125);
    SECTION("resumed, they run")
    {
        REQUIRE(lab({"queue", "resume", "q"}).code == 0);
        for (const std::string& id : ids) CHECK(lab.wait(id) == 0);
    }
    SECTION("cleared, they never do")
    {
        CHECK(lab({"queue", "clear", "q"}).out == "2 waiting tasks cancelled\n");
        for (const std::string& id : ids) CHECK(lab.wait(id) == 121);
    }
    CHECK(is_over(lab));
    REQUIRE(lab({"queue", "drain", "q"}).code == 0);
    CHECK(lab({"submit", "-q", "q", "--", "true"}).code == 125);
    CHECK(lab({"queue", "rm", "q"}).code == 0);
    CHECK(lab({"queue", "show", "q"}).code == 125);
}

TEST_CASE("a queue can be paused before it has tasks, and resumed only if it is there")
{
    const Lab lab;
    const Ran ran = lab({"queue", "resume", "default", "nosuch"});
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("no queue 'nosuch' (bgt queue lists all)") != std::string::npos);
    CHECK(at(lab.ask({"queue"}), "/queues").as_array().size() == 1);
    CHECK(lab({"queue", "pause", "later"}).code == 0);
    CHECK(at(lab.ask({"queue", "show", "later"}), "/queues/0/paused") == true);
    CHECK(lab({"queue", "resume", "later"}).code == 0);
}

TEST_CASE("a standby that has become the dispatcher has its name")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"--hold", "--", "true"});
    const auto holder = [&] {
        return std::atoi(read_file(lab.root() + "/queue/dispatcher.lock").c_str());
    };
    const pid_t first = holder();
    REQUIRE(first > 1);
    const std::string task = "/proc/" + std::to_string(first) + "/task/" + std::to_string(first);
    REQUIRE(eventually(test_timeout, [&] { return !read_file(task + "/children").empty(); }));
    REQUIRE(::kill(first, SIGKILL) == 0);
    const auto name = [&] { return read_file("/proc/" + std::to_string(holder()) + "/comm"); };
    CHECK(eventually(test_timeout,
                     [&] { return holder() != first && name() == "bgt:dispatcher\n"; }));
    CHECK(lab({"kill", id}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("what waits for too long expires; a name that waits is in use")
{
    const Lab lab;
    REQUIRE(lab({"queue", "pause", "default"}).code == 0);
    const std::string id = submit_one(lab, {"--expire", "100ms", "--name", "late", "--", "true"});
    const Ran taken = lab({"run", "--name", "late", "--", "true"});
    CHECK(taken.code == 125);
    CHECK(lab.wait(id) == 121);
    CHECK(reason(lab, id) == "expired");
    CHECK(is_over(lab));
    CHECK(lab({"run", "--name", "late", "--", "true"}).code == 0);
}

TEST_CASE("bad words of submit and queue")
{
    const Lab lab;
    const std::vector<Words> bad{{"submit"},
                                 {"submit", "--array", "3-1", "--", "true"},
                                 {"submit", "--array", "1-9", "--each", "-", "--", "true"},
                                 {"submit", "--on-busy", "skip", "--", "true"},
                                 {"submit", "--after", "1:maybe", "--", "true"},
                                 {"submit", "--need", "gpu=x", "--", "true"},
                                 {"submit", "-q", "../x", "--", "true"},
                                 {"submit", "--slots", "-1", "--", "true"},
                                 {"queue", "nosuch"},
                                 {"queue", "set", "q", "slots"},
                                 {"queue", "set", "q", "slots=many"},
                                 {"queue", "set", "q", "slots=0"},
                                 {"queue", "set", "q", "slots=-1"},
                                 {"queue", "set", "--total", "slots=0"},
                                 {"queue", "set", "q", "speed=1"}};
    for (const Words& words : bad) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
    }
    CHECK_FALSE(std::filesystem::exists(lab.root() + "/queue/journal"));
}

TEST_CASE("what waits is started in its own root, and not in a copy of it")
{
    const Lab lab;
    REQUIRE(lab({"queue", "pause", "default"}).code == 0);
    const std::string id = submit_one(lab, {"-c", "touch ran-$BGT_TASK_ID"});
    std::filesystem::copy(lab.root(), lab.folder() + "/copy",
                          std::filesystem::copy_options::recursive);
    std::filesystem::permissions(lab.folder() + "/copy", std::filesystem::perms::owner_all);
    write_file(lab.folder() + "/copy/queue/settings", "{}"); // not paused there
    CHECK(lab({"--root", lab.folder() + "/copy", "run", "--wait", "--", "true"}).code == 0);
    const Ran refused = lab({"--root", lab.folder() + "/copy", "submit", "--", "true"});
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(refused.err.find("copy") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran-" + id));
    REQUIRE(lab({"queue", "resume", "default"}).code == 0);
    const Ran waited = lab({"wait", id});
    INFO(waited);
    CHECK(waited.code == 0);
    CHECK(std::filesystem::exists(lab.work() + "/ran-" + id));
}

TEST_CASE("the environment that options gave a submitted task is kept for retry, also where it "
          "never started")
{
    Lab lab;
    lab.set_env("FROM_SHELL=one");
    const Words command{"--env", "TOKEN=s3cret", "-c", "echo [$TOKEN $FROM_SHELL $BGT_SLOT]"};
    const auto with = [&](Words options) {
        options.insert(options.end(), command.begin(), command.end());
        return options;
    };
    const std::string ran = submit_one(lab, command);
    CHECK(lab.wait(ran) == 0);
    CHECK(lab.log(ran) == "[s3cret one 1]\n");
    CHECK(std::filesystem::exists(lab.task_folder(ran) + "/env"));
    const std::string plain = submit_one(lab, {"--", "true"});
    CHECK(lab.wait(plain) == 0);
    CHECK_FALSE(std::filesystem::exists(lab.task_folder(plain) + "/env"));
    const std::string cancelled = submit_one(lab, with({"--hold"}));
    CHECK(lab({"kill", cancelled}).code == 0);
    CHECK(eventually(test_timeout,
                     [&] { return std::filesystem::exists(lab.task_folder(cancelled) + "/env"); }));
    const Ran why = lab({"why", cancelled});
    INFO(why);
    CHECK(why.out.find("it was taken out of its queue") != std::string::npos);
    lab.set_env("FROM_SHELL=two");
    for (const std::string& id : {ran, cancelled}) {
        const Ran again = lab({"retry", id});
        INFO(again);
        REQUIRE(again.code == 0);
        const std::string other = again.out.substr(0, again.out.size() - 1);
        CHECK(lab.wait(other) == 0);
        CHECK(lab.log(other) == "[s3cret one 1]\n"); // it waited again
    }
}

TEST_CASE("a task that waits has no use for the stdin of whoever submits it")
{
    const Lab lab;
    const Ran refused = lab({"submit", "--stdin", "-", "--", "cat"});
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(refused.err.find("--stdin -") != std::string::npos);
}
