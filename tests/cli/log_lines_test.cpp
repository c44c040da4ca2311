// Lines of the output as those who search in it see them: long ones, and those of one attempt.
#include "support/catch.hpp"
#include "support/lab.hpp"

using namespace bgt::test;

TEST_CASE("a long line is the same to all who search, while it comes and afterwards")
{
    const Lab lab;
    const std::string script = "printf '\"error\" '; head -c 400000 /dev/zero | tr '\\0' x; read "
                               "go; echo ' r-77'; read end";
    const std::string id = lab.start({"--stdin", "pipe", "-c", script});
    REQUIRE(lab({"wait", id, "--for", "log:x{100}$", "--timeout", "10s"}).code ==
            0); // the first piece is there
    const std::string pattern = "\"error\".*r-77";
    Child live(lab.bgt({"wait", id, "--for", "log:" + pattern, "--timeout", "20s"}));
    Child follow(lab.bgt({"logs", "-f", "--grep", pattern, id}));
    REQUIRE(lab({"send", id, "go"}).code == 0);
    CHECK(live.finish().code == 0);
    CHECK(lab({"wait", id, "--for", "log:" + pattern, "--timeout", "10s"}).code == 0);
    REQUIRE(lab({"send", id, "end"}).code == 0);
    const std::string line = "\"error\" " + std::string(400'000, 'x') + " r-77\n";
    CHECK((follow.finish().out == line));
    CHECK((lab({"logs", "-n1", "--grep", pattern, id}).out == line));
    CHECK((lab({"logs", "--grep", pattern, id}).out == line));
    CHECK((text_at(lab.ask({"logs", "--grep", pattern, id}).as_object(), "/logs/0/text") == line));
    CHECK((text_at(lab.ask({"logs", "--grep", pattern, "--max-bytes", "16K", id}).as_object(),
                   "/logs/0/text") == line));
}

TEST_CASE("times of lines are local or UTC, and can be asked for")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo one; echo two"});
    REQUIRE(lab.wait(id) == 0);
    const auto logs = [&](Words options) {
        Words words{"env", "TZ=XYZ-5:30", BGT_BINARY, "logs"};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(id);
        return run(lab.program(words), 20s);
    };
    const std::string local = logs({"-t", "-n1"}).out, utc = logs({"-t", "--utc", "-n1"}).out;
    INFO(local << utc);
    REQUIRE(local.size() == std::string("2026-11-28T14:00:00.123+05:30 two\n").size());
    CHECK(local.ends_with("+05:30 two\n"));
    CHECK(utc.ends_with("Z two\n"));
    CHECK(local.substr(0, 16) != utc.substr(0, 16));
    for (const std::string& since :
         {local.substr(11, 5), local.substr(0, 16), local.substr(0, 10), local.substr(0, 29),
          utc.substr(0, 10), std::string("@1000000000"), std::string("10m"),
          std::string("2001-02-03 04:05:06")}) {
        INFO(since);
        CHECK(logs({"--since", since}).out == "one\ntwo\n");
    }
    for (const char* since : {"@9999999999", "2100-01-01", "2100-01-01T00:00"}) {
        INFO(since);
        CHECK(logs({"--since", since}).out.empty());
    }
    for (const char* since :
         {"25:00", "14:", "@", "@x", "2026-13-01", "2026-11-28T", "2026-11-28T14", "-"}) {
        const Ran refused = logs({"--since", since});
        INFO(refused);
        CHECK(refused.code == 125);
    }
}

TEST_CASE("the logs of more tasks than there are descriptors")
{
    const Lab lab;
    std::string expected;
    for (int i = 1; i <= 20; ++i) {
        lab.start({"--name", "t" + std::to_string(i), "-c", "echo here"});
        expected += (i < 10 ? "t" + std::to_string(i) + "  | here\n"
                            : "t" + std::to_string(i) + " | here\n");
    }
    REQUIRE(lab({"wait", "--all"}).code == 0);
    for (const Words& how : {Words{"logs", "--all"}, Words{"logs", "--all", "--json"}}) {
        Words words{"sh", "-c", "ulimit -n 32; exec \"$@\"", "sh", BGT_BINARY};
        words.insert(words.end(), how.begin(), how.end());
        const Ran ran = run(lab.program(words), 20s);
        INFO(ran);
        CHECK(ran.code == 0);
        CHECK(ran.err.empty());
        if (how.size() == 2) CHECK(ran.out == expected);
    }
}

