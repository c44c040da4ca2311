#include "temp_folder.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/store/root_events.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <random>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

const WallTime noon = WallTime(1769860800123ms);
constexpr EventLimits small{600, 3};

RootEvent tick(std::int64_t n)
{
    RootEvent event;
    event.at = noon + n * 1s;
    event.type = "started";
    event.task.value = n + 1;
    event.name = "web";
    event.data.emplace_back("n", n);
    return event;
}

struct Stream {
    TempFolder temp;
    Root root = open_root(temp / "root");
    EventLimits limits = small;
    EventWriter writer{root.fd(), limits};
    std::string folder = temp / "root/events";

    void add(std::int64_t from, std::int64_t until)
    {
        for (std::int64_t n = from; n < until; ++n) must(writer.append(tick(n)));
    }
    std::string segment(std::uint64_t number) const
    {
        return folder + "/" + std::to_string(number);
    }
};

/// What a reader tells: the numbers of ticks, and `gap:...` with its count of lines.
std::vector<std::string> tell(EventReader& reader, EventCursor* cursor = nullptr,
                              std::size_t most = 100'000)
{
    std::vector<std::string> told;
    while (told.size() < most) {
        const auto item = must(reader.next());
        if (!item) break;
        if (cursor != nullptr) *cursor = item->after;
        if (item->event.type == "gap")
            told.push_back("gap:" + *item->event.text("why") +
                           fmt::format(":{}", item->event.number("lines").value_or(0)));
        else told.push_back(std::to_string(*item->event.number("n")));
    }
    return told;
}

std::vector<std::string> numbers(std::int64_t from, std::int64_t until)
{
    std::vector<std::string> all;
    for (std::int64_t n = from; n < until; ++n) all.push_back(std::to_string(n));
    return all;
}

} // namespace

TEST_CASE("an event of the stream is a line with a checksum")
{
    RootEvent event = tick(7);
    event.level = core::EventLevel::warning;
    event.data.emplace_back("text", std::string("a\n\"\x1b\xff"));
    const std::string line = encode_root_event(event);
    CHECK(line.substr(8) ==
          " {\"at\":\"2026-01-31T12:00:07.123Z\",\"type\":\"started\",\"level\":\"warning\","
          "\"task\":8,\"name\":\"web\",\"data\":{\"n\":7,\"text\":\"a\\n\\\"\\u001b\xef\xbf\xbd\"}}"
          "\n");
    const auto back = decode_root_event(std::string_view(line).substr(0, line.size() - 1));
    REQUIRE(back);
    CHECK(back->at == event.at);
    CHECK(back->type == "started");
    CHECK(back->level == core::EventLevel::warning);
    CHECK(back->task == TaskId{8});
    CHECK(back->name == "web");
    CHECK(back->number("n") == 7);
    CHECK(*back->text("text") == "a\n\"\x1b\xef\xbf\xbd");
}

TEST_CASE("a line in which any bit is another is damaged")
{
    std::string line = encode_root_event(tick(1));
    line.pop_back();
    REQUIRE(decode_root_event(line));
    for (std::size_t at = 0; at < line.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            std::string other = line;
            other[at] = static_cast<char>(other[at] ^ (1 << bit));
            // Letters of the checksum may be small or capital.
            if (at < 8 && ::tolower(other[at]) == line[at]) continue;
            INFO(other);
            CHECK_FALSE(decode_root_event(other));
        }
    for (std::size_t size = 0; size < line.size(); ++size)
        CHECK_FALSE(decode_root_event(std::string_view(line).substr(0, size)));
}

TEST_CASE("a long text is cut between two characters")
{
    RootEvent event = tick(1);
    std::string text = "x";
    for (int i = 0; i < 4000; ++i) text += "\xc3\xa4";
    event.data.emplace_back("text", text);
    const std::string line = encode_root_event(event);
    const auto back = decode_root_event(std::string_view(line).substr(0, line.size() - 1));
    REQUIRE(back);
    CHECK(*back->text("text") == text.substr(0, 4095));
}

TEST_CASE("a cursor is read back, and nothing else is one")
{
    const EventCursor cursor{4, 0x1f3a0, 0x77aa12bc};
    CHECK(to_string(cursor) == "e4-1f3a0-77aa12bc");
    CHECK(parse_event_cursor("e4-1f3a0-77aa12bc") == cursor);
    CHECK(parse_event_cursor("e0-0-0") == EventCursor{});
    for (const char* bad : {"", "e", "4-1f3a0-77aa12bc", "e4-1f3a0", "e4-1f3a0-77aa12bc-1", "e--",
                            "e4--1", "e-4-1-1", "e4-1g-1", "e4-1-177aa12bc", "e0-1-0", "10m",
                            "e4-1f3a0-77aa12bc ", "effffffffffffffff-1-1"})
        CHECK_FALSE(parse_event_cursor(bad));
}

