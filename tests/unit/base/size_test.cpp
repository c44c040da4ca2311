#include "support/catch.hpp"

#include <bgt/base/size.hpp>

#include <random>

using namespace bgt;

TEST_CASE("sizes are powers of 1024")
{
    CHECK(*parse_size("4096") == 4096);
    CHECK(*parse_size("64K") == 65536);
    CHECK(*parse_size("64k") == 65536);
    CHECK(*parse_size("64KiB") == 65536);
    CHECK(*parse_size("256M") == 256ull << 20);
    CHECK(*parse_size("256MiB") == 256ull << 20);
    CHECK(*parse_size("1.5GiB") == 3ull << 29);
    CHECK(*parse_size("2T") == 2ull << 40);
    CHECK(*parse_size("0") == 0);
    CHECK(*parse_size("12B") == 12);
    CHECK(*parse_size("4EiB") == 1ull << 62);
    CHECK(*parse_size("4611686018427387904") == 1ull << 62);
}

TEST_CASE("bad sizes are refused")
{
    const auto text = GENERATE(as<std::string>{}, "", "-1", "K", "1KB", "1.5", "1.5B", "5EiB",
                               "4611686018427387905", "1X", "1 K", "1KiBx", "1.K", "0x10",
                               "18446744073709551616", "off", "\xff", std::string(10000, '1'));
    const auto size = parse_size(text);
    INFO(text.substr(0, 40));
    REQUIRE_FALSE(size);
    CHECK(size.error().kind == ErrorKind::usage);
    CHECK(size.error().message.size() < 300);
}

TEST_CASE("sizes for people are short and near the truth")
{
    CHECK(format_size(0) == "0 B");
    CHECK(format_size(512) == "512 B");
    CHECK(format_size(1023) == "1023 B");
    CHECK(format_size(65536) == "64 KiB");
    CHECK(format_size(3ull << 29) == "1.5 GiB");
    CHECK(format_size(1024) == "1 KiB");
    CHECK(format_size(1023ull << 10) == "1 MiB");
    CHECK(format_size(999ull << 10) == "999 KiB");
    CHECK(format_size(10239) == "10 KiB");
    CHECK(format_size(UINT64_MAX) == "16 EiB");
    std::mt19937_64 random(3);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t n = random() >> random() % 64;
        INFO(n << " " << format_size(n));
        REQUIRE(format_size(n).size() <= 7);
        std::string compact = format_size(n);
        compact.erase(compact.find(' '), 1);
        if (n > 1ull << 61) continue;
        const auto back = static_cast<double>(*parse_size(compact));
        REQUIRE(back >= 0.94 * static_cast<double>(n));
        REQUIRE(back <= 1.06 * static_cast<double>(n));
    }
}

TEST_CASE("exact sizes are read back the same")
{
    CHECK(format_size_exact(256ull << 20) == "256MiB");
    CHECK(format_size_exact(4097) == "4097");
    CHECK(format_size_exact(0) == "0");
    std::mt19937_64 random(5);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t n = (random() >> (2 + random() % 62)) >> (i % 50) << (i % 50);
        REQUIRE(*parse_size(format_size_exact(n)) == n);
    }
}
