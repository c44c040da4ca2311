#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>

#include <chrono>
#include <random>

using bgt::confined_line;
using bgt::last_line;
using bgt::LineRenderer;
using bgt::to_valid_utf8;

namespace {

std::string rendered(std::string_view bytes, std::size_t limit = 64 * 1024)
{
    std::string out;
    LineRenderer renderer(limit);
    renderer.feed(bytes, out);
    renderer.flush(out);
    return out;
}

std::string byte_by_byte(std::string_view bytes, std::size_t limit)
{
    std::string out;
    LineRenderer renderer(limit);
    for (const char c : bytes) renderer.feed({&c, 1}, out);
    renderer.flush(out);
    return out;
}

/// Bytes out of which sequences are made, more often than chance would.
std::string noise(std::mt19937& random, std::size_t pieces)
{
    static const std::string_view parts[] = {"\x1b",     "[",        "]",        "K",
                                             "G",        "C",        "D",        "9999999999",
                                             ";",        "\r",       "\n",       "\b",
                                             "\t",       "\a",       "\x1b[",    "\x1b]",
                                             "\x1b\\",   "\xc2\x9b", "\xe2\x82", "\xf0\x9f\x98\x80",
                                             "\xc3\xa9", "text",     "\x1b[2K",  "\x1b[1K",
                                             "\x1b[40G", "\x1bP",    "\x1b(B",   "\x7f"};
    std::string out;
    for (std::size_t i = 0; i < pieces; ++i) {
        if (random() % 4 == 0) out += static_cast<char>(random() % 256);
        else out += parts[random() % std::size(parts)];
    }
    return out;
}

bool is_clean(const std::string& text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) return false;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
            return false;
    }
    return bgt::to_valid_utf8(text) == text;
}

} // namespace

TEST_CASE("plain text passes as it is")
{
    CHECK(rendered("") == "");
    CHECK(rendered("a\nb\n") == "a\nb\n");
    CHECK(rendered("a\tb") == "a\tb");
    CHECK(rendered("a\r\nb\r\n") == "a\nb\n");
    CHECK(rendered("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n") ==
          "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n");
}

TEST_CASE("carriage return, backspace and erasing overwrite as on a terminal")
{
    CHECK(rendered("10%\r20%\r100%\n") == "100%\n");
    CHECK(rendered("long text\rshort\n") == "shorttext\n");
    CHECK(rendered("long text\rshort\x1b[K\n") == "short\n");
    CHECK(rendered("abc\b\bX\n") == "aXc\n");
    CHECK(rendered("\b\b\bX\n") == "X\n");
    CHECK(rendered("abc\r\x1b[2Kx\n") == "x\n");
    CHECK(rendered("abc\x1b[2Kx\n") == "   x\n");
    CHECK(rendered("abc\x1b[2D\x1b[1Kx\n") == " xc\n");
    CHECK(rendered("abcdef\x1b[3D\x1b[0J\n") == "abc\n");
    CHECK(rendered("abc\x1b[10Gx\n") == "abc      x\n");
    CHECK(rendered("abc\x1b[Gx\n") == "xbc\n");
    CHECK(rendered("a\x1b[3Cb\n") == "a   b\n");
    CHECK(rendered("abc\x1b[99Dx\n") == "xbc\n");
    CHECK(rendered("one\x1b[Atwo\n") == "onetwo\n");
}

TEST_CASE("whole characters are overwritten, whatever their length")
{
    CHECK(rendered("\xc3\xa4\xc3\xb6\xc3\xbc\rX\n") == "X\xc3\xb6\xc3\xbc\n");
    CHECK(rendered("abc\r\xf0\x9f\x98\x80\n") == "\xf0\x9f\x98\x80"
                                                 "bc\n");
    CHECK(rendered("\xe2\x82\xac\xe2\x82\xac\bx\n") == "\xe2\x82\xacx\n");
    CHECK(rendered("\xe2\x82\xac\xe2\x82\xac\x1b[2Gx\n") == "\xe2\x82\xacx\n");
}

