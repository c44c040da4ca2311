// Recurrences in UTC: what the expressions mean, what is refused, and the words for people.
// Zones of the tz database are in tests/unit/os, comparisons with naive models in
// recurrence_model_test.
#include "support/catch.hpp"

#include <bgt/core/recurrence.hpp>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

WallTime at(const std::string& text)
{
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    return *time;
}

/// The next dates as "2027-03-28 01:00:00", joined by commas.
std::string fires(const Result<Recurrence>& recurrence, const std::string& from, int count = 1)
{
    if (!recurrence) return recurrence.error().message;
    std::string text;
    WallTime time = at(from);
    for (int i = 0; i < count; ++i) {
        const auto found = next(*recurrence, FixedZone(), time);
        if (!found) return text + "never";
        CHECK(*found > time);
        time = *found;
        std::string date = format_rfc3339(time).substr(0, 19);
        date[10] = ' ';
        text += (i == 0 ? "" : ", ") + date;
    }
    return text;
}
std::string cron(const std::string& expression, const std::string& from, int count = 1)
{
    return fires(parse_cron(expression), from, count);
}
std::string calendar(const std::string& expression, const std::string& from, int count = 1)
{
    return fires(parse_calendar(expression), from, count);
}

const std::string new_year = "2027-01-01T00:00:00Z"; // a Friday

} // namespace

TEST_CASE("cron: fields, lists, ranges, steps and names")
{
    CHECK(cron("* * * * *", new_year, 2) == "2027-01-01 00:01:00, 2027-01-01 00:02:00");
    CHECK(cron("30 4 1,15 * *", new_year, 3) ==
          "2027-01-01 04:30:00, 2027-01-15 04:30:00, 2027-02-01 04:30:00");
    CHECK(cron("*/15 9-17/4 * * *", new_year, 5) ==
          "2027-01-01 09:00:00, 2027-01-01 09:15:00, 2027-01-01 09:30:00, 2027-01-01 09:45:00, "
          "2027-01-01 13:00:00");
    CHECK(cron("5/20 0 * * *", new_year, 3) ==
          "2027-01-01 00:05:00, 2027-01-01 00:25:00, 2027-01-01 00:45:00");
    CHECK(cron("0 0 1 JAN,jul *", new_year, 2) == "2027-07-01 00:00:00, 2028-01-01 00:00:00");
    CHECK(cron("0 0 * * Mon-Wed", new_year, 3) ==
          "2027-01-04 00:00:00, 2027-01-05 00:00:00, 2027-01-06 00:00:00");
    CHECK(cron("0 0 * * sunday", new_year) == "2027-01-03 00:00:00");
    CHECK(cron("0 0 * * 0", new_year) == cron("0 0 * * 7", new_year));
    CHECK(cron("0 0 * * 5-7", new_year, 3) ==
          "2027-01-02 00:00:00, 2027-01-03 00:00:00, 2027-01-08 00:00:00");
    CHECK(cron("0 0 * * fri-sun", new_year, 3) == cron("0 0 * * 5-7", new_year, 3));
    CHECK(cron("0 0 ? * ?", new_year) == "2027-01-02 00:00:00");
    CHECK(cron("\t0  0 * * * ", new_year) == "2027-01-02 00:00:00");
    CHECK(cron("*/20 5 0 * * *", new_year, 3) ==
          "2027-01-01 00:05:00, 2027-01-01 00:05:20, 2027-01-01 00:05:40");
}

TEST_CASE("cron: the day of the month and that of the week, by the rule of Vixie")
{
    // Both given: one of them is enough.
    CHECK(cron("0 0 13 * fri", new_year, 4) ==
          "2027-01-08 00:00:00, 2027-01-13 00:00:00, 2027-01-15 00:00:00, 2027-01-22 00:00:00");
    // One begins with `*`: both have to match.
    CHECK(cron("0 0 */2 * mon", new_year, 2) == "2027-01-11 00:00:00, 2027-01-25 00:00:00");
    CHECK(cron("0 0 13 * */2", new_year, 2) == "2027-02-13 00:00:00, 2027-03-13 00:00:00");
}

