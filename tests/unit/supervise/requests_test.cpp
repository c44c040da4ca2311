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

TEST_CASE("a supervisor that took over does not start the command again")
{
    Asked asked(true);
    CHECK(asked(Request::Op::restart).error.find("took over") != std::string::npos);
    CHECK(asked.sink.events.empty());
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