TEST_CASE("the output of one attempt")
{
    const Lab lab;
    const std::string script = "echo up $BGT_ATTEMPT; echo err $BGT_ATTEMPT >&2; read end";
    const std::string id = lab.start({"--stdin", "pipe", "--split", "--name", "web", "-c", script});
    REQUIRE(lab({"wait", "web", "--for", "log:up 1", "--timeout", "10s"}).code == 0);
    REQUIRE(lab({"restart", "web"}).code == 0);
    CHECK(lab({"wait", "web", "--for", "log:(up|err) 1", "--timeout", "0"}).code == 124);
    CHECK(lab({"wait", "web", "--for", "log:up 1", "--attempt", "all", "--timeout", "0"}).code ==
          0);
    CHECK(lab({"wait", "web", "--for", "log:err 1", "--attempt", "1", "--timeout", "0"}).code == 0);
    CHECK(lab({"wait", "web", "--for", "log:up 2", "--timeout", "10s"}).code == 0);
    CHECK(lab({"wait", "web", "--for", "log:err 2", "--timeout", "10s"}).code == 0);
    CHECK(lab({"wait", "web", "--for", "log:up 2", "--attempt", "1", "--timeout", "0"}).code ==
          124);
    CHECK(lab({"wait", "web", "--for", "log:up", "--attempt", "3", "--timeout", "0"}).code == 125);
    CHECK(lab({"logs", "web"}).out == "up 1\nup 2\n");
    CHECK(lab({"logs", "web", "--attempt", "all"}).out == "up 1\nup 2\n");
    CHECK(lab({"logs", "web", "--attempt", "1"}).out == "up 1\n");
    CHECK(lab({"logs", "web", "--attempt", "1", "-n", "5"}).out == "up 1\n");
    CHECK(lab({"logs", "web", "--attempt", "2", "-n", "5"}).out == "up 2\n");
    CHECK(lab({"logs", "web", "--attempt", "last"}).out == "up 2\n");
    CHECK(lab({"logs", "web", "--attempt", "last", "--stderr"}).out == "err 2\n");
    CHECK(lab({"logs", "web", "--attempt", "1", "-f"}).out == "up 1\n");
    CHECK(text_at(lab.ask({"logs", "web", "--attempt", "2"}).as_object(), "/logs/0/text") ==
          "up 2\n");
    CHECK(text_at(lab.ask({"logs", "web", "--attempt", "1"}).as_object(), "/logs/0/text") ==
          "up 1\n");
    // Without --split as well.
    lab.start({"--stdin", "pipe", "--name", "one", "-c", "echo up $BGT_ATTEMPT; read end"});
    REQUIRE(lab({"wait", "one", "--for", "log:up 1", "--timeout", "10s"}).code == 0);
    REQUIRE(lab({"restart", "one"}).code == 0);
    CHECK(lab({"wait", "one", "--for", "log:up 1", "--attempt", "1", "--timeout", "0"}).code == 0);
    for (const char* bad : {"0", "x", "-1", "3", ""}) {
        const Ran refused = lab({"logs", "web", "--attempt", bad});
        INFO(refused);
        CHECK(refused.code == 125);
    }
}

TEST_CASE("progress that is printed is in every answer")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo '[3/10] Building a'; exec sleep 1000"});
    const std::string footer = lab.start({"-c", "printf -- '----[1/1]-\\n'; exec sleep 1000"});
    REQUIRE(lab.logged(id, "Building"));
    REQUIRE(lab.logged(footer, "1/1"));
    CHECK(at(lab.ask({"ps", id}), "/tasks/0/progress/fraction").as_double() == Approx(0.3));
    CHECK(at(lab.show(id), "/progress/fraction").as_double() == Approx(0.3));
    CHECK(lab({"show", id}).out.find("30%") != std::string::npos);
    CHECK(lab({"ps", "--format", "{progress}", id}).out == "30%\n");
    CHECK(at(lab.show(footer), "/progress/fraction").is_null());
    CHECK(lab({"ps", "--format", "{progress}", footer}).out == "\n");
    Words words{"env",
                "TERM=xterm",
                "script",
                "-qfec",
                std::string(BGT_BINARY) + " wait --timeout 1 " + id,
                "/dev/null"};
    const Ran live = run(lab.program(words), 20s);
    INFO(live);
    CHECK(live.out.find("30%") != std::string::npos);
}

TEST_CASE("the times of lines cost little", "[slow]")
{
    const Lab lab;
    REQUIRE(lab({"run", "--wait", "-c", "seq 1000000 > /dev/stdout"}, 60s).code == 0);
    const auto fastest = [&](const char* option) {
        auto best = std::chrono::milliseconds::max();
        for (int i = 0; i < 3; ++i) {
            const Ran ran =
                run(lab.program({"sh", "-c",
                                 std::string(BGT_BINARY) + " logs " + option + " 1 > /dev/null"}),
                    60s);
            REQUIRE(ran.code == 0);
            best = std::min(best, std::chrono::duration_cast<std::chrono::milliseconds>(ran.took));
        }
        return best;
    };
    const auto plain = fastest(""), stamped = fastest("-t");
    INFO(plain.count() << " ms, with times " << stamped.count() << " ms");
    CHECK(stamped < 6 * plain); // 2 and less on a machine that does nothing else
}

TEST_CASE("logs -f by name goes on with the task that replaces another")
{
    const Lab lab;
    const std::string first = lab.start({"--name", "web", "-c", "echo first; exec sleep 1000"});
    Child follow(lab.bgt({"logs", "-f", "web"}));
    REQUIRE(follow.says("first\n"));
    const std::string second =
        lab.start({"--name", "web", "--replace", "--stdin", "pipe", "-c", "echo second; read end"});
    REQUIRE(follow.says("second\n"));
    REQUIRE(lab({"send", second, "--eof"}).code == 0);
    const Ran ran = follow.finish();
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.out == "first\nsecond\n");
    CHECK(ran.err.find("replaced by task " + second) != std::string::npos);
}
