#include <bgt/ops/log_printer.hpp>

#include "support/catch.hpp"

#include <vector>

using namespace bgt;
using namespace bgt::ops;
using namespace bgt::core;
using namespace bgt::store;

namespace {

/// The lines as "offset:text" with "+" after a piece that does not end.
std::vector<std::string> cut(LineText text, const std::vector<std::string>& blocks,
                             std::size_t limit = max_line)
{
    LineCutter cutter(text, limit);
    std::vector<std::string> lines;
    const PieceSink sink = [&](const LinePiece& piece) {
        lines.push_back(std::to_string(piece.offset) + (piece.begins ? ":" : "...") +
                        std::string(piece.text) + (piece.ends ? "" : "+"));
    };
    std::uint64_t offset = 0;
    for (const std::string& block : blocks) {
        cutter.feed(block, offset, sink);
        offset += block.size();
    }
    cutter.flush(sink);
    return lines;
}

using Lines = std::vector<std::string>;

std::string print(const LogStyle& style, const std::vector<std::string>& blocks)
{
    SharedScreen screen;
    LogPrinter printer(style, screen);
    std::string out;
    std::uint64_t offset = 0;
    for (const std::string& block : blocks) {
        printer.feed(block, offset, out);
        offset += block.size();
    }
    printer.finish(out);
    return out;
}

} // namespace