TEST_CASE("sequences vanish")
{
    CHECK(rendered("\x1b[31;1mred\x1b[0m\n") == "red\n");
    CHECK(rendered("\x1b]0;title\x07text\n") == "text\n");
    CHECK(rendered("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n") == "link\n");
    CHECK(rendered("\x1bPq#0;2;0\x1b\\after\n") == "after\n");
    CHECK(rendered("\x1b(Bx\x1b"
                   "7y\x1b"
                   "8z\n") == "xyz\n");
    CHECK(rendered("\xc2\x9b"
                   "31mred\n") == "red\n");
    CHECK(rendered("\x1b[?25lx\x1b[?25h\n") == "x\n");
    CHECK(rendered(std::string_view("a\0\x01\x7f"
                                    "b\n",
                                    6)) == "ab\n");
}

TEST_CASE("a sequence that never ends swallows neither the next line nor the memory")
{
    CHECK(rendered("\x1b]0;never ended\nnext\n") == "\nnext\n");
    CHECK(rendered("\x1b[12;\nnext\n") == "\nnext\n");
    CHECK(rendered("\x1b[31\x1b[32mx\n") == "x\n");
    const std::string text = rendered("\x1b]" + std::string(70'000, 'a'), 1 << 20);
    CHECK(text.size() > 4000);
    CHECK(text.size() < 5000);
    CHECK(rendered("\x1b[" + std::string(1000, '1') + "mx").size() > 700);
    CHECK(rendered("x\x1b[999999999999999999999Cy", 100).size() <= 102);
}

TEST_CASE("a few bytes make no long lines, and a long line makes no slow sequences")
{
    CHECK(rendered("\x1b[99999Cx").size() == 1025);
    CHECK(rendered("\x1b[99999Gx").size() == 1024);
    CHECK(rendered("a\x1b[1000C\x1b[1000Cb").size() == 1025);
    // Each of these once took seconds for a megabyte, or made gigabytes of it.
    const std::string line(65'000, 'a');
    for (const std::string part : {"\x1b[99999Cx", "\x1b[65535G", "\x1b[65535D\x1b[65535C",
                                   "x\b\x1b[1K", "\x1b[2Kx\b", "\r\xc3\xa9\rb"}) {
        std::string bytes = line;
        while (bytes.size() < 1 << 18) bytes += part;
        const auto begin = std::chrono::steady_clock::now();
        CHECK(rendered(bytes).size() < bytes.size());
        CHECK(std::chrono::steady_clock::now() - begin <
              std::chrono::seconds(bgt::test::sanitized ? 20 : 5));
    }
}

TEST_CASE("invalid UTF-8 becomes U+FFFD")
{
    CHECK(rendered("a\xff"
                   "b") == "a\xEF\xBF\xBD"
                           "b");
    CHECK(rendered("\xe2\x82") == "\xEF\xBF\xBD");
    CHECK(rendered("\xe2\x82\n") == "\xEF\xBF\xBD\n");
    CHECK(rendered("\xc0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(is_clean(rendered("\xed\xa0\x80\xf4\x90\x80\x80")));
}

TEST_CASE("a long line comes in pieces of at most the limit")
{
    const std::string line(1000, 'x');
    CHECK(rendered(line + "\n", 64) == line + "\n");
    std::string out;
    LineRenderer renderer(64);
    renderer.feed(line, out);
    CHECK(out.size() >= line.size() - 64);
    CHECK(out.find('\n') == std::string::npos);
}

TEST_CASE("flush tells whether there was an unfinished line")
{
    std::string out;
    LineRenderer renderer;
    renderer.feed("a\n", out);
    CHECK_FALSE(renderer.flush(out));
    renderer.feed("b", out);
    CHECK(renderer.flush(out));
    CHECK(out == "a\nb");
    CHECK_FALSE(renderer.flush(out));
}

TEST_CASE("any bytes: byte by byte gives the same as at once, and the result is clean")
{
    std::mt19937 random(20260131);
    for (int round = 0; round < 3000; ++round) {
        const std::string bytes = noise(random, 1 + random() % 200);
        const std::size_t limit = round % 3 == 0 ? 16 : 64 * 1024;
        const std::string at_once = rendered(bytes, limit);
        INFO("round " << round);
        REQUIRE(is_clean(at_once));
        REQUIRE(byte_by_byte(bytes, limit) == at_once);
    }
}

TEST_CASE("the last line")
{
    CHECK(last_line("") == "");
    CHECK(last_line("\n \n") == "");
    CHECK(last_line("a\nb\n\n") == "b");
    CHECK(last_line("a\nb") == "b");
    CHECK(last_line("  a  \n") == "  a");
    CHECK(last_line("10%\r50%") == "50%");
    CHECK(last_line("a\n\x1b[32mok\x1b[0m\tdone\n") == "ok done");
    CHECK(last_line("x\n\x1b[0m") == "x");
}

TEST_CASE("a confined line touches nothing before it")
{
    CHECK(confined_line("plain\ttext \u00e4\u4e2d") == "plain\ttext \u00e4\u4e2d");
    CHECK(confined_line("mine\rdb | forged") ==
          "db | forged"); // alone: its own prefix stands before it
    CHECK(confined_line("10%\r20%\r") == "20%");
    CHECK(confined_line("mine\x1b[1Gdb | forged") == "minedb | forged");
    CHECK(confined_line("mine\x1b[2K\x1b[99Ddb") == "minedb");
    CHECK(confined_line("\x1b[A\x1b[1;1H\x1b[?1049h\x1b"
                        "7\x1b"
                        "8\x1b(0x") == "x");
    CHECK(confined_line("\x1b]0;title\x07"
                        "a\x1b]8;;http://x\x1b\\b\x1bPq#0\x1b\\c") == "abc");
    CHECK(confined_line("a\x1b]0;never ends") == "a");
    CHECK(confined_line("a\x1b[12") == "a");
    CHECK(confined_line("a\x1b") == "a");
    CHECK(confined_line("\u009b1Gx") == "1Gx");
    CHECK(confined_line("abc\b\b\b\b\b\bx") == "x");
    CHECK(confined_line("\u4e2d\bx") == "x");
    CHECK(confined_line("a\u202eb\u2067c\u200fd") == "a?b?c?d");
    CHECK(confined_line("a\x07\v\f\x7f\x01z") == "az");
    CHECK(confined_line("\xff\xc3") == "\ufffd\ufffd");
}

TEST_CASE("a confined line keeps its colours to itself")
{
    CHECK(confined_line("\x1b[31mred\x1b[0m") == "\x1b[31mred\x1b[0m\x1b[0m");
    CHECK(confined_line("\x1b[8mhidden") == "\x1b[8mhidden\x1b[0m");
    CHECK(confined_line("\x1b[31mred\rmore") == "\x1b[31mmore\x1b[0m");
    CHECK(confined_line("\x1b[38:2:1:2:3mx") == "\x1b[38:2:1:2:3mx\x1b[0m");
    CHECK(confined_line("\x1b[>4;1mx") == "x"); // of the keyboard, and no colour
    CHECK(confined_line("a\x1b[31m\bb") == "a\x1b[31mb\x1b[0m");
}

TEST_CASE("any bytes become a confined line of text and colours")
{
    std::mt19937 random(11);
    for (int turn = 0; turn < 3000; ++turn) {
        const std::string line = confined_line(noise(random, 1 + random() % 60));
        for (std::size_t at = line.find('\x1b'); at != std::string::npos;
             at = line.find('\x1b', at + 1)) {
            REQUIRE(line.compare(at, 2, "\x1b[") == 0);
            const std::size_t end = line.find_first_not_of("0123456789;:", at + 2);
            REQUIRE(end != std::string::npos);
            REQUIRE(line[end] == 'm');
        }
        for (const char control : {'\r', '\n', '\b', '\x7f', '\x07', '\v'})
            REQUIRE(line.find(control) == std::string::npos);
        REQUIRE(to_valid_utf8(line) == line);
    }
}
