#include "support/catch.hpp"

#include <bgt/core/pattern.hpp>
#include <bgt/core/progress.hpp>

#include <chrono>
#include <limits>
#include <random>

using namespace bgt;
using core::find_progress;
using core::progress_of_groups;
using core::seconds_left;

namespace {

struct Case {
    std::string line;
    double fraction;
    std::string step = {};
    std::optional<std::uint32_t> total = {};
};

} // namespace

TEST_CASE("the common shapes of progress are read")
{
    const std::vector<Case> cases = {
        {"[3/10] Building x", 0.3, "Building x", 10},
        {"  [ 3 / 10 ]  Linking  ", 0.3, "Linking", 10},
        {"(3/10) Installing glibc", 0.3, "Installing glibc", 10},
        {"[10/10]", 1.0, "", 10},
        {"[0/7] start", 0.0, "start", 7},
        {"[ 45%] Building CXX object a.o", 0.45, "Building CXX object a.o"},
        {"[100%] Built target all", 1.0, "Built target all"},
        {"45%", 0.45},
        {"45.5% done", 0.455},
        {"45 %", 0.45},
        {"0%", 0.0},
        {"progress:45%", 0.45},
        {"██████░░ 45%|", 0.45},
        {"进度45%", 0.45},
        {"10% of 90%", 0.9},
        {"50% then 150%", 0.5},
        {"Test 3 of 10", 0.3, "", 10},
        {"3 of 10: x", 0.3, "", 10},
        {"pulled 3 of 10.", 0.3, "", 10},
        {"Upgrading (3/10): vim", 0.3, "", 10},
        {"layer [3/10] x", 0.3, "", 10},
        {"[3/10] copied 80%", 0.3, "copied 80%", 10},
        {"fetch (3/10) 80%", 0.8},
    };
    for (const Case& expected : cases) {
        INFO(expected.line);
        const auto found = find_progress(expected.line);
        REQUIRE(found);
        CHECK(found->fraction.value() == Approx(expected.fraction));
        CHECK(found->step == expected.step);
        CHECK(found->total_steps == expected.total);
    }
}

TEST_CASE("percentages as programs print them are progress, those amid words are none")
{
    for (const char* line : {
             "Receiving objects:  45% (123/273), 1.2 MiB | 1.1 MiB/s",
             "  50K .......... ..........  45% 1.20M 3s", // git, wget
             "####### 45.0%",
             " 45%|####5     | 45/100 [00:12<00:15]",
             "     32,768  45%    1.20MB/s    0:00:10", // curl, tqdm, rsync
             "data.bin   45% 1234KB   1.2MB/s   00:01 ETA",
             "[download]  45.0% of 10.00MiB at 1.20MiB/s ETA 00:05", // scp, yt-dlp
             "[download]  45.0% of ~10.00MiB",
             "<====---> 45% EXECUTING [3s]",
             "Encoding: task 1 of 1, 45.00 %", // gradle, HandBrake
             "tests/test_a.py ........ [ 45%]",
             "Progress: [ 45%] [####....]",
             "(Reading database ... 45%", // pytest, apt, dpkg
             "[#a1 1MiB/2MiB(45%) CN:1 DL:1MiB ETA:3s]",
             "<s> [webpack.Progress] 45% building 1/2 modules", // aria2, webpack
             "Extracting archive 45% complete",
             "copied 45%",
             "Building image 45% (2 of 9)",
             " 45% building modules",
             "Loss so far: 45% done",
         }) {
        INFO(line);
        const auto found = find_progress(line);
        REQUIRE(found);
        CHECK(found->fraction.value() == Approx(0.45));
    }
    for (const char* line : {
             "about 45% of users",
             "45% of users said so",
             "roughly 45% of the users, or more",
             "the disk is 45% full",
             "warning: the rate fell by 45%, which is much",
             "we saved 45%.",
             "3 packets transmitted, 0 received, 100% packet loss, time 2050ms",
             "Only 45%\tof them",
             "memory at 45%, swap at 12%, which is fine",
         }) {
        INFO(line);
        CHECK_FALSE(find_progress(line));
    }
}

