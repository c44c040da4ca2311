#include <bgt/supervise/condition.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>
#include <bgt/os/clock.hpp>

#include "support/task_folder.hpp"

#include <sys/stat.h>

using namespace bgt;
using namespace bgt::supervise;
using bgt::test::TaskFolder;
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
    CHECK(parsed("exit").kind == Kind::exit);
    CHECK(parsed("exit=0").kind == Kind::exit_zero);
    CHECK(parsed("exit").is_exit());
    CHECK_FALSE(parsed("port").is_exit());
    CHECK(parsed("port").port == 0);
    CHECK(parsed("port:5173").port == 5173);
    CHECK(parsed("port:5173").before == "it listened on port 5173");
    const Condition log = parsed("log:ready in \\d+ ms: .*");
    CHECK(log.kind == Kind::log);
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
    CHECK(parsed("tcp:80").is_outside());
    CHECK(parsed("file:out/ready").text == "/here/out/ready");
    CHECK(parsed("file:/tmp/x:y").text == "/tmp/x:y");
    CHECK(parsed("cmd:test -e a:b").text == "test -e a:b");
}

TEST_CASE("Conditions of the record and of the output")
{
    CHECK(parsed("ready").kind == Kind::ready);
    CHECK(parsed("stalled").kind == Kind::stalled);
    CHECK(parsed("waiting-input").kind == Kind::waiting_input);
    for (const char* text : {"ready", "stalled", "waiting-input", "progress=1"}) CHECK(parsed(text).is_recorded());
    for (const char* text : {"exit", "log:x", "port", "quiet:5s", "tcp:80"}) CHECK_FALSE(parsed(text).is_recorded());
    CHECK(parsed("log-fail:E[0-9]+").kind == Kind::log_fail);
    CHECK(parsed("log-fail:E[0-9]+").pattern->matches("E42"));
    CHECK(parsed("log-fail:x").is_guard());
    CHECK_FALSE(parsed("log:x").is_guard());
    CHECK(parsed("quiet:1m30s").quiet == std::chrono::seconds(90));
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
    CHECK(parsed("gone:port:80").kind == Kind::port);
    CHECK(parsed("gone:port:80").before == "port:80 was gone");
    for (const char* text : {"gone:tcp:80", "gone:http:localhost=200", "gone:unix:/x", "gone:file:x", "gone:cmd:true"})
        CHECK(parsed(text).gone);
    CHECK_FALSE(parsed("file:x").gone);
    CHECK_FALSE(holds(parsed("gone:file:/"), Duration::zero()));
    CHECK(holds(parsed("gone:file:/no/such/file"), Duration::zero()));
    CHECK(holds(parsed("gone:unix:/no/such/socket"), Duration::zero()));
    CHECK(holds(parsed("gone:cmd:exit 3"), std::chrono::seconds(20)));
    CHECK_FALSE(holds(parsed("gone:cmd:exit 0"), std::chrono::seconds(20)));
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
    CHECK_FALSE(parsed("http:localhost/?a=1&b=200").status);
    CHECK_FALSE(parsed("http:localhost/a=2000").status);
}

TEST_CASE("What is no condition is refused with a reason")
{
    CHECK(refused("").find("log:REGEX") != std::string::npos);
    CHECK(refused("ready-or-not").find("log:REGEX") != std::string::npos);
    CHECK(refused("exit=1").find("unknown") != std::string::npos);
    CHECK(refused("https://localhost").find("cmd:") != std::string::npos);
    CHECK(refused("log:a(b").find("missing )") != std::string::npos);
    for (const char* text : {"log:", "port:", "port:0", "port:65536", "port:-1", "port:8a", "tcp:", "tcp:host", "tcp:host:",
                             "tcp:a b:80", "http:", "http:host:99999/", "file:", "cmd:", "Exit", "log-fail:", "log-fail:(", "unix:",
                             "progress", "progress=", "progress=-1", "progress=101", "progress=nan", "progress=4 ", "progress=1e1",
                             "progress=200%", "progress=%", "quiet:", "quiet:x", "quiet:-1s", "gone:", "gone:port", "gone:exit",
                             "gone:log:x", "gone:gone:file:x", "gone:quiet:1s", "gone:PID", "ready:", "stalled=1", " exit", "port:5 "})
        refused(text);
    CHECK(refused(std::string("bad\x1b[2J\n")).find('\x1b') == std::string::npos);
}

