// Output: its order, its completeness, where it goes and how much of it stays.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/sanitized.hpp"

#include <algorithm>
#include <sstream>

using namespace bgt::test;
namespace json = boost::json;

TEST_CASE("stdout and stderr keep their order, every time", "[slow]")
{
    const Lab lab;
    for (int round = 0; round < 200; ++round) {
        const Ran ran = lab({"run", "--wait", "--rm", "--", "sh", "-c",
                             "echo a; echo b > /dev/stderr; echo c | tee /dev/stderr"});
        INFO(ran);
        REQUIRE(ran.out == "a\nb\nc\nc\n");
        REQUIRE(ran.code == 0);
        REQUIRE(ran.err.empty());
    }
    const std::string id = lab.start_fixture({}, {"mixed", "2000"});
    CHECK(lab.wait(id) == 0);
    std::string expected;
    for (int i = 1; i <= 2000; ++i)
        expected += (i % 2 ? "out " : "err ") + std::to_string(i) + "\n";
    CHECK(lab.log(id) == expected);
}

TEST_CASE("the last line of a task that ends right after writing 1 MB is there when wait returns",
          "[slow]")
{
    const Lab lab;
    for (int round = 0; round < 30; ++round) {
        const std::string id = lab.start_fixture({}, {"burst-exit", "1048576"});
        REQUIRE(lab.wait(id) == 0);
        const std::string log = lab.log(id);
        REQUIRE(log.size() == 1048576);
        REQUIRE(log.ends_with("000000000065535\n"));
    }
    const Ran followed = lab({"run", "--wait", "--", BGT_FIXTURE, "burst-exit", "1048576"});
    CHECK(followed.code == 0);
    CHECK(followed.out == lab.log("1"));
}

TEST_CASE("run --wait passes on what a task writes at once and what it writes after a while")
{
    const Lab lab;
    const Ran ran =
        lab({"run", "--wait", "--split", "-c",
             "echo a; echo b >&2; sleep 0.4; echo c; echo d >&2; sleep 0.1; echo e; exit 4"});
    INFO(ran);
    CHECK(ran.code == 4);
    CHECK(ran.out == "a\nc\ne\n");
    CHECK(ran.err == "b\nd\n");
}

TEST_CASE(
    "a program that reads its stdout or stderr gets an error, and nothing is missing in the log")
{
    const Lab lab;
    const std::string script = "echo one; echo two; for fd in 1 2; do head -n 1 <&$fd && echo read "
                               "from $fd; done 2>&1; echo done";
    const std::string error = "head: error reading 'standard input': Bad file descriptor\n";
    SECTION("of one FIFO")
    {
        const Ran ran = lab({"run", "--wait", "-c", script});
        INFO(ran);
        CHECK(ran.out == "one\ntwo\n" + error + error + "done\n");
    }
    SECTION("of two")
    {
        const Ran ran = lab({"run", "--wait", "--split", "-c", "echo three >&2; " + script});
        INFO(ran);
        CHECK(ran.out == "one\ntwo\n" + error + error + "done\n");
        CHECK(ran.err == "three\n");
    }
}

TEST_CASE("daemons that keep the descriptors open delay nothing")
{
    const Lab lab;
    const std::string mode = GENERATE("hold-fds", "daemon");
    SECTION("of a wait")
    {
        const Stopwatch watch;
        const std::string id = lab.start_fixture({"--leftover", "keep"}, {mode});
        CHECK(lab.wait(id) == 0);
        CHECK(watch.elapsed() < 3s);
        const std::vector<pid_t> pids = lab.pids_said(id);
        CHECK(is_alive(pids[1]));
        const auto task = lab.show(id);
        CHECK(text_at(task, "/lifecycle") == "ended");
        CHECK(boost::json::serialize(at(task, "/leftover")) == "[" + std::to_string(pids[1]) + "]");
        const Ran listed = lab({"ps", "--leftover", "-q"});
        CHECK(listed.out == id + "\n");
        CHECK(lab({"kill", id}).code == 0);
        CHECK(all_gone(pids));
        CHECK(lab({"ps", "--leftover", "-q"}).out.empty());
        CHECK(lab.wait(id) == 0); // its end stands
    }
    SECTION("of run --wait")
    {
        const Ran ran = lab({"run", "--wait", "--leftover", "keep", "--", BGT_FIXTURE, mode}, 10s);
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 0);
        CHECK(ran.out.starts_with("pids "));
        CHECK(ran.took < 3s);
    }
}

