// bgt schedule explain: when something would happen.
#include "support/catch.hpp"
#include "support/lab.hpp"

using namespace bgt::test;

namespace {

std::string fires(const Lab& lab, Words words)
{
    words.insert(words.begin(), {"schedule", "explain"});
    const auto json = lab.ask(words);
    std::string text;
    for (const auto& fire : at(json, "/fires").as_array())
        text += (text.empty() ? "" : " ") + std::string(fire.as_string());
    return text;
}

} // namespace

TEST_CASE("schedule explain prints words and dates")
{
    const Lab lab;
    const Ran ran = lab({"schedule", "explain", "30 2 * * 1-5", "--tz", "Europe/Berlin", "--from",
                         "2027-03-25T12:00:00Z", "-n", "2"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.out == "at 02:30 on Monday to Friday, by the clocks of Europe/Berlin\n"
                     "  Fri 2027-03-26 02:30:00 +01:00   2027-03-26T01:30:00.000Z\n"
                     "  Mon 2027-03-29 02:30:00 +02:00   2027-03-29T00:30:00.000Z\n");
    const Ran once =
        lab({"schedule", "explain", "2027-12-24 18:00 UTC", "--from", "2027-01-01T00:00:00Z"});
    CHECK(once.out.find("2027-12-24T18:00:00.000Z\n  and never again\n") != std::string::npos);
    CHECK(lab({"schedule", "explain", "2020-01-01"}).out.find("  never\n") != std::string::npos);
}

TEST_CASE("schedule explain answers in JSON for cron, calendars and intervals")
{
    const Lab lab;
    CHECK(fires(lab, {"*/30 * * * *", "--tz", "Europe/Berlin", "--from", "2027-10-30T23:59:00Z",
                      "-n", "4"}) == "2027-10-31T00:00:00.000Z 2027-10-31T00:30:00.000Z "
                                     "2027-10-31T01:00:00.000Z 2027-10-31T01:30:00.000Z");
    CHECK(fires(lab, {"Mon..Fri *-*-* 02:00 UTC", "--from", "2027-01-01T12:00:00Z", "-n", "1"}) ==
          "2027-01-04T02:00:00.000Z");
    CHECK(fires(lab, {"90m", "--from", "2027-01-01T12:00:00Z", "-n", "2"}) ==
          "2027-01-01T13:30:00.000Z 2027-01-01T15:00:00.000Z");
    CHECK(fires(lab, {"2020-01-01"}).empty());
}

TEST_CASE("schedule explain says what is wrong")
{
    const Lab lab;
    const auto [words, why] = GENERATE(table<Words, std::string>(
        {{{"schedule", "explain"}, "which expression?"},
         {{"schedule", "explain", "0 0 30 2 *"}, "it never happens"},
         {{"schedule", "explain", "@reboot"}, "@reboot names no time"},
         {{"schedule", "explain", "\x1b[31m"}, "calendar expression"},
         {{"schedule", "explain", "daily", "--tz", "Europe/Berln"}, "Europe/Berln"},
         {{"schedule", "explain", "daily", "--tz", ""}, "is empty"},
         {{"schedule", "explain", "daily", "--tz", "../../etc/passwd"}, "no name of a time zone"},
         {{"schedule", "explain", "daily UTC", "--tz", "Asia/Tokyo"}, "another one"},
         {{"schedule", "explain", "daily", "--from", "soon"}, "--from"},
         {{"schedule", "explain", "daily", "-n", "0"}, "--count"},
         {{"schedule", "explain", "daily", "-n", "1001"}, "--count"}}));
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.out.empty());
    CHECK(ran.err.find(why) != std::string::npos);
    CHECK(ran.err.find('\x1b') == std::string::npos);
}