TEST_CASE("what only looks like progress is none")
{
    for (const char* line : {
             "",
             " ",
             "[",
             "(",
             "[]",
             "[/]",
             "[3/]",
             "[/3]",
             "[3/0]",
             "[0/0]",
             "0 of 0",
             "[11/10]",
             "(3/10/2026)",
             "3/10/2026",
             "[3/10/2026] started",
             "3/10",
             "10.0.0.0/24",
             "192.168.1.1",
             "[10.0.0.1/24]",
             "v1.2.45%",
             "1e309%",
             "1e3%",
             "x45%",
             "-5%",
             "+5%",
             "101%",
             "100.1%",
             "99999999999999999999999999%",
             "100%20",
             "a%20b",
             "5%d",
             "100%%",
             "inf%",
             "nan%",
             "0x1p3%",
             "1,000%",
             "3 of 10/2026",
             "3 of 10.5.1",
             "3 of 10th",
             "3 of 10-2",
             "3  of 10",
             "a3 of 10",
             "1.3 of 10",
             "3 of",
             " of 10",
             "11 of 10",
             "3 of 10x%",
             "[3/10",
             "3/10]",
             "[3/10)",
             "[-3/10]",
             "[3/-10]",
             "[3.5/10]",
             "[1/4294967296]",
             "[18446744073709551616/18446744073709551617]",
             "2026-11-21 10:00",
             "12:45:10",
             "%",
             "[%]",
             "[ %]",
             "50 percent",
         }) {
        INFO(line);
        CHECK_FALSE(find_progress(line));
    }
}

TEST_CASE("a step is safe to show and of bounded length")
{
    const auto hostile = find_progress("[1/2] a\x1b[31m\xff\tb");
    REQUIRE(hostile);
    CHECK(hostile->step == "a?[31m\xef\xbf\xbd b");
    const auto long_one = find_progress("[1/2] " + std::string(64 * 1024, 'x'));
    REQUIRE(long_one);
    CHECK(long_one->step == std::string(79, 'x') + "…");
}

TEST_CASE("lines of 64 KiB are read in a moment")
{
    const std::size_t size = 64 * 1024;
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string unit :
         {"[", "[ ", "(1/", "2 of ", "1 ", "9", "9.", "1%%", "[1", " ", "(", "\xff"}) {
        std::string line;
        while (line.size() < size) line += unit;
        CHECK(find_progress(line).has_value() == (unit == "2 of ")); // 2 of 2
        CHECK(find_progress(line + " 45%"));
    }
    CHECK(find_progress("[" + std::string(size, ' ') + "3/10]"));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("whatever is read, a fraction is between 0 and 1")
{
    std::mt19937 random(11);
    const std::string letters = "[](0123456789/%. of\xe2\x96\x88x";
    int found_any = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::string line(random() % 16, ' ');
        for (char& c : line) c = letters[random() % letters.size()];
        const auto found = find_progress(line);
        if (!found) continue;
        ++found_any;
        REQUIRE(found->fraction);
        REQUIRE((*found->fraction >= 0 && *found->fraction <= 1));
        REQUIRE(found->total_steps.value_or(1) > 0);
    }
    CHECK(found_any > 1000);
}

TEST_CASE("the groups of a pattern are a percentage, a fraction, or done and total")
{
    using Groups = std::vector<std::string_view>;
    const auto fraction = [](const Groups& groups) -> std::optional<double> {
        const auto found = progress_of_groups(groups);
        return found ? found->fraction : std::nullopt;
    };
    CHECK(fraction({"45"}) == Approx(0.45));
    CHECK(fraction({"45.5"}) == Approx(0.455));
    CHECK(fraction({"0.45"}) == Approx(0.45));
    CHECK(fraction({"1.0"}) == 1.0);
    CHECK(fraction({"1"}) == Approx(0.01));
    CHECK(fraction({"1.5"}) == Approx(0.015));
    CHECK(fraction({"100"}) == 1.0);
    CHECK(fraction({"3", "4"}) == 0.75);
    CHECK(fraction({"1.5", "3.0"}) == 0.5);
    CHECK(progress_of_groups(Groups{"3", "4"})->total_steps == 4u);
    CHECK_FALSE(progress_of_groups(Groups{"3", "4.5"})->total_steps);
    CHECK_FALSE(progress_of_groups(Groups{"3", "4294967296"})->total_steps);
    for (const Groups& bad : {Groups{},
                              {""},
                              {"x"},
                              {"101"},
                              {"-1"},
                              {"inf"},
                              {"nan"},
                              {"1e2"},
                              {" 45"},
                              {"45 "},
                              {"4,5"},
                              {"3", "0"},
                              {"5", "4"},
                              {"3", ""},
                              {"", "4"},
                              {"3", "inf"},
                              {"1", "2", "3"}}) {
        CHECK_FALSE(progress_of_groups(bad));
    }
    CHECK_FALSE(progress_of_groups(Groups{std::string_view("45\0", 3)}));
}

