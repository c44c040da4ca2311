#include <bgt/ops/log_piece.hpp>

#include "support/task_folder.hpp"

#include <bgt/base/text.hpp>
#include <cstdint>

using namespace bgt;
using namespace bgt::ops;
using namespace bgt::store;
using namespace bgt::test;

namespace {

LogPiece read(const TaskFolder& folder, std::uint64_t cursor, std::uint64_t max, bool over,
              LineText text = LineText::raw)
{
    Result<LogFile> log = LogFile::open(folder.dir(), WhichLog::out);
    REQUIRE(log);
    Result<store::LogIndex> index =
        store::LogIndex::open(folder.dir().fd(), store::file::out_index);
    REQUIRE(index);
    LogStyle style;
    style.text = text;
    Result<LogPiece> piece =
        read_piece(*log, {cursor, 0, log->size(), max, over}, style, std::move(*index));
    REQUIRE(piece);
    return *piece;
}

} // namespace

TEST_CASE("What is given out of bytes that go on")
{
    using namespace std::string_literals;
    CHECK(whole_part("", true) == 0);
    CHECK(whole_part("a\nb", true) == 2);
    CHECK(whole_part("a\nb", false) == 3);
    CHECK(whole_part("ab\xc3", false) == 2);
    CHECK(whole_part("ab\xc3\xa4", false) == 4);
    CHECK(whole_part("ab\xe2\x82", true) == 2);
    CHECK(whole_part("ab\xf0\x9f\x98", false) == 2);
    CHECK(whole_part("ab\x80\x80\x80\x80", false) == 6); // not UTF-8: nothing to wait for
    CHECK(whole_part("ab\xff", false) == 3);
    CHECK(whole_part("ab\x1b", false) == 2);
    CHECK(whole_part("ab\x1b[31", false) == 2);
    CHECK(whole_part("ab\x1b[31m", false) == 7);
    CHECK(whole_part("ab\x1b]0;title", false) == 2);
    CHECK(whole_part("\x1b[31", false) == 4); // else a reader would wait for ever
    CHECK(whole_part("ab\x1b[" + std::string(100, '1'), false) == 104);
}

TEST_CASE("Reading from cursor to cursor gives each byte once")
{
    TaskFolder folder;
    std::string text;
    for (int i = 0; i < 500; ++i)
        text += "line \xe2\x82\xac " + std::to_string(i) + (i % 7 == 0 ? "\xf0\x9f\x98\x80" : "\n");
    folder.write("out.log", text);
    for (const std::uint64_t max : {4u, 5u, 7u, 64u, 1000u, 1u << 20}) {
        std::string all;
        std::uint64_t cursor = 0;
        for (bool end = false; !end;) {
            const LogPiece piece = read(folder, cursor, max, true);
            REQUIRE(piece.start == cursor);
            REQUIRE(piece.cursor > cursor);
            REQUIRE(piece.cursor - cursor <= max);
            all += piece.text;
            cursor = piece.cursor;
            end = piece.end_of_log;
        }
        CHECK(all == text); // so no character was torn
        CHECK(cursor == text.size());
    }
}

TEST_CASE("The end of the log is said only of a task that is over")
{
    TaskFolder folder;
    folder.write("out.log", "ready? ");
    const LogPiece living = read(folder, 0, 100, false);
    CHECK(living.text == "ready? ");
    CHECK(living.cursor == 7);
    CHECK_FALSE(living.end_of_log);
    CHECK(read(folder, 7, 100, false).text.empty());
    CHECK(read(folder, 7, 100, true).end_of_log);
    CHECK_FALSE(read(folder, 0, 4, true).end_of_log);
}

TEST_CASE("A character that is not all there yet is kept for the next piece")
{
    TaskFolder folder;
    folder.write("out.log", "a\xe2\x82");
    CHECK(read(folder, 0, 100, false).cursor == 1);
    const LogPiece last = read(folder, 0, 100, true);
    CHECK(last.cursor == 3);
    CHECK(last.text.starts_with("a\xef\xbf\xbd"));
    folder.write("out.log", "\xac!");
    CHECK(read(folder, 1, 100, false).text == "\xe2\x82\xac!");
}

TEST_CASE("Pieces are valid UTF-8 whatever the bytes")
{
    TaskFolder folder;
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    folder.write("out.log", bytes + bytes);
    for (const LineText text : {LineText::raw, LineText::rendered}) {
        const LogPiece piece = read(folder, 0, 1000, true, text);
        CHECK(to_valid_utf8(piece.text) == piece.text);
        CHECK(piece.cursor == 512);
        CHECK(piece.start == 0);
        CHECK(piece.end_of_log);
        CHECK(piece.dropped_bytes == 0);
    }
}

TEST_CASE("Bytes freed while they were to be read are counted")
{
    TaskFolder folder;
    folder.write("out.log", std::string(65'536, 'x') + "the rest\n");
    if (!folder.free_head(65'536)) return; // not on this file system
    const LogPiece piece = read(folder, 0, 1u << 20, true);
    CHECK(piece.start == 65'536);
    CHECK(piece.text == "the rest\n");
    CHECK(piece.dropped_bytes == 65'536);
    CHECK(piece.end_of_log);
}

TEST_CASE("With a pattern, each line is given out whole and once")
{
    TaskFolder folder;
    const std::string match = "error " + std::string(400'000, 'x') + " r-77\n";
    const std::string longer = "error " + std::string(3 * max_line, 'y') + " r-77\n";
    const std::string unfinished = "error " + std::string(100, 'z');
    folder.write("out.log", "first\n" + match + longer + "error r-77\n" + unfinished);
    Result<core::Pattern> pattern = core::Pattern::compile("^error");
    REQUIRE(pattern);
    LogStyle style;
    style.grep = &*pattern;
    style.ends_lines = true;
    Result<LogFile> log = LogFile::open(folder.dir(), WhichLog::out);
    REQUIRE(log);
    for (const std::uint64_t max : {16'384u, 1u << 20}) {
        std::string all;
        std::uint64_t cursor = 0;
        const auto read_on = [&](bool over) {
            Result<store::LogIndex> index =
                store::LogIndex::open(folder.dir().fd(), store::file::out_index);
            REQUIRE(index);
            const Result<LogPiece> piece =
                read_piece(*log, {cursor, 0, log->size(), max, over}, style, std::move(*index));
            REQUIRE(piece);
            all += piece->text;
            const bool moved = piece->cursor > cursor;
            cursor = piece->cursor;
            return moved;
        };
        while (read_on(false)) {}
        CHECK(cursor == log->size() - unfinished.size()); // the last line may still become another
        while (read_on(true)) {}
        const std::string cut =
            longer.substr(0, max_line) + " [cut: with a pattern, 1MiB of a line is read]\n";
        CHECK((all == match + cut + "error r-77\n" + unfinished + "\n"));
    }
}