TEST_CASE("cron: last days and the nth of a weekday")
{
    CHECK(cron("0 0 L * *", new_year, 2) == "2027-01-31 00:00:00, 2027-02-28 00:00:00");
    CHECK(cron("0 0 L 2 *", "2028-01-01T00:00:00Z") == "2028-02-29 00:00:00");
    CHECK(cron("0 0 L-2 * *", new_year, 2) == "2027-01-29 00:00:00, 2027-02-26 00:00:00");
    CHECK(cron("0 0 1,L * *", new_year, 2) == "2027-01-31 00:00:00, 2027-02-01 00:00:00");
    CHECK(cron("0 0 * * 5L", new_year, 2) == "2027-01-29 00:00:00, 2027-02-26 00:00:00");
    CHECK(cron("0 0 * * friL", new_year, 2) == cron("0 0 * * L5", new_year, 2));
    CHECK(cron("0 0 * * 7L", new_year) == "2027-01-31 00:00:00");
    CHECK(cron("0 0 * * fri#1", new_year, 2) == "2027-02-05 00:00:00, 2027-03-05 00:00:00");
    CHECK(cron("0 0 * * 1#1,3#2", new_year, 2) == "2027-01-04 00:00:00, 2027-01-13 00:00:00");
    CHECK(cron("0 0 * 2 1#5", new_year) == "2044-02-29 00:00:00");
}

TEST_CASE("cron: shorthands, leap years and the end of time")
{
    CHECK(cron("@hourly", new_year) == "2027-01-01 01:00:00");
    CHECK(cron("@daily", new_year) == cron("@midnight", new_year));
    CHECK(cron("@weekly", new_year) == "2027-01-03 00:00:00");
    CHECK(cron("@monthly", new_year) == "2027-02-01 00:00:00");
    CHECK(cron("@yearly", new_year) == "2028-01-01 00:00:00");
    CHECK(cron("@ANNUALLY", new_year) == "2028-01-01 00:00:00");
    CHECK(cron("0 0 29 2 *", "2096-03-01T00:00:00Z") == "2104-02-29 00:00:00");
    CHECK(cron("0 0 29 2 *", "2196-03-01T00:00:00Z") == "2204-02-29 00:00:00");
    CHECK(cron("0 0 31 12 *", "2261-12-31T00:00:00Z") == "never");
    CHECK(cron("* * * * *", "2262-04-01T00:00:00Z") == "never");
}

TEST_CASE("cron: what is wrong is said")
{
    const auto [expression, why] = GENERATE(
        table<std::string, std::string>({{"", "five fields"},
                                         {"* * * *", "five fields"},
                                         {"* * * * * * *", "five fields"},
                                         {"60 * * * *", "the minute 60 is not between 0 and 59"},
                                         {"* 24 * * *", "the hour 24"},
                                         {"* * 0 * *", "the day of the month 0"},
                                         {"* * * 13 *", "the month 13"},
                                         {"* * * * 8", "the day of the week 8"},
                                         {"60 * * * * *", "the second 60"},
                                         {"*/0 * * * *", "above 0"},
                                         {"*/90 * * * *", "the step 90 is more"},
                                         {"*/x * * * *", "above 0"},
                                         {"5-1 * * * *", "ends before it begins"},
                                         {"1,,2 * * * *", "is empty"},
                                         {"-1 * * * *", "the minute"},
                                         {"* * * foo *", "the month foo"},
                                         {"jan * * * *", "the minute jan"},
                                         {"* * 15W * *", "W (the nearest workday)"},
                                         {"* * LW * *", "W (the nearest workday)"},
                                         {"* * L-31 * *", "L-1 to L-30"},
                                         {"* * * * L", "5L is the last Friday"},
                                         {"* * * * 5#6", "1 to 5"},
                                         {"* * * * 9#1", "the day of the week 9"},
                                         {"@reboot", "names no time"},
                                         {"@never", "there are @yearly"},
                                         {"0 0 30 2 *", "it never happens"},
                                         {"0 0 31 4,6,9,11 *", "it never happens"},
                                         {"? * * * *", "the minute"},
                                         {"99999999999 * * * *", "the minute"}}));
    INFO(expression);
    const auto read = parse_cron(expression);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::usage);
    CHECK(read.error().message.find(why) != std::string::npos);
    INFO(read.error().message);
    CHECK(read.error().message.size() < 300);
}