TEST_CASE("--split keeps stderr apart")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--split"}, {"mixed", "4"});
    CHECK(lab.wait(id) == 0);
    CHECK(lab({"logs", id}).out == "out 1\nout 3\n");
    CHECK(lab({"logs", "--stderr", id}).out == "err 2\nerr 4\n");
    const auto task = lab.show(id);
    CHECK(text_at(task, "/log/stderr_path") == lab.task_folder(id) + "/err.log");
    CHECK(number_at(task, "/log/bytes") == 24);
    const Ran apart = lab({"run", "--wait", "--split", "--", BGT_FIXTURE, "mixed", "4"});
    CHECK(apart.out == "out 1\nout 3\n");
    CHECK(apart.err == "err 2\nerr 4\n");
    const Ran none = lab({"logs", "--stderr", lab.start({"--", "true"})});
    INFO(none);
    CHECK(none.code == 125);
    CHECK(none.err.find("--split") != std::string::npos);
}

TEST_CASE("--log-max frees the oldest bytes and says what was dropped")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--log-max", "1M"}, {"spew", "8388608"});
    CHECK(lab.wait(id) == 0);
    const auto task = lab.show(id);
    CHECK(number_at(task, "/log/bytes") == 8388608);
    const std::int64_t freed = number_at(task, "/log/freed_bytes");
    CHECK(freed >= 6 << 20);
    CHECK(freed <= 7 << 20);
    CHECK(number_at(task, "/log/dropped_bytes") == freed);
    const Ran logs = lab({"logs", id});
    INFO(logs.err);
    CHECK(logs.code == 0);
    CHECK(logs.out.ends_with("000000000524287\n")); // the newest are there
    CHECK(static_cast<std::int64_t>(logs.out.size()) >= (8 << 20) - freed - 64);
    CHECK(logs.err.find(" of the output of 1 were freed (--log-max)\n") != std::string::npos);
    const Ran all =
        lab({"run", "--wait", "--log-max", "off", "--", BGT_FIXTURE, "spew", "4194304"});
    CHECK(all.out.size() == 4194304);
    CHECK(all.err.empty());
}

TEST_CASE("output of any bytes is kept as it is")
{
    const Lab lab;
    const std::string script = "printf 'nul\\000 invalid \\377\\376 esc \\033[31mred\\033[0m cr "
                               "1%%\\r2%%\\n'; printf 'no newline'";
    const std::string bytes =
        std::string("nul\0 invalid \xff\xfe esc \x1b[31mred\x1b[0m cr 1%\r2%\nno newline", 52);
    const std::string id = lab.start({"-c", script});
    CHECK(lab.wait(id) == 0);
    CHECK(lab.log(id) == bytes);
    CHECK(lab({"logs", "--raw", id}).out == bytes);
    const Ran rendered = lab({"logs", id});
    INFO(rendered);
    CHECK(rendered.out.find('\x1b') == std::string::npos);
    CHECK(rendered.out.find('\r') == std::string::npos);
    CHECK(rendered.out.starts_with(
        "2%l")); // what came after the carriage return is over the start of the line
    const auto answer = lab.ask({"logs", id});
    CHECK(at(answer, "/logs/0/end_of_log") == true);
    CHECK(at(answer, "/logs/0/cursor") == bytes.size());
    CHECK(lab({"run", "--wait", "-c", script}).out == bytes);
}

