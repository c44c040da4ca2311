#include <bgt/os/clock.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/supervise/condition_probe.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>

#include "support/task_folder.hpp"

#include <csignal>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::supervise;
using bgt::test::TaskFolder;

namespace {

core::Condition parsed(const std::string& text)
{
    INFO(text);
    Result<core::Condition> condition = core::parse_condition(text, "/here");
    if (!condition) FAIL(condition.error().message);
    return *condition;
}

bool holds(const core::Condition& condition, Duration timeout)
{
    return probe(condition, timeout).yes;
}

} // namespace

TEST_CASE("What is waited to be gone is asked the other way round")
{
    CHECK_FALSE(holds(parsed("gone:file:/"), Duration::zero()));
    CHECK(holds(parsed("gone:file:/no/such/file"), Duration::zero()));
    CHECK(holds(parsed("gone:unix:/no/such/socket"), Duration::zero()));
    CHECK(holds(parsed("gone:cmd:exit 3"), std::chrono::seconds(20)));
    CHECK_FALSE(holds(parsed("gone:cmd:exit 0"), std::chrono::seconds(20)));
}

TEST_CASE("A file that exists")
{
    TaskFolder folder;
    const core::Condition condition = parsed("file:" + folder.path("ready"));
    CHECK_FALSE(probe(condition, Duration::zero()).yes);
    folder.write("ready", "");
    CHECK(probe(condition, Duration::zero()).yes);
}

TEST_CASE("A prober answers once its command succeeds")
{
    TaskFolder folder;
    Result<Prober> prober = Prober::start(parsed("cmd:test -e " + folder.path("ready")));
    REQUIRE(prober);
    Result<core::fact::Answered> answer = prober->answer();
    REQUIRE(answer);
    CHECK_FALSE(answer->yes);
    CHECK(answer->text == "exit 1");
    folder.write("ready", "");
    answer = prober->answer(); // the same answer is not told twice
    REQUIRE(answer);
    CHECK(answer->yes);
}

TEST_CASE("A prober that is killed is an error, not an answer")
{
    Result<Prober> prober = Prober::start(parsed("unix:/no/such/socket"));
    REQUIRE(prober);
    for (const os::ProcStat& child : os::descendants_of(getpid())) kill(child.key.pid, SIGKILL);
    CHECK_FALSE(prober->answer());
}

TEST_CASE("The end of a prober ends its command")
{
    TaskFolder folder;
    const std::string fifo = folder.path("fifo");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    const Fd reader(open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    {
        Result<Prober> prober =
            Prober::start(parsed("cmd:exec 3>" + fifo + "; echo started >&3; sleep 1000"));
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
