#include "support/catch.hpp"

#include <bgt/base/text.hpp>

#include <random>

using namespace bgt;

namespace {

std::string random_bytes(std::mt19937_64& random)
{
    static const std::string pieces[] = {"a",
                                         "\xc3\xa9",
                                         "\xe6\xbc\xa2",
                                         "\xf0\x9f\x98\x80",
                                         "\xcc\x81",
                                         "\xff",
                                         "\xe6\xbc",
                                         "\xc0\x80",
                                         "\x1b",
                                         "\n",
                                         "\xed\xa0\x80",
                                         std::string(1, '\0'),
                                         "\xc2\x85",
                                         "\xf5",
                                         "'",
                                         " "};
    std::string out;
    for (auto n = random() % 12; n > 0; --n) out += pieces[random() % std::size(pieces)];
    return out;
}

} // namespace

TEST_CASE("each invalid byte becomes one replacement character")
{
    CHECK(to_valid_utf8("abc\n") == "abc\n");
    CHECK(to_valid_utf8("\xff") == "\xef\xbf\xbd");
    CHECK(to_valid_utf8("a\xe6\xbc") == "a\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(to_valid_utf8("\xc0\x80") == "\xef\xbf\xbd\xef\xbf\xbd");                 // overlong
    CHECK(to_valid_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // surrogate
    CHECK(to_valid_utf8("\xf4\x90\x80\x80").size() == 12); // above U+10FFFF
    CHECK(to_valid_utf8("\xf0\x9f\x98\x80") == "\xf0\x9f\x98\x80");
    CHECK(to_valid_utf8(std::string("\0", 1)) == std::string("\0", 1));
}

TEST_CASE("printable text holds nothing that moves a cursor")
{
    CHECK(printable("a\tb\nc") == "a b c");
    CHECK(printable("\x1b[31mred\x7f") == "?[31mred?");
    CHECK(printable("\xc2\x9b") == "?");
    CHECK(printable("\xe2\x80\xae") == "?"); // right-to-left override
    CHECK(printable("\r\v") == "??");
    CHECK(printable("\xff") == "\xef\xbf\xbd");
}

TEST_CASE("printable text holds nothing that hides or rearranges it")
{
    for (const char* hidden :
         {"\u00ad", "\u061c", "\u115f", "\u180e",     "\u200b",     "\u200d",    "\u200e", "\u200f",
          "\u2028", "\u202a", "\u202e", "\u2060",     "\u2066",     "\u2069",    "\u206f", "\u3164",
          "\ufeff", "\uffa0", "\ufffb", "\U0001d173", "\U000e0001", "\U000e007f"}) {
        INFO(hidden);
        CHECK(printable(std::string("a") + hidden + "b") == "a?b");
    }
    for (const char* seen : {"\u00ac", "\u00ae", "\u0301", "\u2010", "\u2764\ufe0f", "\u3000",
                             "\ufffd", "\U0001f600", "\u05d0", "\u0627"}) {
        INFO(seen);
        CHECK(printable(seen) == seen);
    }
}

TEST_CASE("JSON is escaped where printable text would not show it")
{
    CHECK(escape_unsafe_json("{\"a\":\"b\"}") == "{\"a\":\"b\"}");
    CHECK(escape_unsafe_json("\"\u202e\x7f\u009b\u200b\U000e0041\"") ==
          R"("\u202e\u007f\u009b\u200b\udb40\udc41")");
    CHECK(escape_unsafe_json("\"\u00e4\u20ac\U0001f600\u2764\ufe0f\"") ==
          "\"\u00e4\u20ac\U0001f600\u2764\ufe0f\"");
    CHECK(escape_unsafe_json("\"\u202e") == "\"\\u202e");
}

TEST_CASE("width is counted in columns")
{
    CHECK(display_width("abc") == 3);
    CHECK(display_width("\xe6\xbc\xa2\xe5\xad\x97") == 4); // two ideographs
    CHECK(display_width("\xf0\x9f\x98\x80") == 2);         // emoji
    CHECK(display_width("e\xcc\x81") == 1);                // combining accent
    CHECK(display_width("\xc3\xa9") == 1);
    CHECK(display_width("\xe2\x80\x8b") == 0); // zero width space
    CHECK(display_width("\x1b\n") == 0);
    CHECK(display_width("\xef\xbc\xa1") == 2);             // full-width A
    CHECK(display_width("\xea\xb0\x80") == 2);             // Hangul syllable
    CHECK(display_width("\xe2\x94\x80\xe2\x80\xa6") == 2); // box drawing, ellipsis
    CHECK(display_width("\xf0\xa0\x80\x80") == 2);         // plane 2
    CHECK(display_width("") == 0);
    CHECK(display_width("\xe2\x9d\xa4\xef\xb8\x8f") ==
          2); // a heart, and VS16, which makes an emoji of it
    CHECK(display_width("\xf0\x9f\x98\x80\xef\xb8\x8f") == 2);
    CHECK(fit("\xe2\x9d\xa4\xef\xb8\x8f"
              "x",
              2) == "\xe2\x9d\xa4\xe2\x80\xa6");
}

TEST_CASE("a character carries a limited number of marks")
{
    std::string marked = "e";
    for (int i = 0; i < 8; ++i) marked += "\xcc\x81";
    CHECK(printable(marked) == marked);
    CHECK(printable(marked + "\xcc\x81\xcc\x81x") == marked + "??x");
    CHECK(display_width(printable(marked + marked)) == 2);
}

TEST_CASE("text is cut to its columns")
{
    CHECK(fit("hello", 5) == "hello");
    CHECK(fit("hello", 4) == "hel\xe2\x80\xa6");
    CHECK(fit("hello", 1) == "\xe2\x80\xa6");
    CHECK(fit("hello", 0).empty());
    CHECK(fit("", 3).empty());
    CHECK(fit("\xe6\xbc\xa2\xe5\xad\x97", 3) == "\xe6\xbc\xa2\xe2\x80\xa6");
    CHECK(fit("\xe6\xbc\xa2\xe5\xad\x97", 2) == "\xe2\x80\xa6"); // half of an ideograph does not go
    CHECK(fit("e\xcc\x81x", 2) == "e\xcc\x81x");
    CHECK(fit("abe\xcc\x81"
              "cd",
              4) == "abe\xcc\x81\xe2\x80\xa6");
}

TEST_CASE("any bytes become valid, fit their columns and stay valid")
{
    std::mt19937_64 random(23);
    for (int i = 0; i < 20000; ++i) {
        const std::string bytes = random_bytes(random);
        const std::string valid = to_valid_utf8(bytes);
        REQUIRE(to_valid_utf8(valid) == valid);
        const std::string line = printable(bytes);
        REQUIRE(printable(line) == line);
        REQUIRE(to_valid_utf8(line) == line);
        for (const char c : line) REQUIRE(static_cast<unsigned char>(c) >= 0x20);
        const std::size_t columns = random() % 10;
        const std::string cut = fit(line, columns);
        REQUIRE(display_width(cut) <= columns);
        REQUIRE(to_valid_utf8(cut) == cut);
        REQUIRE((cut == line) == (display_width(line) <= columns && (columns > 0 || cut == line)));
    }
}

TEST_CASE("words are quoted only where a shell needs it")
{
    CHECK(shell_quote("abc") == "abc");
    CHECK(shell_quote("--port=3000") == "--port=3000");
    CHECK(shell_quote("a/b-c_d.e:f,g@h%i+j") == "a/b-c_d.e:f,g@h%i+j");
    CHECK(shell_quote("") == "''");
    CHECK(shell_quote("A=b") == "'A=b'");
    CHECK(shell_quote("it's") == "'it'\\''s'");
    CHECK(shell_quote("a b") == "'a b'");
    CHECK(shell_quote("$x") == "'$x'");
    CHECK(shell_quote("~") == "'~'");
    CHECK(shell_quote("a\nb") == "'a\nb'");
    CHECK(shell_join({"sh", "-c", "echo $1; exit"}) == "sh -c 'echo $1; exit'");
    CHECK(shell_join({}).empty());
}

TEST_CASE("near names come nearest first")
{
    using Words = std::vector<std::string>;
    CHECK(near_matches("wbe", {"api", "web"}) == Words{"web"});
    CHECK(near_matches("timeuot", {"timeout", "time", "grace"}) == Words{"timeout"});
    CHECK(near_matches("frontend",
                       {"fronted", "front-end2", "frontends", "backend", "frontend1", "fontend"})
              .size() == 3);
    CHECK(near_matches("abcdef", {"abcxyf", "abcdeg"}) == Words{"abcdeg", "abcxyf"});
    CHECK(near_matches("web", {"web"}).empty());
    CHECK(near_matches("7", {"8", "9"}).empty());
    CHECK(near_matches("", {"a"}).empty());
    CHECK(near_matches("x", {}).empty());
    CHECK(near_matches(std::string(10000, 'a'), {std::string(10000, 'b')}).empty());
}

TEST_CASE("a text is split at each separator, empty parts too")
{
    CHECK(split("a,b", ',') == std::vector<std::string>{"a", "b"});
    CHECK(split("", ',') == std::vector<std::string>{""});
    CHECK(split(",x,", ',') == std::vector<std::string>{"", "x", ""});
}
