#include "os/sample/sample_text.hpp"
#include "support/catch.hpp"

#include <random>
#include <string>
#include <sys/syscall.h>

using namespace bgt;
using os::epoll_inputs;
using os::io_counters;
using os::parse_life_stat;
using os::parse_syscall;
using os::restarted_call;
using os::SleepingCall;

namespace {

const std::string tail = " S 1 42 7 34816 43 4194560 100 0 0 0 11 22 33 44 20 0 3 0 98765 1000000 "
                         "250 18446744073709551615\n";

} // namespace

TEST_CASE("how long a thread has waited for a CPU")
{
    CHECK(bgt::os::run_delay("409534 100489 1\n") == std::chrono::nanoseconds(100489));
    CHECK_FALSE(bgt::os::run_delay("409534"));
    CHECK_FALSE(bgt::os::run_delay(""));
}

TEST_CASE("a stat line says what a look needs")
{
    for (const std::string name : {"cat", ")", "a b", ") R 1 (", "x\ny", "", "\xff\x01"}) {
        const auto stat = parse_life_stat("42 (" + name + ")" + tail);
        REQUIRE(stat);
        CHECK(stat->state == 'S');
        CHECK(stat->ppid == 1);
        CHECK(stat->pgrp == 42);
        CHECK(stat->tty == 34816);
        CHECK(stat->foreground == 43);
        CHECK(stat->own_ticks == 33);
        CHECK(stat->reaped_ticks == 77);
        CHECK(stat->threads == 3);
        CHECK(stat->start_ticks == 98765);
    }
    CHECK(parse_life_stat("1 (a) S 1 1 1 0 -1 0 0 0 0 0 -5 -6 -7 8 20 0 1 0 5 ")->foreground == -1);
    CHECK(parse_life_stat("1 (a) S 1 1 1 0 -1 0 0 0 0 0 -5 -6 -7 8 20 0 1 0 5 ")->own_ticks == 0);
}

TEST_CASE("what is no stat line is none, wherever it is cut")
{
    const std::string whole = "42 (cat)" + tail;
    const std::size_t needed = whole.find(" 98765") + 2; // a number that is cut is a number still
    for (std::size_t length = 0; length < needed; ++length)
        CHECK_FALSE(parse_life_stat(whole.substr(0, length)));
    CHECK_FALSE(parse_life_stat("42 (cat) S x y z"));
    CHECK_FALSE(parse_life_stat("42 (cat)S" + tail));
    CHECK_FALSE(parse_life_stat(std::string(1000, ')')));
}

TEST_CASE("bytes to and from storage are summed")
{
    CHECK(
        io_counters("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n"
                    "cancelled_write_bytes: 16384\n")
            .storage == 12288);
    CHECK(io_counters("").storage == 0);
    CHECK(io_counters("read_bytes: -1\nwrite_bytes: x\nread_bytes:\n").storage == 0);
    CHECK(io_counters("read_bytes: 99999999999999999999999\nwrite_bytes: 7").storage == 7);
}

TEST_CASE("a system call is read with its arguments")
{
    const auto call =
        parse_syscall("0 0x0 0x7ffd5a 0xffffffffffffffff 0x1 0x2 0x3 0x7ffd 0x7f12\n");
    REQUIRE(call);
    CHECK(call->number == 0);
    CHECK(call->args == std::array<std::uint64_t, 6>{0, 0x7ffd5a, ~std::uint64_t{0}, 1, 2, 3});
    for (const char* text :
         {"", "running\n", "-1 0x7ffd 0x7f12\n", "0", "0 0x0 0x1 0x2 0x3 0x4", "0 1 2 3 4 5 6 7 8",
          "0 0xg 0x1 0x2 0x3 0x4 0x5", "x", "99999999999999999999 0x0 0x0 0x0 0x0 0x0 0x0",
          "0 0x11111111111111111 0x1 0x2 0x3 0x4 0x5"})
        CHECK_FALSE(parse_syscall(text));
}

TEST_CASE("a wait that goes on after a stop is the call that it was")
{
    const auto begun_again = [](std::uint64_t first, std::string_view place) {
        return restarted_call(SleepingCall{SYS_restart_syscall, {first}}, place);
    };
    CHECK(begun_again(0, "do_syscall_64") ==
          SYS_clock_nanosleep); // as Linux 6.18 shows it: the clock comes first
    CHECK(begun_again(0x7ffd82564c20, "hrtimer_nanosleep") == SYS_nanosleep);
    CHECK(begun_again(0x7fd3ac013f98, "futex_do_wait") == SYS_futex);
#ifdef SYS_poll
    CHECK(begun_again(0x559fd97e2e00, "poll_schedule_timeout.constprop.0") == SYS_poll);
#endif
    CHECK(restarted_call(SleepingCall{SYS_read, {0}}, "futex_do_wait") == SYS_read);
}

TEST_CASE("what an epoll descriptor watches for input is read")
{
    CHECK(epoll_inputs(
              "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1057\n"
              "tfd:        5 events:       19 data:                5  pos:0 ino:421 sdev:f\n"
              "tfd:        6 events:        4 data:                6  pos:0 ino:421 sdev:f\n"
              "tfd:        0 events: 80000001 data: ffffffffffffffff  pos:0 ino:3 sdev:1a\n") ==
          std::vector{5, 0});
    CHECK(epoll_inputs("").empty());
    CHECK(epoll_inputs("tfd: -1 events: 1\ntfd: x events: 1\ntfd: 3\ntfd: 3 events: g\ntfd: "
                       "99999999999 events: 1")
              .empty());
    std::string many;
    for (int fd = 0; fd < 1000; ++fd) many += "tfd: " + std::to_string(fd) + " events: 1\n";
    CHECK(epoll_inputs(many).size() == 64);
}

TEST_CASE("no text of /proc makes a parser fail")
{
    std::mt19937 random(3);
    const std::string letters = "0123456789 -()x:SZabcdef\ntfdeventsread_bytes";
    for (int round = 0; round < 50'000; ++round) {
        std::string text(random() % 200, ' ');
        for (char& c : text)
            c = random() % 16 == 0 ? static_cast<char>(random())
                                   : letters[random() % letters.size()];
        parse_life_stat(text);
        parse_syscall(text);
        io_counters(text);
        REQUIRE(epoll_inputs(text).size() <= 64);
    }
}
