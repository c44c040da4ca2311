#include <bgt/core/condition.hpp>

#include "support/catch.hpp"

#include <set>

using namespace bgt;
using namespace bgt::core;
using Kind = Condition::Kind;

namespace {

Condition parsed(const std::string& text)
{
    INFO(text);
    Result<Condition> condition = parse_condition(text, "/here");
    if (!condition) FAIL(condition.error().message);
    return *condition;
}

std::string refused(const std::string& text)
{
    INFO(text);
    const Result<Condition> condition = parse_condition(text, "/here");
    REQUIRE_FALSE(condition);
    CHECK(condition.error().kind == ErrorKind::usage);
    CHECK_FALSE(condition.error().message.empty());
    return condition.error().message;
}

} // namespace

TEST_CASE("Conditions of the task")
{
    CHECK(parsed("exit").kind() == Kind::exit);
    CHECK(parsed("exit=0").kind() == Kind::exit_zero);
    CHECK(parsed("exit").is_exit());
    CHECK_FALSE(parsed("port").is_exit());
    CHECK(parsed("port").port == 0);
    CHECK(parsed("port:5173").port == 5173);
    CHECK(parsed("port:5173").before == "it listened on port 5173");
    const Condition log = parsed("log:ready in \\d+ ms: .*");
    CHECK(log.row->word == "log:");
    CHECK(log.pattern->matches("  ready in 42 ms: http://localhost"));
    CHECK_FALSE(log.pattern->matches("ready"));
}

TEST_CASE("Conditions of the outside")
{
    CHECK(parsed("tcp:example.org:443").text == "example.org");
    CHECK(parsed("tcp:example.org:443").port == 443);
    CHECK(parsed("tcp::80").text == "localhost");
    CHECK(parsed("tcp:80").text == "localhost");
    CHECK(parsed("tcp:[::1]:80").text == "::1");
    CHECK(parsed("tcp:80").observes(Observation::probe));
    CHECK(parsed("file:out/ready").text == "/here/out/ready");
    CHECK(parsed("file:/tmp/x:y").text == "/tmp/x:y");
    CHECK(parsed("cmd:test -e a:b").text == "test -e a:b");
}

TEST_CASE("Conditions of the record and of the output")
{
    CHECK(parsed("ready").kind() == Kind::ready);
    CHECK(parsed("stalled").row->word == "stalled");
    CHECK(parsed("waiting-input").row->word == "waiting-input");
    for (const char* text : {"ready", "stalled", "waiting-input", "progress=1"})
        CHECK(parsed(text).observes(Observation::record));
    for (const char* text : {"exit", "log:x", "port", "quiet:5s", "tcp:80"})
        CHECK_FALSE(parsed(text).observes(Observation::record));
    CHECK(parsed("log-fail:E[0-9]+").row->word == "log-fail:");
    CHECK(parsed("log-fail:E[0-9]+").pattern->matches("E42"));
    CHECK(parsed("log-fail:x").is_guard());
    CHECK_FALSE(parsed("log:x").is_guard());
    CHECK(parsed("quiet:1m30s").span == std::chrono::seconds(90));
    CHECK(parsed("unix:run/sock").text == "/here/run/sock");
    CHECK(parsed("unix:/run/sock").text == "/run/sock");
    CHECK(parsed("unix:@name").text == "@name");
}

TEST_CASE("Progress as a percentage or a fraction")
{
    CHECK(parsed("progress=40%").fraction == Approx(0.4));
    CHECK(parsed("progress=0.4").fraction == Approx(0.4));
    CHECK(parsed("progress=40").fraction == Approx(0.4));
    CHECK(parsed("progress=1").fraction == Approx(1));
    CHECK(parsed("progress=1%").fraction == Approx(0.01));
    CHECK(parsed("progress=100").fraction == Approx(1));
    CHECK(parsed("progress=0").fraction == 0);
}

TEST_CASE("Conditions that are waited to be gone")
{
    CHECK(parsed("gone:port:80").gone);
    CHECK(parsed("gone:port:80").row->word == "port:");
    CHECK(parsed("gone:port:80").before == "port:80 was gone");
    for (const char* text :
         {"gone:tcp:80", "gone:http:localhost=200", "gone:unix:/x", "gone:file:x", "gone:cmd:true"})
        CHECK(parsed(text).gone);
    CHECK_FALSE(parsed("file:x").gone);
}

TEST_CASE("URLs with and without a status")
{
    CHECK(parsed("http:localhost:3000/a").url.port == 3000);
    CHECK_FALSE(parsed("http:localhost:3000/a").status);
    CHECK(parsed("http:http://localhost:3000/a=404").status == 404);
    CHECK(parsed("http:http://localhost:3000/a=404").url.target == "/a");
    CHECK(parsed("http://localhost:3000/a").url.host == "localhost");
    CHECK(parsed("http::3000=503").status == 503);
    CHECK_FALSE(parsed("http:localhost/?id=200").status);
    CHECK(parsed("http:localhost/?id=200").url.target == "/?id=200");
    CHECK(parsed("http:localhost/?id=200=204").status == 204);
    for (const char* text : {"https://localhost:1/x=204", "https:localhost:1/x=204",
                             "https:https://localhost:1/x=204", "http:https://localhost:1/x=204"}) {
        const core::Condition condition = parsed(text);
        CHECK(condition.url.tls);
        CHECK(condition.url.port == 1);
        CHECK(condition.url.target == "/x");
        CHECK(condition.status == 204);
        CHECK(condition.before == "https://localhost:1/x answered 204");
    }
    CHECK_FALSE(parsed("http:localhost/?a=1&b=200").status);
    CHECK_FALSE(parsed("http:localhost/a=2000").status);
}