TEST_CASE("a line of 100 MB goes through in constant memory", "[slow]")
{
    const Lab lab;
    const std::string bytes = std::to_string(100 << 20);
    const std::string id = lab.start_fixture({}, {"spew", bytes, "--line-length", "0"});
    CHECK(lab.wait(id) == 0);
    Words words;
    if (!sanitized)
        words = {"sh", "-c", "ulimit -v 131072; exec \"$@\"",
                 "sh"}; // KiB: not enough for the program and the line
    words.insert(words.end(), {BGT_BINARY, "logs", "--raw", id});
    const Ran ran = run(lab.program(words), 60s);
    CHECK(ran.code == 0);
    CHECK(std::to_string(ran.out.size()) == bytes);
    words[words.size() - 2] = "-n1";
    const Ran last = run(lab.program(words), 60s);
    INFO(last.err);
    CHECK(last.code == 0);
    CHECK(std::to_string(last.out.size()) == bytes);
}

TEST_CASE("logs shows what is asked for")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "web", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done"});
    const std::string other = lab.start({"-c", "echo other"});
    CHECK(lab({"wait", id, other}).code == 0);
    CHECK(lab({"logs", "-n", "2", id}).out == "line 9\nline 10\n");
    CHECK(lab({"logs", "-n", "0", id}).out.empty());
    CHECK(lab({"logs", "--grep", "1", "web"}).out == "line 1\nline 10\n");
    CHECK(lab({"logs", "--grep", "line [2-4]$", "-n", "1", "web"}).out == "line 4\n");
    CHECK(lab({"logs", "--cursor", "7", "--max-bytes", "7", id}).out == "line 2\n");
    CHECK(lab({"logs", "-n1", id, other}).out == "web | line 10\n2   | other\n");
    CHECK(lab({"logs", "--since", "1h", "-n1", id}).out == "line 10\n");
    CHECK(lab({"logs", "--since", "2100-01-01T00:00:00Z", id}).out.empty());
    CHECK(lab({"logs", "-f", id}).out.ends_with("line 9\nline 10\n"));
    const Ran stamped = lab({"logs", "--timestamps", "-n1", id});
    INFO(stamped);
    CHECK(stamped.out.starts_with("20"));
    CHECK(stamped.out.ends_with("Z line 10\n"));
}

TEST_CASE("a reader with a cursor pays for each byte once")
{
    const Lab lab;
    const std::string id = lab.start_fixture({}, {"spew", "100000"});
    CHECK(lab.wait(id) == 0);
    std::string text, cursor = "0";
    for (int i = 0; i < 100; ++i) {
        const auto answer =
            lab.ask({"logs", "--raw", "--cursor", cursor, "--max-bytes", "16K", id});
        const auto& piece = at(answer, "/logs/0").as_object();
        text += text_at(piece, "/text");
        cursor = std::to_string(number_at(piece, "/cursor"));
        if (at(piece, "/end_of_log") == true) break;
    }
    CHECK(cursor == "100000");
    CHECK(text == lab.log(id));
    const Ran beyond = lab({"logs", "--cursor", "100001", id});
    INFO(beyond);
    CHECK(beyond.code == 125);
}

