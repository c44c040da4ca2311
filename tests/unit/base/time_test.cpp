#include "support/catch.hpp"

#include <bgt/base/time.hpp>

#include <random>

using namespace bgt;
using namespace std::chrono_literals;

namespace {

Duration parsed(std::string_view text)
{
    auto d = parse_duration(text);
    INFO(text);
    REQUIRE(d);
    return *d;
}

} // namespace

TEST_CASE("durations are read as documented")
{
    CHECK(parsed("500ms") == 500ms);
    CHECK(parsed("30") == 30s);
    CHECK(parsed("30s") == 30s);
    CHECK(parsed("10m") == 10min);
    CHECK(parsed("1h30m") == 90min);
    CHECK(parsed("2d") == 48h);
    CHECK(parsed("1.5s") == 1500ms);
    CHECK(parsed("1.5") == 1500ms);
    CHECK(parsed("0") == 0s);
    CHECK(parsed("0.1") == 100ms);
    CHECK(parsed("1d2h3m4s5ms6us7ns") == 26h + 3min + 4s + 5ms + 6us + 7ns);
    CHECK(parsed("1.0000000009s") == 1s); // below a nanosecond
    CHECK(parsed("0.3333333333333333333333333333s") == 333333333ns);
    CHECK(parsed("36525d") == 24h * 36525);
}

TEST_CASE("a message quotes no more than a line of a bad duration")
{
    const auto bad = parse_duration(std::string(100'000, '\x01'));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().message.size() < 200);
}

TEST_CASE("bad durations are refused as usage errors")
{
    const auto text = GENERATE(
        as<std::string>{}, "", "-1", "-1s", "s", "5x", "5 s", " 5s", "1h1h", "5s1m", "1h30", "1.s",
        ".5s", "1..5s", "101y", "36526d", "99999999999999999999", "1e3", "0x10", "off", "5S", "NaN",
        "+5s", std::string("5s\0", 3), std::string(100000, '9'), std::string(100000, 'm'));
    const auto d = parse_duration(text);
    INFO(text.substr(0, 50));
    REQUIRE_FALSE(d);
    CHECK(d.error().kind == ErrorKind::usage);
    CHECK(d.error().message.size() < 300);
    CHECK(d.error().message.find('\n') == std::string::npos);
}

TEST_CASE("a limit may be off and is never zero")
{
    REQUIRE(parse_limit("off"));
    CHECK(*parse_limit("off") == std::nullopt);
    CHECK(*parse_limit("5s") == Duration(5s));
    CHECK_FALSE(parse_limit("0"));
    CHECK_FALSE(parse_limit("0ms"));
    CHECK_FALSE(parse_limit("OFF"));
    CHECK_FALSE(parse_limit(""));
}

TEST_CASE("durations are printed exactly")
{
    CHECK(format_duration(90min) == "1h30m");
    CHECK(format_duration(500ms) == "500ms");
    CHECK(format_duration(0s) == "0s");
    CHECK(format_duration(1500ms) == "1.5s");
    CHECK(format_duration(1500us) == "1500us");
    CHECK(format_duration(24h * 30) == "30d");
    CHECK(format_duration(1h + 1ns) == "1h1ns");
    CHECK(format_duration(-5s) == "-5s");
    CHECK_FALSE(format_duration(Duration::min()).empty());
    CHECK_FALSE(format_duration(Duration::max()).empty());
}

TEST_CASE("what is printed is read back the same")
{
    std::mt19937_64 random(7);
    for (int i = 0; i < 20000; ++i) {
        // All magnitudes alike, and round ones often.
        std::uint64_t n = random() % (36'525ull * 86'400 * 1'000'000'000) >> random() % 60;
        if (i % 2) n = n / 1'000'000'000 * 1'000'000'000;
        const Duration d(static_cast<Duration::rep>(n));
        INFO(n);
        REQUIRE(parsed(format_duration(d)) == d);
        REQUIRE(format_age(d).size() <= 6);
    }
}

TEST_CASE("ages are short")
{
    CHECK(format_age(4min + 12s) == "4m12s");
    CHECK(format_age(24h * 3 + 4h + 59min) == "3d4h");
    CHECK(format_age(800ms) == "0.8s");
    CHECK(format_age(12ms) == "12ms");
    CHECK(format_age(99ms) == "99ms");
    CHECK(format_age(9999ms) == "9.9s");
    CHECK(format_age(10s) == "10s");
    CHECK(format_age(59min + 59s) == "59m59s");
    CHECK(format_age(4min) == "4m");
    CHECK(format_age(0s) == "0ms");
    CHECK(format_age(-5s) == "0ms");
    CHECK(format_age(Duration::max()).size() <= 6);
    CHECK(format_age(Duration::min()) == "0ms");
}

TEST_CASE("times are RFC 3339")
{
    CHECK(format_rfc3339(WallTime{}) == "1970-01-01T00:00:00.000Z");
    CHECK(format_rfc3339(WallTime(1769860800s + 123456789ns)) == "2026-01-31T12:00:00.123Z");
    CHECK(format_rfc3339(WallTime(-1ns)) == "1969-12-31T23:59:59.999Z");
    CHECK(*parse_rfc3339("2026-01-31T12:00:00.123Z") == WallTime(1769860800s + 123ms));
    CHECK(*parse_rfc3339("2026-01-31T12:00:00Z") == WallTime(1769860800s));
    CHECK(*parse_rfc3339("2026-01-31t13:30:00.5+01:30") == WallTime(1769860800s + 500ms));
    CHECK(*parse_rfc3339("2026-01-31T11:00:00-01:00") == WallTime(1769860800s));
    CHECK(*parse_rfc3339("1970-01-01T00:00:00.0000000019999Z") == WallTime(1ns));
    CHECK(*parse_rfc3339("2024-02-29T00:00:00Z") - *parse_rfc3339("2024-02-28T00:00:00Z") == 24h);
}

TEST_CASE("bad times are refused")
{
    const auto text = GENERATE(
        as<std::string>{}, "", "2026", "2026-01-31", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx",
        "2026-01-31T12:00:00+1:00", "9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "-026-01-31T12:00:00Z", "2026-01-31T12:00:00+24:00", "\xff\xff");
    INFO(text);
    const auto t = parse_rfc3339(text);
    REQUIRE_FALSE(t);
    CHECK(t.error().kind == ErrorKind::usage);
}

TEST_CASE("times survive the round trip to the millisecond")
{
    std::mt19937_64 random(11);
    for (int i = 0; i < 5000; ++i) {
        const WallTime t{std::chrono::milliseconds(
            static_cast<std::int64_t>(random() % 18'000'000'000'000) - 9'000'000'000'000)};
        REQUIRE(*parse_rfc3339(format_rfc3339(t)) == t);
    }
}
