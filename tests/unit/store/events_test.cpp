#include "temp_folder.hpp"

#include <bgt/store/events.hpp>

#include <fcntl.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

const WallTime noon = WallTime(1769860800123ms);

struct EventsFile {
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(TaskId{1}));
    Fd fd = must(task.open(file::events, O_RDWR | O_CREAT | O_APPEND));
    std::string path = task.path() + "/events.jsonl";
};

} // namespace

TEST_CASE("an event is one line of JSON")
{
    CHECK(encode_event(noon, "started",
                       {{"pid", std::int64_t{4211}}, {"text", std::string("a\n\"\xff")}}) ==
          "{\"at\":\"2026-01-31T12:00:00.123Z\",\"event\":\"started\",\"pid\":4211,\"text\":"
          "\"a\\n\\\"\xef\xbf\xbd\"}");
}

TEST_CASE("events come back in order, the last ones")
{
    EventsFile file;
    CHECK(must(read_events(file.task.fd(), 10)).events.empty());
    for (std::int64_t i = 0; i < 5; ++i)
        must(append_event(file.fd.get(), noon + i * 1s, "tick",
                          {{"n", i}, {"s", std::string("x")}}));
    const auto read = must(read_events(file.task.fd(), 2));
    CHECK(read.damaged_lines == 0);
    REQUIRE(read.events.size() == 2);
    CHECK(read.events[0].at == noon + 3s);
    CHECK(read.events[1].event == "tick");
    REQUIRE(read.events[1].fields.size() == 2);
    CHECK(read.events[1].fields[0].first == "n");
    CHECK(std::get<std::int64_t>(read.events[1].fields[0].second) == 4);
    CHECK(std::get<std::string>(read.events[1].fields[1].second) == "x");
    CHECK(must(read_events(file.task.fd(), 100)).events.size() == 5);
    CHECK(must(read_events(file.task.fd(), 0)).events.empty());
}

TEST_CASE("a folder without events has none")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    CHECK(must(read_events(must(root.create_task(TaskId{1})).fd(), 10)).events.empty());
}

TEST_CASE("a line that was cut damages no other")
{
    EventsFile file;
    must(append_event(file.fd.get(), noon, "a", {}));
    put(file.path, get(file.path) + R"({"at":"2026-01)");
    must(append_event(file.fd.get(), noon, "b", {}));
    const Fd write_only = must(file.task.open(file::events, O_WRONLY | O_APPEND));
    must(append_event(write_only.get(), noon, "c",
                      {})); // can't see the end: an empty line at the most
    const auto read = must(read_events(file.task.fd(), 10));
    CHECK(read.damaged_lines == 1);
    REQUIRE(read.events.size() == 3);
    CHECK(read.events[1].event == "b");
    CHECK(read.events[2].event == "c");
}

TEST_CASE("hostile lines are counted and passed over; unknown values stay as their JSON text")
{
    EventsFile file;
    put(file.path,
        "[]\n{}\n\xff\n" + std::string(5000, '[') + "\n" + R"({"at":"yesterday","event":"x"})" +
            "\n" + R"({"at":"2026-01-31T12:00:00Z","event":"new","cpu":1.5,"list":[1,2]})" + "\n");
    const auto read = must(read_events(file.task.fd(), 10));
    CHECK(read.damaged_lines == 5);
    REQUIRE(read.events.size() == 1);
    REQUIRE(read.events[0].fields.size() == 2);
    CHECK(std::get<std::string>(read.events[0].fields[1].second) == "[1,2]");
}

TEST_CASE("of a long log only the end is read")
{
    EventsFile file;
    const std::string line = encode_event(noon, "x", {{"text", std::string(1000, 'x')}}) + "\n";
    std::string text = "rubbish\n";
    while (text.size() < 3u << 20) text += line;
    put(file.path, text);
    const auto read = must(read_events(file.task.fd(), 1u << 20));
    CHECK(read.damaged_lines == 0); // nor is the line in whose middle the reading began one
    CHECK(read.events.size() > 900);
    CHECK(read.events.size() < 1050);
}

TEST_CASE("a full disk is reported")
{
    const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    if (!full) return;
    const auto appended = append_event(full.get(), noon, "x", {});
    REQUIRE_FALSE(appended);
    CHECK(appended.error().sys_errno == ENOSPC);
    CHECK(appended.error().message.find("free some disk space") != std::string::npos);
}