TEST_CASE("logs --json answers the end, and its cursors lead on in both directions")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "i=0; while [ $i -lt 9000 ]; do i=$((i+1)); echo "
                                            "\"line $i\"; done"});
    CHECK(lab.wait(id) == 0);
    const std::string log = lab.log(id);
    const auto ask = [&](Words options) {
        Words words{"logs", id};
        words.insert(words.end(), options.begin(), options.end());
        return at(lab.ask(words), "/logs/0").as_object();
    };
    json::object piece = ask({});
    std::string text = text_at(piece, "/text");
    CHECK(text.size() <= 16 * 1024);
    CHECK(text.size() > 15 * 1024);
    CHECK(text.starts_with("line "));
    CHECK(text.ends_with("line 9000\n"));
    CHECK(at(piece, "/truncated") == true);
    CHECK(at(piece, "/end_of_log") == true);
    CHECK(number_at(piece, "/cursor") == static_cast<std::int64_t>(log.size()));
    for (int i = 0; i < 20 && !at(piece, "/before").is_null(); ++i) {
        piece = ask({"--before", std::to_string(number_at(piece, "/before"))});
        CHECK(at(piece, "/end_of_log") == false);
        text.insert(0, text_at(piece, "/text"));
    }
    CHECK(at(piece, "/truncated") == false);
    CHECK((text == log));
    piece = ask({"-n", "3000"}); // that many, also where they exceed 16 KiB
    CHECK(std::ranges::count(text_at(piece, "/text"), '\n') == 3000);
    piece = ask({"--max-bytes", "39"});
    CHECK(text_at(piece, "/text") == "line 8998\nline 8999\nline 9000\n");
    piece = ask({"--grep", "7$", "--max-bytes", "30"});
    CHECK(text_at(piece, "/text") == "line 8977\nline 8987\nline 8997\n");
    CHECK(at(piece, "/truncated") == true);
    piece = ask({"--before", std::to_string(number_at(piece, "/before")), "--grep", "7$",
                 "--max-bytes", "10"});
    CHECK(text_at(piece, "/text") == "line 8967\n");
    piece = ask({"--cursor", "0", "--max-bytes", "14"});
    CHECK(text_at(piece, "/text") == "line 1\nline 2\n");
    CHECK(at(piece, "/truncated") == true);
    CHECK(at(piece, "/before").is_null());
    for (const Words& bad : {Words{"--before", "1"},
                             {"--wait", "1s"},
                             {"--json", "--wait", "x"},
                             {"--json", "--before", "1000000"},
                             {"--json", "--before", "x"},
                             {"--json", "--before", "1", "--cursor", "1"}}) {
        Words words{"logs", id};
        words.insert(words.end(), bad.begin(), bad.end());
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
    }
}

TEST_CASE("logs --json --wait comes back with what is new, or when the time is over")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    REQUIRE(lab.logged(id, "ready\n"));
    const auto ask = [&](const std::string& cursor, const char* limit) {
        return at(lab.ask({"logs", "--cursor", cursor, "--wait", limit, id}), "/logs/0")
            .as_object();
    };
    json::object piece = ask("0", "30s");
    CHECK(text_at(piece, "/text") == "ready\n");
    const std::string cursor = std::to_string(number_at(piece, "/cursor"));
    CHECK(text_at(ask(cursor, "50ms"), "/text").empty());
    Child waiting(lab.bgt({"logs", "--json", "--cursor", cursor, "--wait", "30s", id}));
    Child match(
        lab.bgt({"logs", "--json", "--cursor", cursor, "--grep", "tw", "--wait", "30s", id}));
    REQUIRE(lab({"send", id, "one"}).code == 0);
    CHECK(waiting.finish().out.find("\"text\":\"one\\n\"") != std::string::npos);
    REQUIRE(lab({"send", id, "two"}).code == 0);
    CHECK(match.finish().out.find("\"text\":\"two\\n\"") != std::string::npos);
    REQUIRE(lab({"send", "--eof", id}).code == 0);
    CHECK(lab.wait(id) == 0);
    const std::string end = std::to_string(lab.log(id).size());
    CHECK(at(ask(end, "30s"), "/end_of_log") == true); // at once
    CHECK(lab({"logs", "--json", "--wait", "1s", "--all", id, "nosuch"}).code == 125);
}

TEST_CASE("logs -f wakes for each line, and ends when the task does")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    Child follow(lab.bgt({"logs", "-f", id}));
    REQUIRE(follow.says("ready\n"));
    for (const char* word : {"one", "two", "three"}) {
        REQUIRE(lab({"send", id, word}).code == 0);
        REQUIRE(follow.says(std::string(word) + "\n"));
    }
    REQUIRE(lab({"send", id, "--eof"}).code == 0);
    const Ran ran = follow.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(ran.out == "ready\none\ntwo\nthree\neof\n");
}
