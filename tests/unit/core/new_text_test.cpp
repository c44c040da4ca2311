#include "support/catch.hpp"

#include <bgt/core/new_text.hpp>

#include <random>

using namespace bgt;
using core::mask_line;
using core::NewText;

TEST_CASE("numbers, spinners and blanks are masked")
{
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", ""},
        {" \t ", ""},
        {"compiled 12 of 340 files in 1.5s", "compiled # of # files in #.#s"},
        {"a1b22c333", "a#b#c#"},
        {"  two   words\t here  ", "two words here"},
        {"⠋ building", "* building"},
        {"⠋⠙⠹ building ⠋", "* building *"},
        {"◐ x ◓", "* x *"},
        {"🌑🌘 moon", "* moon"},
        {"🕛 clock 🕧", "* clock *"},
        {"/ working", "* working"},
        {"working \\", "working *"},
        {"working - done", "working * done"},
        {"|", "*"},
        {"src/main.cpp | a-b \\n", "src/main.cpp * a-b \\n"},
        {"🌐 no moon", "🌐 no moon"},
        {"◔ no spinner", "◔ no spinner"},
        {"é 5 ü", "é # ü"},
        {"٣", "٣"},
    };
    for (const auto& [line, masked] : cases) CHECK(mask_line(line) == masked);
}

TEST_CASE("invalid UTF-8 is masked to valid UTF-8")
{
    CHECK(mask_line("\xff") == "\xef\xbf\xbd");
    CHECK(mask_line("ok \xe2\xa0") == mask_line("ok \xe2\xa0"));
    CHECK(mask_line(std::string_view("a\0b", 3)) == std::string_view("a\0b", 3));
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random() % 4 == 0 ? " 1|/-\xe2\xa0\x8b"[random() % 8] : random());
        const std::string masked = mask_line(bytes);
        REQUIRE(mask_line(masked) == masked);
        REQUIRE(masked.find_first_of("0123456789") == masked.npos);
        REQUIRE((masked.empty() || (masked.front() != ' ' && masked.back() != ' ')));
    }
}

TEST_CASE("a spinner, a counter and a standing bar are new once")
{
    NewText text;
    CHECK(text.take("⠋ resolving"));
    for (const char* frame : {"⠙ resolving", "⠹ resolving", "⠸  resolving"})
        CHECK_FALSE(text.take(frame));
    CHECK(text.take("retry 1 of 99"));
    CHECK_FALSE(text.take("retry 2 of 99"));
    CHECK(text.take("[===>   ] 40%"));
    CHECK_FALSE(text.take("[===>   ] 41%"));
    CHECK(text.take("[====>  ] 50%"));
    CHECK_FALSE(text.take(""));
    CHECK_FALSE(text.take("   "));
}

TEST_CASE("64 different lines are remembered, those last seen")
{
    const auto line = [](int i) { return std::string(static_cast<std::size_t>(i), 'x'); };
    NewText text;
    for (int i = 1; i <= 64; ++i) CHECK(text.take(line(i)));
    for (int i = 1; i <= 64; ++i) CHECK_FALSE(text.take(line(i)));
    CHECK_FALSE(text.take(line(1))); // seen again: now line 2 is the oldest
    CHECK(text.take(line(65)));
    CHECK_FALSE(text.take(line(1)));
    CHECK(text.take(line(2)));
    CHECK(text.take(line(3)));
    CHECK_FALSE(text.take(line(65)));
}

TEST_CASE("a line that is repainted is never forgotten among 63 others")
{
    NewText text;
    CHECK(text.take("prompt?"));
    for (int i = 1; i <= 1000; ++i) {
        CHECK(text.take(std::string(static_cast<std::size_t>(i), 'y')));
        CHECK_FALSE(text.take("prompt?"));
    }
}

TEST_CASE("lines of 64 KiB are lines like others")
{
    NewText text;
    const std::string digits(64 * 1024, '7'), dots(64 * 1024, '.');
    CHECK(mask_line(digits) == "#");
    CHECK(text.take(digits));
    CHECK_FALSE(text.take("1"));
    CHECK(text.take(dots));
    CHECK_FALSE(text.take(dots));
    CHECK(text.take(dots + "."));
    CHECK(mask_line(std::string(64 * 1024, ' ')).empty());
}