TEST_CASE("a line is read by the user's own pattern")
{
    const auto by = [](const char* pattern, std::string_view line) -> std::optional<double> {
        auto compiled = core::Pattern::compile(pattern);
        REQUIRE(compiled);
        const auto found = find_progress(line, *compiled);
        return found ? found->fraction : std::nullopt;
    };
    CHECK(by("epoch ([0-9]+) of ([0-9]+)", "[1/2] epoch 3 of 4, 99%") == 0.75);
    CHECK(by("done=([0-9.]+)", "done=45.5") == Approx(0.455));
    CHECK(by("done=(.*)", "done=0.5") == 0.5);
    CHECK_FALSE(by("done=(.*)", "done=soon"));
    CHECK_FALSE(by("done=(.*)", "45%"));
    CHECK_FALSE(by("done=([0-9]+)(?: of ([0-9]+))?", "done=45")); // the second group took no part
    CHECK_FALSE(by("45%", "45%"));
    CHECK_FALSE(by("([0-9])([0-9])([0-9])", "123"));
    CHECK_FALSE(by("(.*)", "\xff\xfe"));
}

TEST_CASE("what is left is said when there is something to tell it by")
{
    CHECK(seconds_left(0, 0, 0.5, 100).value() == Approx(100));
    CHECK(seconds_left(0.5, 0, 0.75, 10).value() == Approx(10)); // a download that was resumed
    CHECK(seconds_left(0.5, 60, 0.5, 100).value() == Approx(100));
    CHECK(seconds_left(0.5, 100, 0.5, 700).value() == Approx(700));
    CHECK_FALSE(seconds_left(0.5, 100, 0.5, 700.5));
    CHECK_FALSE(seconds_left(0, 0, 0.019, 10));
    CHECK(seconds_left(0, 0, 0.02, 10));
    CHECK_FALSE(seconds_left(0, 0, 1, 10));
    CHECK_FALSE(seconds_left(0, 0, 1.5, 10));
    CHECK_FALSE(seconds_left(0, 10, 0.5, 10));
    CHECK_FALSE(seconds_left(0, 20, 0.5, 10)); // a clock set back
    CHECK_FALSE(seconds_left(0.5, 0, 0.5, 0));
    const double nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
    for (const double bad : {nan, inf, -inf}) {
        CHECK_FALSE(seconds_left(bad, 0, 0.5, 10));
        CHECK_FALSE(seconds_left(0, bad, 0.5, 10));
        CHECK_FALSE(seconds_left(0, 0, bad, 10));
        CHECK_FALSE(seconds_left(0, 0, 0.5, bad));
    }
}

TEST_CASE("a counter that has not moved is no progress, but at the begin of a line")
{
    core::ProgressReader footer;
    CHECK_FALSE(footer.read("\u23af\u23af\u23af\u23af[1/1]\u23af"));
    CHECK_FALSE(footer.read("\u23af\u23af\u23af\u23af[1/1]\u23af"));
    CHECK_FALSE(footer.read("[1/1]"));
    CHECK(footer.read("45%")->fraction.value() == Approx(0.45));

    core::ProgressReader build;
    CHECK(build.read("[1/10] Building a")->fraction.value() == Approx(0.1));
    CHECK(build.read("[10/10] Linking")->fraction.value() == Approx(1));

    core::ProgressReader coverage;
    CHECK_FALSE(coverage.read("100% coverage"));
    CHECK_FALSE(coverage.read("Statements : 100% ( 12/12 )"));
    CHECK(coverage.read("50%")->fraction.value() == Approx(0.5));
    CHECK(coverage.read("100%")->fraction.value() == Approx(1));

    core::ProgressReader test;
    CHECK_FALSE(test.read("Test 3 of 10"));
    CHECK_FALSE(test.read("Test 3 of 10"));
    CHECK(test.read("Test 4 of 10")->fraction.value() == Approx(0.4));
    CHECK(test.read("Test 4 of 10")->fraction.value() == Approx(0.4));
    CHECK_FALSE(test.read("Test 1 of 7"));
}