TEST_CASE("calendar: weekdays, dates and times")
{
    CHECK(calendar("Mon..Fri *-*-* 02:00", new_year, 2) ==
          "2027-01-01 02:00:00, 2027-01-04 02:00:00");
    CHECK(calendar("sat,Sunday 12:30:15", new_year, 2) ==
          "2027-01-02 12:30:15, 2027-01-03 12:30:15");
    CHECK(calendar("Mon-Wed 0:00", new_year) == "2027-01-04 00:00:00");
    CHECK(calendar("Wed", new_year) == "2027-01-06 00:00:00");
    CHECK(calendar("*-*-1/10", new_year, 3) ==
          "2027-01-11 00:00:00, 2027-01-21 00:00:00, 2027-01-31 00:00:00");
    CHECK(calendar("02-29", new_year) == "2028-02-29 00:00:00");
    CHECK(calendar("2028..2030/2-05-03 11:12", new_year, 3) ==
          "2028-05-03 11:12:00, 2030-05-03 11:12:00never");
    CHECK(calendar("27-05-03", new_year) == "2027-05-03 00:00:00");
    CHECK(calendar("*:0/20", new_year, 3) ==
          "2027-01-01 00:20:00, 2027-01-01 00:40:00, 2027-01-01 01:00:00");
    CHECK(calendar("*:*:0/30", new_year) == "2027-01-01 00:00:30");
    CHECK(calendar("*/6:00", new_year) == "2027-01-01 06:00:00");
    CHECK(calendar("8..10:00,30", new_year, 3) ==
          "2027-01-01 08:00:00, 2027-01-01 08:30:00, 2027-01-01 09:00:00");
    CHECK(calendar("Mon *-*-1..7 10:00", new_year, 2) ==
          "2027-01-04 10:00:00, 2027-02-01 10:00:00");
    CHECK(calendar("2026-12-24", new_year) == "never");
}

TEST_CASE("calendar: days from the end of the month, shorthands and zones")
{
    CHECK(calendar("*-*~1", new_year, 2) == "2027-01-31 00:00:00, 2027-02-28 00:00:00");
    CHECK(calendar("*-02~03", new_year) == "2027-02-26 00:00:00");
    CHECK(calendar("02~1", new_year) == "2027-02-28 00:00:00");
    CHECK(calendar("Mon *-05~07/1", new_year) == "2027-05-31 00:00:00");
    CHECK(calendar("*-02~1..2", new_year, 2) == "2027-02-27 00:00:00, 2027-02-28 00:00:00");
    CHECK(calendar("minutely", new_year) == "2027-01-01 00:01:00");
    CHECK(calendar("hourly", new_year) == "2027-01-01 01:00:00");
    CHECK(calendar("daily", new_year) == "2027-01-02 00:00:00");
    CHECK(calendar("Weekly", new_year) == "2027-01-04 00:00:00");
    CHECK(calendar("monthly", new_year) == "2027-02-01 00:00:00");
    CHECK(calendar("quarterly", new_year) == "2027-04-01 00:00:00");
    CHECK(calendar("semiannually", new_year) == "2027-07-01 00:00:00");
    CHECK(calendar("yearly", new_year) == "2028-01-01 00:00:00");
    CHECK(parse_calendar("12:00 Europe/Berlin")->zone == "Europe/Berlin");
    CHECK(parse_calendar("daily utc")->zone == "UTC");
    CHECK(parse_calendar("Mon 12:00")->zone.empty());
}

TEST_CASE("calendar: what is wrong is said")
{
    const auto [expression, why] =
        GENERATE(table<std::string, std::string>({{"", "it is empty"},
                                                  {"   ", "it is empty"},
                                                  {"foo", "foo is no day of the week"},
                                                  {"Mon..", "no end"},
                                                  {"Fri..Mon", "the week begins with Monday"},
                                                  {"Mon..Tue..Wed", "one beginning and one end"},
                                                  {"Mon/2", "a space is missing"},
                                                  {"12", "a date is"},
                                                  {"25:00", "the hour 25 is not between 0 and 23"},
                                                  {"12:60", "the minute 60"},
                                                  {"12:00:60", "the second 60"},
                                                  {"12:00:00.5", "fractions of a second"},
                                                  {"12:00:00 x", "no time zone"},
                                                  {"*-13-01", "the month 13"},
                                                  {"*-01-32", "the day of the month 32"},
                                                  {"1969-01-01", "the year 1969"},
                                                  {"*-*~0", "~1 is the last day"},
                                                  {"*-*~32", "1 to 31"},
                                                  {"*-02-30", "it never happens"},
                                                  {"*:0/0", "above 0"},
                                                  {"*:5..1", "ends before it begins"},
                                                  {"*:", "a number is missing"},
                                                  {"12:00:00:00", "it is not clear"}}));
    INFO(expression);
    const auto read = parse_calendar(expression);
    if (why == "no time zone") { // the zone is looked up later
        REQUIRE(read);
        CHECK(read->zone == "x");
        return;
    }
    REQUIRE_FALSE(read);
    INFO(read.error().message);
    CHECK(read.error().kind == ErrorKind::usage);
    CHECK(read.error().message.find(why) != std::string::npos);
}

