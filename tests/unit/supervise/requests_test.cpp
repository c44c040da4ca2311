#include "fakes.hpp"

#include "supervise/notifications.hpp"
#include "supervise/requests.hpp"
#include <bgt/os/clock.hpp>
#include <bgt/supervise/owner_watch.hpp>

#include <boost/asio/io_context.hpp>

using namespace bgt;
using namespace bgt::supervise;
using namespace bgt::supervise::test;

namespace {

struct Asked final : RequestTarget {
    explicit Asked(bool adopted = false)
        : requests(!adopted, tree, records.recorder, reports, sink, *this)
    {}
    Story story;
    Records records;
    Helpers helpers;
    FakeTree tree{helpers, story};
    FakeReports reports{story};
    FakeSink sink;
    Requests requests;
    void close_stdin() override { story.tell("close-stdin"); }
    void watch_readiness_again() override { story.tell("watch-readiness"); }
    std::string pause_watch() override
    {
        story.tell("pause-watch");
        return "it watches no files";
    }
    void resume_watch() override { story.tell("resume-watch"); }
    void pass(Duration) override { story.tell("pass"); }
    Answer operator()(Request::Op op)
    {
        Request request;
        request.op = op;
        request.signal = 12;
        return requests.answer(request);
    }
};

struct Notified final : NotificationTarget {
    Story story;
    Records records;
    Helpers helpers;
    FakeTree tree{helpers, story};
    FakeClock clock;
    FakeSink sink;
    Notifications notifications{tree, clock, records.recorder, sink, *this};
    void heartbeat() override { story.tell("beat"); }
    void announced_ready() override { story.tell("ready"); }
    bool operator()(std::int32_t pid, const std::string& bytes)
    {
        os::Datagram message;
        message.pid = pid;
        message.bytes = bytes;
        return notifications.take(message);
    }
};

} // namespace

TEST_CASE("requests become events, or say why not")
{
    Asked asked;
    CHECK(asked(Request::Op::stop).error.empty());
    CHECK(asked.sink.got<core::StopRequested>());
    CHECK(asked(Request::Op::pause).error.empty());
    CHECK(asked.sink.got<core::PauseRequested>());
    asked.sink.at.phase = core::Ended{};
    CHECK(asked(Request::Op::pause).error == "it is not running");
    CHECK(asked(Request::Op::restart).error.find("bgt retry") != std::string::npos);
}

TEST_CASE("a request about watched files is passed on")
{
    Asked asked;
    CHECK(asked(Request::Op::watch_pause).error == "it watches no files");
    CHECK(asked(Request::Op::resume).error.empty());
    CHECK(asked.story.take() == "pause-watch resume-watch");
}

TEST_CASE("a supervisor that took over does not start the command again")
{
    Asked asked(true);
    CHECK(asked(Request::Op::restart).error.find("took over") != std::string::npos);
    CHECK(asked.sink.events.empty());
}

TEST_CASE("after a sample the log has what was said before it")
{
    Asked asked;
    CHECK(asked(Request::Op::sample).error.empty());
    CHECK(asked.sink.got<core::SampleRequested>());
    CHECK(asked.story.take() == "pass");
}

TEST_CASE("a report is about the time between two samples, and its number is the answer")
{
    Asked asked;
    asked.reports.number = 4;
    CHECK(asked(Request::Op::report).count == 4);
    CHECK(asked.story.take() == "pass report:self");
    CHECK(asked.sink.events.size() == 2);
    asked.reports.number.reset();
    CHECK_FALSE(asked(Request::Op::report).error.empty());
}

TEST_CASE(
    "a signal goes to the main process alone, where it lives; the end of stdin is put on record")
{
    Asked asked;
    asked.tree.living = {10, 11};
    asked.records.recorder.status().main_process = {10, 1};
    CHECK(asked(Request::Op::signal).count == 1);
    asked.tree.living = {11};
    CHECK_FALSE(asked(Request::Op::signal).error.empty());
    CHECK(asked(Request::Op::stdin_eof).error.empty());
    CHECK(asked.records.saved().stdin_closed);
    CHECK(asked.story.take() == "signal:12x1 close-stdin");
}

TEST_CASE("a notification of the tree is put on record and passed on")
{
    Notified task;
    CHECK(task(10, "STATUS=linking\nREADY=1\n"));
    CHECK(task.story.take() == "beat ready");
    CHECK(task.records.saved().text == "linking");
    CHECK(task(10, "WATCHDOG_USEC=1000000\nEXTEND_TIMEOUT_USEC=5000000"));
    CHECK(task.sink.got<core::WatchdogSet>());
    CHECK(task.sink.got<core::Extended>());
}

