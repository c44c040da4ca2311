#include <bgt/ops/log_piece.hpp>
#include <bgt/ops/log_printer.hpp>
#include <bgt/ops/log_range.hpp>

#include "support/task_folder.hpp"

#include <filesystem>
#include <fstream>

using namespace bgt;
using namespace bgt::ops;
using namespace bgt::core;
using namespace bgt::store;
using namespace bgt::test;
using Type = store::IndexEntry::Type;

namespace {

LogFile open_log(const TaskFolder& folder)
{
    Result<LogFile> log = LogFile::open(folder.dir(), WhichLog::out);
    REQUIRE(log);
    return std::move(*log);
}

std::uint64_t begin_of(const TaskFolder& folder, const LogOptions& options,
                       const store::Status& status = {})
{
    LogFile log = open_log(folder);
    Result<LogRange> begin = find_range(log, folder.dir(), status, options, log.size(), "7");
    REQUIRE(begin);
    return begin->offset;
}

} // namespace

TEST_CASE("A log that is not there yet reads as empty")
{
    TaskFolder folder;
    LogFile log = open_log(folder);
    CHECK_FALSE(log.exists());
    CHECK(log.size() == 0);
    Result<LogFile::Block> block = log.read(0, 100);
    REQUIRE(block);
    CHECK(block->bytes.empty());
    const Result<LogFile> err = LogFile::open(folder.dir(), WhichLog::err);
    REQUIRE_FALSE(err);
    CHECK(err.error().message.find("--split") != std::string::npos);
}

TEST_CASE("A log that is a symlink or a folder is refused")
{
    TaskFolder folder;
    SECTION("symlink")
    {
        std::filesystem::create_symlink("/etc/passwd", folder.path("out.log"));
    }
    SECTION("folder")
    {
        std::filesystem::create_directory(folder.path("out.log"));
    }
    CHECK_FALSE(LogFile::open(folder.dir(), WhichLog::out));
}

TEST_CASE("The last lines are found from the end")
{
    TaskFolder folder;
    folder.write("out.log", "one\ntwo\n\nfour");
    LogOptions options;
    const auto begin = [&](std::uint64_t lines) {
        options.lines = lines;
        return begin_of(folder, options);
    };
    CHECK(begin(0) == 13);
    CHECK(begin(1) == 9);
    CHECK(begin(2) == 8);
    CHECK(begin(3) == 4);
    CHECK(begin(4) == 0);
    CHECK(begin(400) == 0);
    folder.write("out.log", "\n");
    CHECK(begin(1) == 9);
}

