// Recurrences when the clocks of real zones change, by the system's tz database; and the zones
// themselves against localtime_r.
#include "support/catch.hpp"

#include <bgt/core/recurrence.hpp>
#include <bgt/os/time_zone.hpp>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

using namespace bgt;
namespace chrono = std::chrono;

namespace {

std::shared_ptr<const os::TimeZone> zone(const std::string& name)
{
    auto opened = os::TimeZone::open(name);
    REQUIRE(opened);
    return *opened;
}

/// Between two dates in UTC, all fires as "10-31 00:30", joined by commas.
std::string fires(const std::string& expression, const std::string& name, const std::string& from,
                  const std::string& until)
{
    const auto recurrence = core::parse_recurrence(expression);
    REQUIRE(recurrence);
    const auto clocks = zone(name);
    const WallTime after = *parse_rfc3339(from + ":00Z"), end = *parse_rfc3339(until + ":00Z");
    std::vector<WallTime> found;
    std::string text;
    for (WallTime t = after;;) {
        const auto fire = core::next(*recurrence, *clocks, t);
        if (!fire || *fire > end) break;
        CHECK(*fire > t);
        found.push_back(t = *fire);
        text += (text.empty() ? "" : ", ") + format_rfc3339(t).substr(5, 5) + " " +
                format_rfc3339(t).substr(11, 5);
    }
    const core::Missed missed = core::missed(*recurrence, *clocks, after, end, 1000);
    CHECK(missed.count == found.size());
    CHECK(missed.newest == found);
    return text;
}

} // namespace