TEST_CASE(
    "a stranger's notifications are refused, with one event for a flood; so are malformed ones")
{
    Notified task;
    for (int i = 0; i < 3; ++i) CHECK_FALSE(task(99, "READY=1"));
    CHECK(task.story.take() == "");
    const std::string refused = task.records.events();
    CHECK(refused.find("notification-refused") == refused.rfind("notification-refused"));
    CHECK(task(10, "nonsense"));
    CHECK(task.story.take() == "");
    CHECK(task.records.events().find("notification-malformed") != std::string::npos);
}

TEST_CASE("a flood of what a task says of itself leaves room for other events, and is counted")
{
    constexpr int flood = 1000;
    Notified task;
    task.tree.living = {10, 11};
    const auto count = [&](const std::string& event) {
        const std::string all = task.records.events(), word = "\"event\":\"" + event + "\"";
        int found = 0;
        for (std::size_t at = 0; (at = all.find(word, at)) != all.npos; ++at) ++found;
        return found;
    };
    SECTION("STOPPING=1")
    {
        for (int i = 0; i < flood; ++i) task(10, "STOPPING=1");
        CHECK(count("stopping") == 20);
    }
    SECTION("MAINPID, to and fro")
    {
        for (int i = 0; i < flood; ++i) task(10, i % 2 == 0 ? "MAINPID=10" : "MAINPID=11");
        CHECK(count("main-pid") == 20);
    }
    SECTION("MAINPID, the same")
    {
        for (int i = 0; i < flood; ++i) task(10, "MAINPID=11");
        CHECK(count("main-pid") == 1);
        return; // nothing new was said
    }
    SECTION("lines of the log")
    {
        for (int i = 0; i < 10'000 + flood; ++i) task(10, "X_BGT_LOG=info x");
        CHECK(count("log") == 10'000);
        task.records.recorder.event("ended");
        CHECK(task.records.events().find("\"events_dropped_before\":1000") != std::string::npos);
        return;
    }
    SECTION("WATCHDOG=trigger: each makes a report; another attempt is another matter")
    {
        for (int i = 0; i < flood; ++i) task(10, "WATCHDOG=trigger");
        CHECK(task.sink.events.size() == 3);
        task.records.recorder.status().attempt = 2;
        task(10, "WATCHDOG=trigger");
        CHECK(task.sink.events.size() == 4);
    }
    task.records.recorder.event("ended");
    CHECK(task.records.events().find("\"events_dropped_before\":9") != std::string::npos);
    task.records.recorder.event("more");
    CHECK(task.records.events().rfind("dropped_before") <
          task.records.events().rfind("\"event\":\"more\""));
}

TEST_CASE("steps are told in the stream at once, and a flood of them is counted")
{
    Records records;
    bgt::test::TaskFolder root;
    records.recorder.publish(root.dir().fd(), store::TaskId{7}, "web", core::EventLevel::info);
    for (int i = 0; i < 1000; ++i) {
        core::Progress progress;
        progress.step = "step " + std::to_string(i);
        if (i % 2 == 0) progress.fraction = 1; // done, again and again
        else progress.fraction = 0.5;
        records.recorder.put(progress);
    }
    records.recorder.event("ended");
    store::EventReader stream(root.dir().fd());
    int told = 0;
    std::int64_t dropped = 0;
    while (true) {
        const auto item = stream.next();
        REQUIRE(item);
        if (!*item) break;
        if ((*item)->event.type == "progress") ++told;
        dropped += (*item)->event.number("events_dropped_before").value_or(0);
    }
    CHECK(told >= 100);
    CHECK(told < 200);
    CHECK(told + dropped == 1000);
}

TEST_CASE("an owner that is gone already ends the task at once, and one that lives does not")
{
    boost::asio::io_context io;
    FakeSink sink;
    OwnerWatch gone(io, sink);
    gone.watch({1 << 22, 1}); // beyond every pid
    io.run();
    CHECK(sink.got<core::StopRequested>());
    FakeSink quiet;
    OwnerWatch living(io, quiet);
    living.watch(os::own_key());
    io.restart();
    io.poll();
    CHECK(quiet.events.empty());
}

TEST_CASE("a scope that is gone, or of another boot, ends the task, and one that lives does not")
{
    const auto asks_for_stop = [](const core::ScopeChain& scopes) {
        boost::asio::io_context io;
        FakeSink sink;
        OwnerWatch watch(io, sink);
        watch.watch_scopes(scopes);
        io.poll();
        return !sink.events.empty();
    };
    const ProcessKey living = os::own_key(), gone{1 << 22, 1};
    CHECK_FALSE(asks_for_stop({}));
    CHECK_FALSE(asks_for_stop({os::boot_id(), {living, living}}));
    CHECK(asks_for_stop({os::boot_id(), {gone, living}}));
    CHECK(asks_for_stop({os::boot_id(), {living, gone}}));
    CHECK(asks_for_stop({{}, {living}}));
    CHECK_FALSE(ended_scope({os::boot_id(), {living}}));
    CHECK(ended_scope({os::boot_id(), {living, gone}}) == gone.pid);
    CHECK(ended_scope({{}, {living}}) == living.pid);
}