TEST_CASE("intervals count from their anchor")
{
    const auto every = anchored(*parse_every("90m"), at("2027-01-01T00:10:00.5Z"));
    const FixedZone utc;
    CHECK(*next(every, utc, at("2027-01-01T00:00:00Z")) == at("2027-01-01T00:10:00.5Z"));
    CHECK(*next(every, utc, at("2027-01-01T00:10:00.5Z")) == at("2027-01-01T01:40:00.5Z"));
    CHECK(*previous(every, utc, at("2027-01-01T00:10:00.4Z")) == at("2026-12-31T22:40:00.5Z"));
    const auto lost =
        missed(every, utc, at("2027-01-01T00:10:00.5Z"), at("2027-01-01T04:40:00.5Z"), 2);
    CHECK(lost.count == 3);
    CHECK(lost.newest == std::vector{at("2027-01-01T03:10:00.5Z"), at("2027-01-01T04:40:00.5Z")});
    CHECK(!next(every, utc, WallTime::max()));
    CHECK_FALSE(parse_every("500ms"));
    CHECK_FALSE(parse_every("1.5s"));
    CHECK_FALSE(parse_every("0"));
    CHECK_FALSE(parse_every("often"));
}

TEST_CASE("the three kinds are told apart")
{
    CHECK(parse_recurrence("5m")->is_interval());
    CHECK(parse_recurrence("every 1h30m")->is_interval());
    CHECK(*parse_recurrence("*/5 * * * *") == *parse_cron("*/5 * * * *"));
    CHECK(*parse_recurrence("@daily") == *parse_cron("@daily"));
    CHECK(*parse_recurrence("daily") == *parse_calendar("daily"));
    CHECK(*parse_recurrence("Mon 12:00 UTC") == *parse_calendar("Mon 12:00 UTC"));
    CHECK(*parse_recurrence("12:00") == *parse_calendar("12:00"));
    CHECK(*parse_recurrence("02-29") == *parse_calendar("02-29"));
    CHECK_FALSE(parse_recurrence(""));
    CHECK_FALSE(parse_recurrence("5x"));
    CHECK_FALSE(parse_recurrence("every so often"));
}

TEST_CASE("recurrences in words")
{
    const auto [expression, words] = GENERATE(table<std::string, std::string>({
        {"5m", "every 5m"},
        {"* * * * *", "every minute"},
        {"*/15 * * * *", "every 15 minutes"},
        {"*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"},
        {"0 * * * *", "every hour"},
        {"5 * * * *", "every hour at :05"},
        {"0 */6 * * *", "every 6 hours"},
        {"30 2 * * *", "at 02:30 every day"},
        {"0 9,17 * * 1-5", "at 09:00 and 17:00 on Monday to Friday"},
        {"*/10 9-17 * * *", "every 10 minutes from 09:00 to 17:59"},
        {"0 0 13 * fri", "at 00:00 on day 13 of the month, and on Friday"},
        {"0 0 1,L * *", "at 00:00 on day 1 and the last day of the month"},
        {"0 0 * 1,7 mon#1", "at 00:00 on the first Monday of the month in January and July"},
        {"*/10 * * * * *", "every 10 seconds"},
        {"30 * * * * *", "every minute at second 30"},
        {"0,5 30 2 * * *", "at seconds 0 and 5 in minute 30 from 02:00 to 02:59 every day"},
        {"Mon *-*-1..7 10:00", "at 10:00 on days 1 to 7 of the month, if it is Monday"},
        {"2028..2030-05-03", "at 00:00 on day 3 of the month in May in 2028 to 2030"},
        {"Sat,Sun 12:00 Europe/Berlin",
         "at 12:00 on Saturday and Sunday, by the clocks of Europe/Berlin"},
    }));
    INFO(expression);
    const auto read = parse_recurrence(expression);
    REQUIRE(read);
    CHECK(in_words(*read) == words);
}
