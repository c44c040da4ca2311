#include "support/catch.hpp"

#include <bgt/os/ports.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>

#include <string>

using namespace bgt;

namespace {

constexpr const char* tail =
    " S 1 42 7 34816 42 4194560 100 0 0 0 11 22 33 44 20 0 3 0 98765 1000000 250 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

} // namespace

TEST_CASE("a stat line is read field by field")
{
    const auto stat = os::parse_stat(std::string("42 (cat)") + tail);
    REQUIRE(stat);
    CHECK(stat->key.pid == 42);
    CHECK(stat->key.start_ticks == 98765);
    CHECK(stat->comm == "cat");
    CHECK(stat->state == 'S');
    CHECK(stat->ppid == 1);
    CHECK(stat->pgrp == 42);
    CHECK(stat->session == 7);
    CHECK(stat->cpu_ticks == 33);
    CHECK(stat->threads == 3);
    CHECK(stat->rss_bytes >= 250 * 4096);
}

TEST_CASE("any name is taken up to the last parenthesis")
{
    for (const std::string name :
         {"", ")", "a b", ") R 1 (", "x\ny", "((", "))", " (", "\xff\x01"}) {
        const auto stat = os::parse_stat("42 (" + name + ")" + tail);
        REQUIRE(stat);
        CHECK(stat->comm == name);
        CHECK(stat->ppid == 1);
        CHECK(stat->state == 'S');
    }
}

TEST_CASE("what is no stat line is refused, at whatever byte it is cut")
{
    const std::string whole = std::string("42 (cat)") + tail;
    const std::size_t needed = whole.find(" 250 ") + 2; // a number that is cut is a number still
    for (std::size_t length = 0; length < needed; ++length)
        CHECK_FALSE(os::parse_stat(whole.substr(0, length)));
    CHECK_FALSE(os::parse_stat("x (cat)" + std::string(tail)));
    CHECK_FALSE(os::parse_stat("42(cat)" + std::string(tail)));
    CHECK_FALSE(os::parse_stat(") 42 (" + std::string(tail)));
    CHECK_FALSE(os::parse_stat("42 (cat) S one two three"));
    CHECK_FALSE(os::parse_stat("42 (cat)S 1 42" + std::string(tail)));
}

TEST_CASE("a zombie lives only while it has other threads")
{
    os::ProcStat stat;
    stat.threads = 1;
    for (const char state : {'R', 'S', 'D', 'T', 't', 'I'}) {
        stat.state = state;
        CHECK(os::is_living(stat));
    }
    stat.state = 'Z';
    CHECK_FALSE(os::is_living(stat));
    stat.threads = 2;
    CHECK(os::is_living(stat));
    stat.state = 'X';
    CHECK_FALSE(os::is_living(stat));
}

TEST_CASE("listeners in the text of /proc/net/tcp")
{
    const auto found =
        os::parse_proc_net("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                           "retrnsmt   uid  timeout inode\n"
                           "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 "
                           "00000000  1000        0 4242 1 x 100 0\n"
                           "   1: 0100007F:1539 0100007F:9999 01 00000000:00000000 00:00000000 "
                           "00000000  1000        0 4243 1 x 100 0\n"
                           "   2: 00000000000000000000000001000000:0050 "
                           "00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1\n"
                           "   3: damaged\n"
                           "   4: 0100007F:ZZZZ 00000000:0000 0A 00000000:00000000 00:00000000 "
                           "00000000  1000        0 4242 1\n");
    REQUIRE(found.size() == 2);
    CHECK(found[0].port == 0x1538);
    CHECK(found[0].inode == 4242);
    CHECK(found[1].port == 80);
    CHECK(found[1].inode == 77);
    CHECK(os::parse_proc_net("").empty());
}

TEST_CASE("cookies are matched whole")
{
    const auto find = [](std::string_view environment, std::string_view wanted) {
        return os::find_cookie(environment, wanted);
    };
    using namespace std::string_view_literals;
    CHECK(find("A=1\0BGT_COOKIE=abc\0B=2\0"sv, "abc") == os::Cookie::ours);
    CHECK(find("BGT_COOKIE=x:abc:y"sv, "abc") == os::Cookie::ours);
    CHECK(find("BGT_COOKIE=abc:x"sv, "abc") == os::Cookie::ours);
    CHECK(find("BGT_COOKIE=x\0BGT_COOKIE=abc"sv, "abc") == os::Cookie::ours);
    CHECK(find("BGT_COOKIE=abcd:xabc"sv, "abc") == os::Cookie::others);
    CHECK(find("BGT_COOKIE="sv, "") == os::Cookie::others);
    CHECK(find("BGT_COOKIE=::"sv, "") == os::Cookie::others);
    CHECK(find("XBGT_COOKIE=abc"sv, "abc") == os::Cookie::none);
    CHECK(find("A=BGT_COOKIE=abc"sv, "abc") == os::Cookie::none);
    CHECK(find(""sv, "abc") == os::Cookie::none);
}

TEST_CASE("descendants in a table stand after their parents, each once, whatever its order")
{
    const auto process = [](std::int32_t pid, std::int32_t parent, char state = 'S') {
        os::ProcStat stat;
        stat.key.pid = pid;
        stat.ppid = parent;
        stat.state = state;
        stat.threads = 1;
        return stat;
    };
    // 5 -> 9 -> 3 -> 2, a zombie 7 with what can't be its child, and a ring of reused pids 20, 21
    const std::vector<os::ProcStat> table{process(2, 3),   process(3, 9),      process(9, 5),
                                          process(6, 1),   process(7, 5, 'Z'), process(8, 7),
                                          process(20, 21), process(21, 20)};
    std::vector<std::int32_t> order;
    for (const auto& stat : os::ProcessTable(table).descendants_of(5))
        order.push_back(stat.key.pid);
    CHECK(order == std::vector<std::int32_t>{9, 3, 2});
    CHECK(os::ProcessTable(table).descendants_of(20).size() == 1);
    CHECK(os::ProcessTable(table).descendants_of(99).empty());
}