TEST_CASE("The last lines of a log of many blocks")
{
    TaskFolder folder;
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i) + "\n";
    folder.write("out.log", text + std::string(300'000, 'x') + "\nlast\n");
    LogOptions options;
    options.lines = 2;
    CHECK(begin_of(folder, options) == text.size());
    options.lines = 50'002;
    CHECK(begin_of(folder, options) == text.find("line 50000\n"));
    Result<Pattern> pattern = Pattern::compile("^line .*7$");
    REQUIRE(pattern);
    options.grep.emplace(std::move(*pattern));
    options.lines = 3;
    CHECK(begin_of(folder, options) == text.find("line 99977\n"));
    options.lines = 1'000'000;
    CHECK(begin_of(folder, options) == 0);
}

TEST_CASE("The newest piece begins with a line or a character, and matches are bounded in bytes")
{
    TaskFolder folder;
    folder.write("out.log", "one\ntwo\n\xc3\xa4\xc3\xa4\n" + std::string(5000, 'x'));
    LogFile log = open_log(folder);
    const auto newest = [&](std::uint64_t bytes, LogStyle style = {}, bool over = true) {
        PieceRequest request;
        request.end = log.size();
        request.max_bytes = bytes;
        request.over = over;
        Result<store::LogIndex> index =
            store::LogIndex::open(folder.dir().fd(), store::file::out_index);
        REQUIRE(index);
        Result<LogPiece> piece = read_newest_piece(log, request, style, std::move(*index));
        REQUIRE(piece);
        return *piece;
    };
    CHECK(newest(100).text == std::string(100, 'x')); // the begin of its line is too far
    CHECK(newest(5001).text == std::string(5000, 'x'));
    CHECK(newest(5004).text == std::string(5000, 'x'));
    CHECK(newest(5006).start == 8);
    CHECK(newest(5000 + 13).text.size() == 5000 + 13);
    CHECK_FALSE(newest(5000 + 13).truncated);
    CHECK(newest(5000 + 12).truncated);
    Result<Pattern> pattern = Pattern::compile("o|x");
    REQUIRE(pattern);
    LogStyle style;
    style.grep = &*pattern;
    style.ends_lines = true;
    CHECK(newest(1, style, false).text == "two\n"); // its last line has not ended
    CHECK(newest(8, style, false).text == "one\ntwo\n");
    CHECK(newest(1, style).text == std::string(5000, 'x') + "\n");
    CHECK(newest(1, style).truncated);
    CHECK_FALSE(newest(10'000, style).truncated);
}

TEST_CASE("The newest piece of one long line does not begin within a character")
{
    TaskFolder folder;
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "\xc3\xa4";
    folder.write("out.log", text);
    LogFile log = open_log(folder);
    PieceRequest request;
    request.end = log.size();
    request.max_bytes = 1001;
    request.over = true;
    Result<store::LogIndex> index =
        store::LogIndex::open(folder.dir().fd(), store::file::out_index);
    REQUIRE(index);
    const Result<LogPiece> piece = read_newest_piece(log, request, {}, std::move(*index));
    REQUIRE(piece);
    CHECK(piece->start == 3000);
    CHECK(piece->text == text.substr(3000));
}

TEST_CASE("Since a time: the first line that began then or later")
{
    TaskFolder folder;
    folder.write("out.log", "one\ntwo\nthree\n");
    LogOptions options;
    options.since = second(2);
    CHECK(begin_of(folder, options) == 0); // no index: all is shown
    folder.note(second(0), Type::bytes, 0);
    folder.note(second(2), Type::bytes, 6); // in the middle of "two"
    folder.note(second(5), Type::bytes, 8);
    CHECK(begin_of(folder, options) == 8);
    options.since = second(0);
    CHECK(begin_of(folder, options) == 0);
    options.since = second(6);
    CHECK(begin_of(folder, options) == 14);
}

TEST_CASE("A freed head is passed over and said")
{
    TaskFolder folder;
    std::string text;
    while (text.size() < 100'000) text += "a line of thirty-two characters.\n";
    folder.write("out.log", text);
    if (!folder.free_head(65'536)) return; // not on this file system
    LogFile log = open_log(folder);
    store::Status status; // not yet told of it
    LogOptions options;
    Result<LogRange> begin = find_range(log, folder.dir(), status, options, log.size(), "7");
    REQUIRE(begin);
    CHECK(begin->offset == text.find('\n', 65'535) + 1);
    CHECK(begin->skipped == begin->offset);
    REQUIRE(begin->notes.size() == 1);
    CHECK(begin->notes[0].find("freed (--log-max)") != std::string::npos);

    options.cursor = 70'000;
    begin = find_range(log, folder.dir(), status, options, log.size(), "7");
    REQUIRE(begin);
    CHECK(begin->offset == 70'000);
    CHECK(begin->notes.empty());

    Result<LogFile::Block> block = log.read(0, log.size()); // freed between the look and the read
    REQUIRE(block);
    CHECK(block->offset == 65'536);
    CHECK(block->bytes == text.substr(65'536));
}

TEST_CASE("Zeros that a task wrote are no hole")
{
    TaskFolder folder;
    folder.write("out.log", std::string("a\0b\n\0\0", 6));
    LogFile log = open_log(folder);
    Result<LogFile::Block> block = log.read(0, 6);
    REQUIRE(block);
    CHECK(block->offset == 0);
    CHECK(block->bytes == std::string_view("a\0b\n\0\0", 6));
}

TEST_CASE("A hole of a TiB in a log that somebody else made costs no time")
{
    TaskFolder folder;
    folder.write("out.log", "old\n");
    std::filesystem::resize_file(folder.path("out.log"), std::uintmax_t{1} << 40);
    std::ofstream(folder.path("out.log"), std::ios::app) << "newest\n";
    LogFile log = open_log(folder);
    const std::uint64_t end = log.size();
    const Result<std::uint64_t> lines = log.last_lines(2, 0, end);
    REQUIRE(lines);
    CHECK(end - *lines < 256 * 1024); // a page or so of zeros, and the line
    const Result<LogFile::Block> after = log.read(1024 * 1024, end);
    REQUIRE(after);
    CHECK(end - after->offset < 256 * 1024);
}

TEST_CASE("A cursor beyond the end is an error")
{
    TaskFolder folder;
    folder.write("out.log", "abc");
    LogFile log = open_log(folder);
    LogOptions options;
    options.cursor = 4;
    const Result<LogRange> begin = find_range(log, folder.dir(), {}, options, 3, "7 web");
    REQUIRE_FALSE(begin);
    CHECK(begin.error().kind == ErrorKind::usage);
}

TEST_CASE("Times go with the bytes, and each gap is counted once")
{
    TaskFolder folder;
    folder.note(second(0), Type::bytes, 0);
    folder.note(second(1), Type::dropped, 100);
    folder.note(second(2), Type::bytes, 10);
    folder.note(second(3), Type::dropped, 7);
    folder.write("out.idx", "torn");
    const auto cursor = [&](std::uint64_t from) {
        Result<store::LogIndex> index =
            store::LogIndex::open(folder.dir().fd(), store::file::out_index);
        REQUIRE(index);
        return IndexCursor(std::move(*index), from);
    };
    IndexCursor times = cursor(0);
    CHECK(times.time_of(0) == second(0));
    CHECK(times.time_of(9) == second(0));
    CHECK(times.time_of(10) == second(2));
    CHECK(times.time_of(5000) == second(2));
    CHECK(cursor(7).time_of(7) == second(0));
    CHECK(cursor(12).time_of(12) == second(2));

    CHECK(cursor(0).dropped_before(10, false) == 0);
    CHECK(cursor(10).dropped_before(20, false) == 100);
    CHECK(cursor(0).dropped_before(20, false) == 100);
    CHECK(cursor(20).dropped_before(20, false) == 0);
    CHECK(cursor(20).dropped_before(20, true) == 7);
    CHECK(cursor(0).dropped_before(20, true) == 107);
}

TEST_CASE("Lines have the time of their first byte")
{
    TaskFolder folder;
    folder.note(second(0), Type::bytes, 0);
    folder.note(second(61), Type::bytes, 6);
    Result<store::LogIndex> index =
        store::LogIndex::open(folder.dir().fd(), store::file::out_index);
    REQUIRE(index);
    LogStyle style;
    style.timestamps = true;
    SharedScreen screen;
    LogPrinter printer(style, screen);
    printer.set_times(IndexCursor(std::move(*index), 0));
    std::string out;
    printer.feed("one\ntwo\nthree\n", 0, out);
    CHECK(out == "2023-11-14T22:13:20.000Z one\n2023-11-14T22:13:20.000Z "
                 "two\n2023-11-14T22:14:21.000Z three\n");
}