TEST_CASE("recurrences when the clocks of real zones change")
{
    // Berlin: 02:00 to 03:00 is skipped on March 28, and comes twice on October 31.
    CHECK(fires("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T12:00") ==
          "03-28 01:00");
    CHECK(fires("0 3 * * *", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T12:00") ==
          "03-28 01:00");
    CHECK(fires("0 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T12:00") ==
          "03-28 01:00");
    CHECK(fires("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:00", "2027-03-28T02:00") ==
          "03-28 00:30, 03-28 01:00, 03-28 01:30, 03-28 02:00");
    CHECK(fires("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00", "2027-10-31T12:00") ==
          "10-31 00:30");
    CHECK(fires("*/30 * * * *", "Europe/Berlin", "2027-10-30T23:59", "2027-10-31T01:30") ==
          "10-31 00:00, 10-31 00:30, 10-31 01:00, 10-31 01:30");
    CHECK(fires("Sun 02:30", "Europe/Berlin", "2027-10-30T12:00", "2027-10-31T12:00") ==
          "10-31 00:30");
    CHECK(fires("30 1 * * *", "America/New_York", "2027-11-07T00:00", "2027-11-07T23:00") ==
          "11-07 05:30");
    CHECK(fires("0 * * * *", "America/New_York", "2027-11-07T04:30", "2027-11-07T07:30") ==
          "11-07 05:00, 11-07 06:00, 11-07 07:00");
    // Cairo: the clocks change at midnight.
    CHECK(fires("0 0 * * *", "Africa/Cairo", "2027-04-29T12:00", "2027-04-30T12:00") ==
          "04-29 22:00");
    CHECK(fires("30 23 * * *", "Africa/Cairo", "2027-10-28T12:00", "2027-10-29T12:00") ==
          "10-28 20:30");
    // Lord Howe: by half an hour.
    CHECK(fires("15 2 * * *", "Australia/Lord_Howe", "2027-10-02T12:00", "2027-10-03T12:00") ==
          "10-02 15:30");
    CHECK(fires("45 1 * * *", "Australia/Lord_Howe", "2027-04-03T12:00", "2027-04-04T12:00") ==
          "04-03 14:45");
    // Apia had no 30th of December 2011.
    CHECK(fires("0 9 30 12 *", "Pacific/Apia", "2011-01-01T00:00", "2012-12-01T00:00").empty());
    CHECK(fires("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00", "2011-12-31T00:00") ==
          "12-29 19:00, 12-30 19:00");
    CHECK(fires("0 0 29 2 *", "UTC", "2096-03-01T00:00", "2104-12-01T00:00") == "02-29 00:00");
}

TEST_CASE("ten missed years are caught up by arithmetic")
{
    const auto clocks = zone("Europe/Berlin");
    const WallTime from = *parse_rfc3339("2027-01-01T00:00:00Z");
    const WallTime until = *parse_rfc3339("2037-01-01T00:00:00Z");
    for (const auto& [expression, count] :
         {std::pair{"* * * * *", 5'260'320u}, {"30 2 * * *", 3653u}, {"30 2 29 2 *", 3u}}) {
        const auto recurrence = core::parse_recurrence(expression);
        REQUIRE(recurrence);
        CHECK(core::missed(*recurrence, *clocks, from, until).count == count); // reads the zone
        auto best = chrono::nanoseconds::max();
        for (int i = 0; i < 20; ++i) {
            const auto start = chrono::steady_clock::now();
            const auto missed = core::missed(*recurrence, *clocks, from, until, 3);
            best = std::min(best, chrono::nanoseconds(chrono::steady_clock::now() - start));
            CHECK(missed.newest.size() == 3);
        }
        INFO(expression << ": " << best.count() << " ns");
        CHECK(best < chrono::milliseconds(1)); // some 20 us, without optimisation more
    }
}

TEST_CASE("zones say what localtime_r says")
{
    std::mt19937 random(1);
    std::uniform_int_distribution<std::int64_t> when(-2'000'000'000, 9'000'000'000);
    const char* const before = std::getenv("TZ");
    const std::string tz = before != nullptr ? before : "";
    for (const char* name : {"Europe/Berlin", "America/St_Johns", "Africa/Casablanca",
                             "Pacific/Apia", "Asia/Gaza", "Africa/Freetown", "UTC", "Etc/GMT+5"}) {
        const auto clocks = zone(name);
        std::vector<std::pair<std::int64_t, std::int64_t>> answers;
        for (int i = 0; i < 500; ++i) {
            const std::int64_t at = when(random);
            const WallTime time{chrono::seconds(at)};
            answers.emplace_back(at, clocks->offset(time).count());
            const WallTime steady = clocks->steady_until(time);
            CHECK(steady >= time);
            CHECK(clocks->offset(steady) == clocks->offset(time));
        }
        ::setenv("TZ", (std::string(":") + name).c_str(), 1);
        ::tzset();
        for (const auto& [at, offset] : answers) {
            std::tm local{};
            const auto clock = static_cast<std::time_t>(at);
            REQUIRE(::localtime_r(&clock, &local) != nullptr);
            INFO(name << " at " << at);
            CHECK(local.tm_gmtoff == offset);
        }
        if (before != nullptr) ::setenv("TZ", tz.c_str(), 1);
        else ::unsetenv("TZ");
        ::tzset();
    }
}

TEST_CASE("to read a zone leaves TZ as it was")
{
    const char* const before = std::getenv("TZ");
    const std::string tz = before != nullptr ? before : "";
    ::setenv("TZ", "Asia/Tokyo", 1);
    const auto own = zone("");
    const WallTime time = *parse_rfc3339("2027-07-01T00:00:00Z");
    CHECK(zone("Europe/Berlin")->offset(time) == chrono::hours(2));
    CHECK(std::string(std::getenv("TZ")) == "Asia/Tokyo");
    CHECK(own->name() == "Asia/Tokyo");
    CHECK(own->offset(time) == chrono::hours(9));
    CHECK_FALSE(own->changed());
    if (before != nullptr) ::setenv("TZ", tz.c_str(), 1);
    else ::unsetenv("TZ");
    ::tzset();
}

TEST_CASE("a zone that is not there is named, a hostile name is refused")
{
    const auto missing = os::TimeZone::open("Europe/Berln");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::usage);
    CHECK(missing.error().message.find("Europe/Berln") != std::string::npos);
    for (const std::string name : {"../../etc/passwd", "/etc/localtime", "Europe/../UTC",
                                   "Europe//Berlin", "Europe/", ".", "UTC\n", "CET-1CEST,M3.5.0",
                                   ":UTC", "a b", "Europe", "zone.tab", "right/Europe/Berlin"}) {
        INFO(name);
        const auto opened = os::TimeZone::open(name);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().kind == ErrorKind::usage);
        CHECK(opened.error().message.size() < 250);
    }
    CHECK_FALSE(os::TimeZone::open(std::string(5000, 'x')));
}

TEST_CASE("a changed tz database is noticed, and UTC needs none")
{
    namespace fs = std::filesystem;
    std::string folder = "/tmp/bgt-zones-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const char* const before = std::getenv("TZDIR");
    const std::string original = before != nullptr ? before : "/usr/share/zoneinfo";
    ::setenv("TZDIR", folder.c_str(), 1);
    CHECK(zone("UTC")->offset(WallTime{}) == chrono::seconds(0));
    const auto none = os::TimeZone::open("Europe/Berlin");
    REQUIRE_FALSE(none);
    CHECK(none.error().message.find(folder) != std::string::npos);

    fs::copy_file(original + "/Europe/Berlin", folder + "/Here");
    const auto here = zone("Here");
    const WallTime winter = *parse_rfc3339("2027-01-01T00:00:00Z");
    CHECK(here->offset(winter) == chrono::hours(1));
    CHECK_FALSE(here->changed());
    fs::copy_file(original + "/Asia/Tokyo", folder + "/new");
    fs::rename(folder + "/new", folder + "/Here");
    CHECK(here->changed());
    CHECK(here->offset(winter) == chrono::hours(1)); // as long as nobody opens it anew
    CHECK(zone("Here")->offset(winter) == chrono::hours(9));

    if (before != nullptr) ::setenv("TZDIR", original.c_str(), 1);
    else ::unsetenv("TZDIR");
    fs::remove_all(folder);
}