TEST_CASE("events are read in the order in which they were written, across segments")
{
    Stream stream;
    EventReader early(stream.root.fd(), small);
    CHECK(tell(early).empty());
    CHECK(to_string(early.cursor()) == "e0-0-0");
    stream.add(0, 12);
    CHECK(tell(early) == numbers(0, 12));
    CHECK(early.segment() > 1);
    stream.add(12, 13);
    CHECK(tell(early) == numbers(12, 13));
    struct stat st {};
    REQUIRE(::stat(stream.segment(1).c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0600);
    REQUIRE(::stat(stream.folder.c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0700);
}

TEST_CASE("old segments go, and a reader from the beginning reads what is kept")
{
    Stream stream;
    stream.add(0, 100);
    const auto segments = must(event_segments(stream.root.fd()));
    CHECK(segments.size() == 3);
    EventReader reader(stream.root.fd(), small);
    const auto told = tell(reader);
    REQUIRE_FALSE(told.empty());
    CHECK(told == numbers(std::stoll(told.front()), 100));
}

TEST_CASE("a cursor continues exactly, wherever it was taken")
{
    Stream stream;
    stream.add(0, 14);
    for (std::size_t taken = 0; taken <= 14; ++taken) {
        EventReader first(stream.root.fd(), small);
        EventCursor cursor;
        const auto before = tell(first, &cursor, taken);
        EventReader second(stream.root.fd(), small);
        must(second.seek(*parse_event_cursor(to_string(cursor))));
        CHECK(to_string(second.cursor()) == to_string(cursor));
        CHECK(before.size() == taken);
        CHECK(tell(second) == numbers(static_cast<std::int64_t>(taken), 14));
    }
}

TEST_CASE("a cursor whose place was removed is told as one gap, and so is another stream")
{
    Stream stream;
    stream.add(0, 2);
    EventReader reader(stream.root.fd(), small);
    EventCursor cursor;
    tell(reader, &cursor, 1);
    stream.add(2, 60);
    EventReader late(stream.root.fd(), small);
    must(late.seek(cursor));
    auto told = tell(late);
    REQUIRE(told.size() > 2);
    CHECK(told.front() == "gap:older events were removed:0");
    told.erase(told.begin());
    CHECK(told == numbers(std::stoll(told.front()), 60));
    EventReader newest(stream.root.fd(), small);
    tell(newest, &cursor);

    std::filesystem::remove_all(stream.folder);
    EventReader none(stream.root.fd(), small);
    must(none.seek(cursor));
    const std::string other = "gap:the event stream is another one, or was removed meanwhile:0";
    CHECK(tell(none) == std::vector{other});
    stream.add(100, 101); // the writer finds that its segment is gone
    must(none.seek(cursor));
    CHECK(tell(none) == std::vector<std::string>{other, "100"});
    CHECK(tell(newest) == std::vector<std::string>{other, "100"}); // which had it open
    cursor = newest.cursor();
    cursor.identity ^= 1;
    must(none.seek(cursor));
    CHECK(tell(none) == std::vector<std::string>{other, "100"});
}

TEST_CASE("a cursor that is between no two lines is refused")
{
    Stream stream;
    stream.add(0, 2);
    EventReader reader(stream.root.fd(), small);
    EventCursor cursor;
    tell(reader, &cursor, 1);
    --cursor.offset;
    const auto sought = reader.seek(cursor);
    REQUIRE_FALSE(sought);
    CHECK(sought.error().kind == ErrorKind::usage);
    cursor.offset = 550; // behind the end
    must(reader.seek(cursor));
    CHECK(tell(reader) == std::vector<std::string>{"gap:the end of a segment was cut off:0"});
}

TEST_CASE("a line that was cut damages no other, and is counted")
{
    Stream stream;
    stream.limits = {};
    stream.writer = EventWriter(stream.root.fd());
    stream.add(0, 2);
    std::string text = get(stream.segment(1));
    put(stream.segment(1), text.substr(0, text.size() - 9)); // killed in the middle
    EventReader reader(stream.root.fd());
    EventCursor cursor;
    CHECK(tell(reader, &cursor) == numbers(0, 1)); // it may still be written
    EventWriter other(stream.root.fd());
    must(other.append(tick(2)));
    CHECK(tell(reader) == std::vector<std::string>{"gap:damaged lines:1", "2"});
    EventReader again(stream.root.fd());
    must(again.seek(cursor));
    CHECK(tell(again) == std::vector<std::string>{"gap:damaged lines:1", "2"});
}

TEST_CASE("lines without an end, zeros and what else is no event are passed over")
{
    Stream stream;
    stream.limits = {};
    stream.writer = EventWriter(stream.root.fd());
    stream.add(0, 1);
    std::string text = get(stream.segment(1));
    text += "\n\nhello\n" + std::string(2 * max_event_line, '\0') + "\n" +
            std::string(max_event_line + 1, 'x') + "\n";
    put(stream.segment(1), text);
    stream.add(1, 2);
    EventReader reader(stream.root.fd());
    CHECK(tell(reader) == std::vector<std::string>{"0", "gap:damaged lines:3", "1"});
    // A file that is nothing but a hole.
    must(stream.writer.append(tick(2)));
    REQUIRE(::truncate(stream.segment(1).c_str(), 1ll << 40) == 0);
    stream.add(3, 4);
    EventReader last(stream.root.fd());
    auto told = tell(last);
    CHECK(told.back() == "3");
}

TEST_CASE("what has the name of a segment and is none is passed over")
{
    Stream stream;
    REQUIRE(::mkdir(stream.folder.c_str(), 0700) == 0);
    const bool is_fifo = GENERATE(true, false);
    if (is_fifo) REQUIRE(::mkfifo(stream.segment(1).c_str(), 0600) == 0);
    else REQUIRE(::symlink("/etc/passwd", stream.segment(1).c_str()) == 0);
    put(stream.folder + "/note.txt", "x");
    stream.add(0, 1);
    CHECK(exists(stream.segment(2)));
    EventReader reader(stream.root.fd(), small);
    CHECK(tell(reader) == std::vector<std::string>{"gap:a segment can't be read:0", "0"});
}

TEST_CASE("a folder that is a symlink is not followed")
{
    Stream stream;
    REQUIRE(::mkdir((stream.temp / "other").c_str(), 0700) == 0);
    REQUIRE(::symlink((stream.temp / "other").c_str(), stream.folder.c_str()) == 0);
    CHECK_FALSE(stream.writer.append(tick(0)));
    CHECK_FALSE(exists(stream.temp / "other/1"));
    EventReader reader(stream.root.fd(), small);
    CHECK_FALSE(reader.next());
}

TEST_CASE("a time is sought by segments")
{
    Stream stream;
    stream.add(0, 12);
    EventReader reader(stream.root.fd(), small);
    must(reader.seek(noon + 9s));
    const auto told = tell(reader);
    CHECK(told.size() < 12);
    CHECK(std::ranges::find(told, "9") != told.end());
    must(reader.seek(noon - 9s));
    CHECK(tell(reader) == numbers(0, 12));
    must(reader.seek(noon + 1h));
    CHECK(tell(reader).back() == "11");
}

TEST_CASE("many processes append, are stopped and killed; each line is read once")
{
    Stream stream;
    constexpr int writers = 4, each = 1500;
    const EventLimits limits{20'000, 1000};
    std::vector<pid_t> children;
    for (int writer = 0; writer < writers; ++writer) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            EventWriter own(stream.root.fd(), limits);
            for (int n = 0; n < each; ++n)
                if (!own.append(tick(writer * each + n))) ::_exit(1);
            ::_exit(0);
        }
        children.push_back(child);
    }
    std::vector<int> seen(writers * each, 0), last(writers, -1);
    std::size_t total = 0;
    EventCursor cursor;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    std::mt19937 dice(7);
    while (total < seen.size() && std::chrono::steady_clock::now() < deadline) {
        EventReader reader(stream.root.fd(), limits);
        must(reader.seek(cursor));
        for (const std::string& told : tell(reader, &cursor, 1 + dice() % 200)) {
            INFO(told);
            REQUIRE(told.find("gap") == std::string::npos);
            const int n = std::stoi(told);
            ++seen[static_cast<std::size_t>(n)];
            CHECK(last[static_cast<std::size_t>(n / each)] < n); // each writer's own order
            last[static_cast<std::size_t>(n / each)] = n;
            ++total;
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(std::ranges::count(seen, 1) == writers * each);
}
