#include <bgt/render/progress_bar.hpp>

#include <bgt/base/text.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>

using namespace bgt;
using namespace bgt::render;
using namespace std::chrono_literals;

TEST_CASE("A bar of any width")
{
    CHECK(progress_bar(0, 18) == "[>          ]   0%");
    CHECK(progress_bar(0.4, 17) == "[====>     ]  40%");
    CHECK(progress_bar(1, 17) == "[==========] 100%");
    CHECK(progress_bar(0.999, 17) == "[=========>]  99%");
    CHECK(progress_bar(0.29, 10) == "[>  ]  29%");
    CHECK(progress_bar(0.4, 9) == "      40%");
    CHECK(progress_bar(0.4, 4) == " 40%");
    CHECK(progress_bar(0.4, 3).empty());
    CHECK(progress_bar(0.4, 0).empty());
    for (std::size_t columns = 4; columns < 200; ++columns)
        for (const double fraction : {0.0, 0.001, 0.07, 0.5, 0.995, 1.0})
            REQUIRE(progress_bar(fraction, columns).size() == columns);
}

TEST_CASE("A fraction that is none")
{
    CHECK(progress_bar(-3, 17) == progress_bar(0, 17));
    CHECK(progress_bar(7, 17) == progress_bar(1, 17));
    CHECK(progress_bar(std::nan(""), 17) == progress_bar(0, 17));
    CHECK(progress_bar(std::numeric_limits<double>::infinity(), 17) == progress_bar(0, 17));
}

TEST_CASE("The line of a wait")
{
    ProgressLine line{"7 web running 12s", 0.4, 18s, "linking"};
    CHECK(progress_line(line, 79) ==
          "7 web running 12s [========>            ]  40% ~18s left | linking");
    line.left.reset();
    CHECK(progress_line(line, 79) == "7 web running 12s [========>            ]  40% | linking");
    line.fraction.reset();
    CHECK(progress_line(line, 79) == "7 web running 12s | linking");
    line.tail.clear();
    CHECK(progress_line(line, 79) == "7 web running 12s");
}

TEST_CASE("What does not fit is left out from the right, the bar last")
{
    const ProgressLine line{"7 web running 12s", 0.4, 18s,
                            "linking with a very long name that goes on and on"};
    CHECK(progress_line(line, 40) == "7 web running 12s [======>        ]  40%");
    CHECK(progress_line(line, 30) == "7 web running 12s [==>  ]  40%");
    CHECK(progress_line(line, 22) == "7 web running 12s  40%");
    CHECK(progress_line(line, 12).ends_with(" 40%"));
    CHECK(progress_line(line, 4) == " 40%");
    CHECK(progress_line(line, 79).ends_with("…"));
    for (std::size_t columns = 0; columns < 120; ++columns)
        REQUIRE(display_width(progress_line(line, columns)) <= columns);
    const ProgressLine wide{"7 サーバー running 3h4m", 0.05, 100h, "日本語の長い名前が続く"};
    for (std::size_t columns = 0; columns < 120; ++columns)
        REQUIRE(display_width(progress_line(wide, columns)) <= columns);
}