TEST_CASE("What is no condition is refused with a reason")
{
    CHECK(refused("").find("log:REGEX") != std::string::npos);
    CHECK(refused("ready-or-not").find("log:REGEX") != std::string::npos);
    CHECK(refused("exit=1").find("unknown") != std::string::npos);
    CHECK_FALSE(refused("https:").empty());
    CHECK(refused("https:http://x").find("only http:// and https:// are known") !=
          std::string::npos);
    CHECK(refused("log:a(b").find("missing )") != std::string::npos);
    for (const char* text : {"log:",
                             "port:",
                             "port:0",
                             "port:65536",
                             "port:-1",
                             "port:8a",
                             "tcp:",
                             "tcp:host",
                             "tcp:host:",
                             "tcp:a b:80",
                             "http:",
                             "http:host:99999/",
                             "file:",
                             "cmd:",
                             "Exit",
                             "log-fail:",
                             "log-fail:(",
                             "unix:",
                             "progress",
                             "progress=",
                             "progress=-1",
                             "progress=101",
                             "progress=nan",
                             "progress=4 ",
                             "progress=1e1",
                             "progress=200%",
                             "progress=%",
                             "quiet:",
                             "quiet:x",
                             "quiet:-1s",
                             "gone:",
                             "gone:port",
                             "gone:exit",
                             "gone:log:x",
                             "gone:gone:file:x",
                             "gone:quiet:1s",
                             "gone:PID",
                             "mem",
                             "mem>",
                             "mem>x",
                             "mem>-1",
                             "mem>5KB",
                             "mem<5K",
                             "cpu",
                             "cpu<",
                             "cpu<5",
                             "cpu<5%",
                             "cpu<:5s",
                             "cpu<0:5s",
                             "cpu<-1:5s",
                             "cpu<nan:5s",
                             "cpu<5%%:5s",
                             "cpu<5%:",
                             "cpu<5%:x",
                             "cpu<5%:100ms",
                             "gone:cpu<5%:1s",
                             "gone:mem>1",
                             "ready:",
                             "stalled=1",
                             " exit",
                             "port:5 "})
        refused(text);
    CHECK(refused(std::string("bad\x1b[2J\n")).find('\x1b') == std::string::npos);
}

TEST_CASE("Memory above a size")
{
    const Condition condition = parsed("mem>512M");
    CHECK(condition.bytes == 512u << 20);
    CHECK(condition.before == "it used more than 512MiB of memory");
    CHECK(condition.row->judge(condition, fact::Memory{512u << 20}) == ConditionState::open);
    CHECK(condition.row->judge(condition, fact::Memory{(512u << 20) + 1}) == ConditionState::met);
    CHECK_FALSE(condition.can_make_ready());
}

TEST_CASE("Little CPU for some time")
{
    using namespace std::chrono_literals;
    CHECK(parsed("cpu<250:1m").fraction == Approx(2.5));
    const Condition condition = parsed("cpu<5%:10s");
    CHECK(condition.fraction == Approx(0.05));
    CHECK(condition.span == 10s);
    CHECK(condition.before == "it used less than 5% of a core for 10s");
    std::vector<fact::CpuTotal> totals;
    const auto after = [&](Duration at, Duration used) {
        totals.push_back({Instant(1000s + at), used});
        return condition.row->judge(condition, fact::Cpu{totals});
    };
    CHECK(after(0s, 0s) == ConditionState::open);
    CHECK(after(9s, 0s) == ConditionState::open); // nothing, but not for long enough
    CHECK(after(10s, 500ms) == ConditionState::open);
    CHECK(after(11s, 500ms) == ConditionState::met); // 500 ms since the look 11 s ago
    totals.clear();
    CHECK(after(0s, 0s) == ConditionState::open);
    CHECK(after(5s, 5s) == ConditionState::open);
    CHECK(after(10s, 5s) == ConditionState::open);
    CHECK(after(14s, 5s) == ConditionState::open);
    CHECK(after(15s, 5400ms) ==
          ConditionState::met); // what was before the last 10 s does not count
}

TEST_CASE("What follows from the table")
{
    CHECK(condition_forms() == "exit, exit=0, ready, log:REGEX, log-fail:REGEX, port, port:N, "
                               "tcp:HOST:N, http:URL[=STATUS], https:URL[=STATUS], "
                               "unix:PATH, file:PATH, cmd:COMMAND, gone:CONDITION, progress=N, "
                               "quiet:D, mem>SIZE, cpu<PERCENT:D, stalled, waiting-input");
    CHECK(refused("gone:exit")
              .find("port:N, tcp:HOST:N, http:URL[=STATUS], https:URL[=STATUS], unix:PATH, "
                    "file:PATH and cmd:COMMAND") != std::string::npos);
    const std::vector<std::string> words = condition_words();
    CHECK(std::set<std::string>(words.begin(), words.end()).size() == words.size());
    for (const ConditionRow& row : condition_table()) {
        INFO(row.word);
        CHECK(row.argument.empty() == (row.parse == nullptr));
        CHECK(row.argument.empty() == (row.before.find("{}") == std::string_view::npos));
        CHECK((row.observes.empty() || row.observes.has(Observation::probe)) ==
              (row.judge == nullptr));
        if (!row.argument.empty())
            CHECK(refused(std::string(row.word)).find(row.argument) != std::string::npos);
    }
}