TEST_CASE("text is plain when every byte of it is, wherever it stands")
{
    for (std::size_t size = 1; size < 20; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (int byte = 0; byte < 256; ++byte)
                for (const char around : {' ', '~', '\n', '\t'}) {
                    std::string bytes(size, around);
                    bytes[at] = static_cast<char>(byte);
                    const bool plain =
                        (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t';
                    if (is_plain(bytes) != plain)
                        FAIL("byte " << byte << " at " << at << " of " << size);
                }
    CHECK(is_plain(""));
}

TEST_CASE("Lines are cut wherever the blocks end")
{
    for (const LineText text : {LineText::raw, LineText::rendered}) {
        CHECK(cut(text, {"one\ntwo\n"}) == Lines{"0:one", "4:two"});
        CHECK(cut(text, {"o", "ne", "\n", "two", "\nthree"}) ==
              Lines{"0:one", "4:two", "8:three+"});
        CHECK(cut(text, {"\n\n"}) == Lines{"0:", "1:"});
        CHECK(cut(text, {""}).empty());
    }
}

TEST_CASE("Rendered lines show what is left of overwritten text")
{
    CHECK(cut(LineText::rendered, {"10%\r20%\r", "99%\ndone\n"}) == Lines{"0:99%", "12:done"});
    CHECK(cut(LineText::rendered, {"\x1b[3", "1mred\x1b[0m\nplain\n"}) ==
          Lines{"0:red", "13:plain"});
    CHECK(cut(LineText::raw, {"10%\r20%\n"}) == Lines{"0:10%\r20%"});
}

TEST_CASE("A line beyond the limit comes in pieces")
{
    for (const LineText text : {LineText::raw, LineText::rendered}) {
        std::string whole;
        bool ended = false;
        LineCutter cutter(text, 16);
        const PieceSink sink = [&](const LinePiece& piece) {
            CHECK(piece.text.size() <= 26);
            CHECK(piece.offset == 0);
            CHECK(piece.begins == whole.empty());
            whole += piece.text;
            ended = piece.ends;
        };
        for (std::uint64_t at = 0; at < 1000; at += 10) cutter.feed(std::string(10, 'x'), at, sink);
        CHECK(whole.size() >= 1000 - 20);
        CHECK_FALSE(ended);
        cutter.feed("\n", 1000, sink);
        CHECK(whole == std::string(1000, 'x'));
        CHECK(ended);
    }
}

TEST_CASE("The unfinished line can be seen and goes on")
{
    LineCutter cutter(LineText::rendered);
    Lines lines;
    const PieceSink sink = [&](const LinePiece& piece) { lines.emplace_back(piece.text); };
    cutter.feed("Continue? ", 0, sink);
    CHECK(cutter.unfinished() == "Continue? ");
    CHECK(lines.empty());
    cutter.feed("y\n", 10, sink);
    CHECK(cutter.unfinished().empty());
    CHECK(lines == Lines{"Continue? y"});
}

TEST_CASE("Raw bytes pass unchanged")
{
    const std::string bytes("a\0b\xff\x1b[31m\r\n\n\xc3", 13);
    CHECK(print({}, {bytes.substr(0, 5), bytes.substr(5)}) == bytes);
}

TEST_CASE("Rendering keeps plain text as it is, also without a newline at its end")
{
    LogStyle style;
    style.text = LineText::rendered;
    CHECK(print(style, {"one\ntwo\nthr", "ee\n\nfour"}) == "one\ntwo\nthree\n\nfour");
    CHECK(print(style, {"one\n\x1b[1mtw", "o\x1b[0m\nx\rthree\n"}) == "one\ntwo\nthree\n");
}

TEST_CASE("A prefix begins every line, and an unfinished one is ended")
{
    LogStyle style;
    style.prefix = "web | ";
    style.ends_lines = true;
    CHECK(print(style, {"one\nt", "wo"}) == "web | one\nweb | two\n");
}

TEST_CASE("On a terminal no line reaches its prefix")
{
    LogStyle style;
    style.prefix = "web | ";
    style.ends_lines = true;
    CHECK(print(style, {"\rdb  | forged\n"}) ==
          "web | \rdb  | forged\n"); // raw, for who asks for it
    style.confined = true;
    CHECK(print(style, {"\rdb  | forged\n", "\x1b[1Gdb\n", "\x1b[31mred", "\n", "10%\r20"}) ==
          "web | db  | forged\nweb | db\nweb | \x1b[31mred\x1b[0m\nweb | 20\n");
}

TEST_CASE("Two tasks never share a line")
{
    SharedScreen screen;
    LogStyle style;
    style.ends_lines = true;
    style.prefix = "a | ";
    LogPrinter a(style, screen);
    style.prefix = "b | ";
    LogPrinter b(style, screen);
    std::string out;
    a.feed(std::string(max_line + 5'000, 'x'), 0, out); // a line too long to be held back
    REQUIRE(screen.mid_line);
    b.feed("hello\n", 0, out);
    a.feed("end\n", max_line + 5'000, out);
    a.finish(out);
    b.finish(out);
    CHECK((out == "a | " + std::string(max_line, 'x') + "\nb | hello\na | " +
                      std::string(5'000, 'x') + "end\n"));
}

TEST_CASE("The first piece of a long line is the same in whatever blocks it came")
{
    for (const LineText text : {LineText::raw, LineText::rendered}) {
        for (const std::string_view unit : {"x", "\u00e4", "\u20ac"}) {
            std::string line;
            while (line.size() < 60) line += unit;
            const Lines whole = cut(text, {line + "\n"}, 32);
            REQUIRE(whole.size() > 1);
            std::vector<std::string> bytes;
            for (const char c : line + "\n") bytes.emplace_back(1, c);
            CHECK(cut(text, bytes, 32).front() == whole.front());
            CHECK(cut(text, {line.substr(0, 40), line.substr(40) + "\n"}, 32).front() ==
                  whole.front());
        }
    }
}

TEST_CASE("A search reads 1 MiB of a line, and says what it leaves out")
{
    Result<Pattern> pattern = Pattern::compile("^begin.*end$");
    REQUIRE(pattern);
    LogStyle style;
    style.grep = &*pattern;
    for (const LineText text : {LineText::raw, LineText::rendered}) {
        style.text = text;
        const std::string line = "begin" + std::string(max_line - 8, '.') + "end";
        CHECK((print(style, {line.substr(0, 70'000), line.substr(70'000), "\nnext\n"}) ==
               line + "\n"));
        CHECK((print(style, {line, "more\nnext\nbegin end\n"}) ==
               line + " [cut: with a pattern, 1MiB of a line is read]\nbegin end\n"));
        CHECK(print(style, {"begin" + std::string(max_line, '.'), "end\n"}).empty());
    }
}

TEST_CASE("Only lines that match are printed")
{
    Result<Pattern> pattern = Pattern::compile("^err(or)?\\b");
    REQUIRE(pattern);
    LogStyle style;
    style.grep = &*pattern;
    style.ends_lines = true;
    const std::vector<std::string> blocks{"error 1\nno error\n\x1b[31mer", "ror 2\x1b[0m\nerr"};
    SECTION("as written: the pattern still sees what a person would")
    {
        CHECK(print(style, blocks) == "error 1\n\x1b[31merror 2\x1b[0m\nerr\n");
    }
    SECTION("rendered")
    {
        style.text = LineText::rendered;
        CHECK(print(style, blocks) == "error 1\nerror 2\nerr\n");
    }
}

TEST_CASE("A bad pattern says what is wrong")
{
    const Result<Pattern> pattern = Pattern::compile("a(b");
    REQUIRE_FALSE(pattern);
    CHECK(pattern.error().kind == ErrorKind::usage);
    CHECK(pattern.error().message.find("missing )") != std::string::npos);
    CHECK_FALSE(Pattern::compile("(?<x>a)\\1"));
}

TEST_CASE("An unfinished line is shown once, and goes on where it stands")
{
    SharedScreen screen;
    LogStyle style;
    style.live = style.confined = style.ends_lines = true;
    style.prefix = "a | ";
    LogPrinter a(style, screen);
    style.prefix = "b | ";
    LogPrinter b(style, screen);
    std::string out;
    const auto said = [&] { return std::exchange(out, {}); };
    a.feed("Continue? ", 0, out);
    CHECK(said().empty());
    REQUIRE(a.hides_unfinished());
    a.show_unfinished(out);
    CHECK(said() == "a | Continue? ");
    CHECK_FALSE(a.hides_unfinished());
    a.show_unfinished(out);
    CHECK(said().empty());
    a.feed("yes\n", 10, out);
    CHECK(said() == "yes\n");
    a.feed("10%", 14, out);
    a.show_unfinished(out);
    a.feed("\r20%", 17, out);
    a.show_unfinished(out);
    CHECK(said() == "a | 10%\r\x1b[2Ka | 20%");
    b.feed("hello\n", 0, out);
    CHECK(said() == "\nb | hello\n");
    CHECK_FALSE(a.hides_unfinished());
    a.feed(" done\n", 21, out);
    CHECK(said() == "a | 20% done\n");
}