TEST_CASE("A file that exists")
{
    TaskFolder folder;
    const Condition condition = parsed("file:" + folder.path("ready"));
    CHECK_FALSE(holds(condition, Duration::zero()));
    folder.write("ready", "");
    CHECK(holds(condition, Duration::zero()));
}

TEST_CASE("A prober answers once its command succeeds")
{
    TaskFolder folder;
    Result<Prober> prober = Prober::start(parsed("cmd:test -e " + folder.path("ready")));
    REQUIRE(prober);
    Result<os::Watch> watch = os::Watch::create();
    REQUIRE(watch);
    watch->add_fd(prober->fd());
    Result<os::Watch::Wake> wake = watch->wait(os::now() + std::chrono::milliseconds(1));
    REQUIRE(wake);
    CHECK(wake->fds.empty());
    folder.write("ready", "");
    wake = watch->wait(os::now() + std::chrono::seconds(20));
    REQUIRE(wake);
    REQUIRE(wake->fds.size() == 1);
    Result<bool> answer = prober->answer();
    REQUIRE(answer);
    CHECK(*answer);
}

TEST_CASE("The end of a prober ends its command")
{
    TaskFolder folder;
    const std::string fifo = folder.path("fifo");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    const Fd reader(open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    {
        Result<Prober> prober = Prober::start(parsed("cmd:exec 3>" + fifo + "; echo started >&3; sleep 1000"));
        REQUIRE(prober);
        Result<os::Watch> watch = os::Watch::create();
        REQUIRE(watch);
        watch->add_fd(reader.get());
        Result<os::Watch::Wake> wake = watch->wait(os::now() + std::chrono::seconds(20));
        REQUIRE(wake);
        REQUIRE_FALSE(wake->timed_out);
    }
    // Nobody holds the other end any more: end-of-file after what was written.
    char bytes[64];
    Result<os::Watch> watch = os::Watch::create();
    REQUIRE(watch);
    watch->add_fd(reader.get());
    ssize_t got = 1;
    const Instant deadline = os::now() + std::chrono::seconds(20);
    while (got != 0 && os::now() < deadline) {
        REQUIRE(watch->wait(deadline));
        got = read(reader.get(), bytes, sizeof bytes);
    }
    CHECK(got == 0);
}

TEST_CASE("Output is handed out line by line, each byte read once")
{
    TaskFolder folder;
    Result<OutputMatcher> matcher = OutputMatcher::open(folder.dir(), 0, 0);
    REQUIRE(matcher);
    std::vector<std::string> lines;
    const auto scan = [&] {
        Result<bool> more = matcher->scan([&](std::string_view line) { lines.emplace_back(line); });
        REQUIRE(more);
        CHECK_FALSE(*more);
    };
    scan();
    CHECK(lines.empty());
    Result<os::Watch> watch = os::Watch::create();
    REQUIRE(watch);
    REQUIRE(matcher->watch(*watch, folder.dir()));
    folder.write("out.log", "one\n\x1b[32mready\x1b[0m on po");
    Result<os::Watch::Wake> wake = watch->wait(os::now() + std::chrono::seconds(20));
    REQUIRE(wake);
    CHECK_FALSE(wake->timed_out);
    REQUIRE(matcher->renew(*watch, folder.dir()));
    scan();
    CHECK(lines == std::vector<std::string>{"one", "ready on po"});
    folder.write("out.log", "rt 80\n");
    wake = watch->wait(os::now() + std::chrono::seconds(20));
    REQUIRE(wake);
    CHECK_FALSE(wake->timed_out);
    lines.clear();
    scan();
    CHECK(lines == std::vector<std::string>{"ready on port 80"});
    lines.clear();
    scan();
    CHECK(lines.empty());
}
