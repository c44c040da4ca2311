// What goes in and out of tasks: send, read_log, follow, attach.
#include "ops_lab.hpp"

#include <bgt/ops/attach.hpp>
#include <bgt/ops/log_view.hpp>
#include <bgt/ops/send.hpp>
#include <bgt/ops/stop.hpp>

#include <fcntl.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;

namespace {

void with_stdin(ops::StartRequest& request)
{
    request.spec.stdin_from = store::StdinFrom::pipe;
}

/// Collects what is printed and what is noted.
struct Collected {
    std::string text;
    std::vector<std::string> notes;
    ops::LogSink sink()
    {
        return {[this](std::string_view more) { text += more; },
                [this](const std::string& note) { notes.push_back(note); }};
    }
};

} // namespace

TEST_CASE("send writes a text, then closes stdin")
{
    OpsLab lab;
    const auto id = lab.start({"echo-stdin"}, with_stdin);
    ops::SendRequest request;
    request.task = to_string(id);
    request.text = "hello\n";
    const auto sent = ops::send(lab.root(), request);
    if (!sent) FAIL(sent.error().message);
    CHECK(sent->all);
    CHECK(sent->id == id);
    CHECK(lab.logged(id, "hello\n"));
    request.text.reset();
    request.eof = true;
    REQUIRE(ops::send(lab.root(), request));
    CHECK(lab.logged(id, "eof"));
    REQUIRE(lab.ends(id));
    CHECK_FALSE(ops::send(lab.root(), request));
}

TEST_CASE("send copies from a descriptor")
{
    OpsLab lab;
    const auto id = lab.start({"echo-stdin"}, with_stdin);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    REQUIRE(write(writer.get(), "one two\n", 8) == 8);
    writer.reset();
    ops::SendRequest request;
    request.task = to_string(id);
    request.from_fd = reader.get();
    REQUIRE(ops::send(lab.root(), request));
    CHECK(lab.logged(id, "one two\n"));
}

TEST_CASE("send gives up when the task does not read, in time or when it is cancelled")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"}, with_stdin);
    ops::SendRequest request;
    request.task = to_string(id);
    request.text = std::string(2u << 20, 'x'); // more than any pipe holds
    request.timeout = 20ms;
    const auto late = ops::send(lab.root(), request);
    REQUIRE(late);
    CHECK_FALSE(late->all);
    request.timeout.reset();
    const Cancelled now;
    const auto cancelled = ops::send(lab.root(), request, now.cancel());
    REQUIRE_FALSE(cancelled);
    CHECK(ops::is_cancelled(cancelled.error()));
}

TEST_CASE("read_log gives each byte out once, from a cursor on")
{
    OpsLab lab;
    const auto id = lab.start({"tick", "1", "30"});
    REQUIRE(lab.ends(id));
    ops::LogOptions options;
    options.max_bytes = 20;
    std::string all;
    for (bool end = false; !end;) {
        const auto read = ops::read_log(lab.root(), these({id}), options);
        REQUIRE(read);
        REQUIRE(read->tasks.at(0).result);
        const ops::LogPiece& piece = *read->tasks[0].result;
        REQUIRE((piece.cursor > options.cursor.value_or(0) || piece.end_of_log));
        all += piece.text;
        end = piece.end_of_log;
        options.cursor = piece.cursor;
    }
    CHECK(all == lab.log(id));
    options.cursor = 1'000'000;
    const auto beyond = ops::read_log(lab.root(), these({id}), options);
    REQUIRE(beyond);
    CHECK_FALSE(beyond->tasks.at(0).result);
}

TEST_CASE("follow prints a growing log until the task ends")
{
    OpsLab lab;
    const auto id = lab.start({"tick", "2", "50"});
    const ops::LogOptions options;
    auto opened = ops::open_logs(lab.root(), these({id}), options);
    REQUIRE(opened);
    std::vector<ops::LogView> views;
    REQUIRE(opened->tasks.at(0).result);
    views.push_back(*std::move(opened->tasks[0].result));
    Collected out;
    ops::SharedScreen screen;
    REQUIRE(views[0].begin(out.sink(), {}, screen));
    REQUIRE(ops::follow_logs(lab.root(), views, out.sink()));
    CHECK(out.text == lab.log(id));
    CHECK(out.text.ends_with("tick 50\n"));
    CHECK(out.notes.empty());
}

TEST_CASE("follow can be cancelled")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    const ops::LogOptions options;
    auto opened = ops::open_logs(lab.root(), these({id}), options);
    REQUIRE(opened);
    std::vector<ops::LogView> views;
    views.push_back(*std::move(opened->tasks.at(0).result));
    Collected out;
    ops::SharedScreen screen;
    REQUIRE(views[0].begin(out.sink(), {}, screen));
    const Cancelled now;
    const auto followed = ops::follow_logs(lab.root(), views, out.sink(), now.cancel());
    REQUIRE_FALSE(followed);
    CHECK(ops::is_cancelled(followed.error()));
    CHECK(out.text == "ready\n");
}

TEST_CASE("attach passes the output on until the task has ended")
{
    OpsLab lab;
    const auto id = lab.start({"tick", "1", "20"});
    const std::string path = lab.folder() + "/copy";
    const Fd copy(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ops::AttachRequest request;
    request.out_fd = copy.get();
    const auto status = ops::attach(lab.root(), id, request);
    REQUIRE(status);
    CHECK(status->outcome.code == 0);
    std::string text(lab.log(id).size() + 1, '\0');
    const ssize_t got = pread(copy.get(), text.data(), text.size(), 0);
    REQUIRE(got >= 0);
    text.resize(static_cast<std::size_t>(got));
    CHECK(text == lab.log(id));
}

TEST_CASE("attach can be cancelled, and the task lives on")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    const Cancelled now;
    const auto status = ops::attach(lab.root(), id, {}, now.cancel());
    REQUIRE_FALSE(status);
    CHECK(ops::is_cancelled(status.error()));
    CHECK(lab.status(id).lifecycle == core::Lifecycle::running);
}
