// Tables of cells: none is wider than the terminal.
#include "support/catch.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/columns.hpp>

#include <random>

using namespace bgt;
using namespace bgt::render;

TEST_CASE("columns stand under their titles, and no line ends with a blank")
{
    CHECK(columns({{"NAME", "N", "WHAT"}, {"a", "10", "x"}, {"longer", "9", ""}},
                  {.last_number = 1}) == "NAME     N  WHAT\na       10  x\nlonger   9\n");
}

TEST_CASE("where the terminal is narrow, cells are cut, then columns are left out")
{
    const std::vector<Cells> rows{{"NAME", "A", "B", "COMMAND"},
                                  {"a-name-of-a-task", "111", "222", "a command with words"}};
    CHECK(columns(rows, {}).find("a command with words\n") != std::string::npos);
    CHECK(columns(rows, {.width = 45, .free = {3, 0}, .unimportant = {2, 1}}) ==
          "NAME              A    B    COMMAND\n"
          "a-name-of-a-task  111  222  a command with w\u2026\n");
    CHECK(columns(rows, {.width = 31, .free = {3, 0}, .unimportant = {2, 1}}) ==
          "NAME          A    COMMAND\n"
          "a-name-of-a\u2026  111  a command w\u2026\n");
}

TEST_CASE("no line is wider than the terminal, whatever is in the cells")
{
    std::mt19937 random(7);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    for (int i = 0; i < 2000; ++i) {
        const std::size_t count = below(6) + 1;
        std::vector<Cells> rows(below(4) + 1);
        for (Cells& row : rows)
            for (std::size_t c = 0; c < count; ++c)
                row.push_back(std::string(below(30), 'x') + (below(4) == 0 ? "\u00e4" : ""));
        ColumnsStyle style{.width = below(100)};
        for (std::size_t c = 0; c < count; ++c)
            if (below(2) == 0) (below(2) == 0 ? style.free : style.unimportant).push_back(c);
        const std::string text = columns(rows, style);
        for (const std::string& line : split(text, '\n'))
            REQUIRE(display_width(line) <= std::max<std::size_t>(*style.width, 1));
    }
}
