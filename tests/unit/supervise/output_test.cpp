#include "fakes.hpp"

#include "supervise/output.hpp"
#include <bgt/supervise/readiness.hpp>

#include <boost/asio/io_context.hpp>
#include <unistd.h>

using namespace bgt;
using namespace bgt::supervise;
using namespace bgt::supervise::test;

namespace {

/// The output of a task without a process: the test writes it.
struct Written {
    Records records;
    store::TaskSpec spec;
    Helpers helpers;
    FakeSink sink;
    boost::asio::io_context io;
    LogPump pump = opened();
    Fd command = std::move(*pump.writer());
    Observer observer{records.folder.dir().fd(), spec};
    Output::Stream out{io, ::dup(pump.fifo())}, err{io};
    Output output{
        {io, pump, nullptr, out, err, -1, false, records.recorder, observer, helpers, sink}};

    LogPump opened()
    {
        auto made = LogPump::open(records.folder.dir(), LogPump::out_files, 64 << 10, 0);
        REQUIRE(made);
        return std::move(*made);
    }
    void write(const std::string& text)
    {
        REQUIRE(::write(command.get(), text.data(), text.size()) ==
                static_cast<ssize_t>(text.size()));
    }
};

} // namespace

TEST_CASE("output goes to the log as it comes, and ends a silence that was told")
{
    Written task;
    task.output.watch();
    task.write("hello\n");
    task.io.run_one();
    CHECK(task.pump.log_bytes() == 6);
    CHECK(task.sink.events.empty()); // nobody waits for output
    task.sink.at.hang_state.quiet = true;
    task.write("again\n");
    task.io.run_one();
    CHECK(task.sink.got<core::SampleRequested>());
    CHECK(task.observer.signs().byte);
}

TEST_CASE("an attempt's output has its own range, and draining takes all of it")
{
    Written task;
    task.write("first\n");
    task.output.take_all();
    task.output.begin_attempt();
    task.write("second\n");
    task.output.drain(false);
    CHECK(task.output.attempt_ranges().out.from == 6);
    CHECK(task.output.attempt_ranges().out.to == 13);
}

TEST_CASE("the head that a log gives back is put on record")
{
    Written task;
    for (int i = 0; i < 8; ++i) {
        task.write(std::string(32 << 10, 'x'));
        task.output.take_all();
    }
    if (task.pump.freed_bytes() > 0)
        CHECK(task.records.saved().freed_bytes == task.pump.freed_bytes());
}

TEST_CASE("a task that says itself when it is ready needs nobody who watches; one without "
          "conditions is never ready")
{
    Records records;
    Helpers helpers;
    FakeSigns signs;
    FakeSink sink;
    boost::asio::io_context io;
    std::vector<std::string> conditions{std::string(notify_condition)};
    const std::string cwd = "/";
    Readiness readiness(
        {io, records.folder.dir(), conditions, cwd, records.recorder, signs, helpers, sink, {}});
    readiness.begin(0, 0);
    CHECK(helpers.empty());
    CHECK(sink.events.empty());
    readiness.announce();
    CHECK(sink.got<core::Ready>());
    sink.events.clear();
    readiness.announce(); // once is enough
    CHECK(sink.events.empty());
    conditions.clear();
    readiness.begin(0, 0);
    readiness.announce();
    CHECK(sink.events.empty());
}

TEST_CASE("a condition that can't be watched says that the task never becomes ready")
{
    Records records;
    Helpers helpers;
    FakeSigns signs;
    FakeSink sink;
    boost::asio::io_context io;
    const std::vector<std::string> conditions{"exit"};
    const std::string cwd = "/";
    Readiness readiness(
        {io, records.folder.dir(), conditions, cwd, records.recorder, signs, helpers, sink, {}});
    readiness.begin(0, 0);
    CHECK(sink.got<core::NeverReady>());
    CHECK(records.events().find("ready-watch") != std::string::npos);
}
