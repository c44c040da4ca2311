#include <bgt/core/notify.hpp>

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

Notification parsed(std::string_view text)
{
    INFO(text);
    const std::optional<Notification> found = parse_notification(text);
    REQUIRE(found);
    return *found;
}

bool is_sound(const Notification& n)
{
    const auto clean = [](const std::string& text) {
        for (const char c : text)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
        return true;
    };
    return (!n.status || (n.status->size() <= 127 && clean(*n.status))) &&
           (!n.step || (n.step->size() <= 63 && clean(*n.step))) &&
           (!n.watchdog || *n.watchdog >= 0s) && (!n.extend || *n.extend >= 0s) &&
           (!n.main_pid || *n.main_pid > 0) &&
           (!n.summary || (n.summary->size() <= 4096 && clean(*n.summary))) &&
           (!n.log || clean(n.log->text)) &&
           (!n.progress || (*n.progress >= 0 && *n.progress <= 1));
}

} // namespace

TEST_CASE("What sd_notify says")
{
    const Notification n = parsed("READY=1\nSTATUS=Processing requests...\nMAINPID=4711");
    CHECK(n.ready);
    CHECK_FALSE(n.stopping);
    CHECK_FALSE(n.beat);
    CHECK(n.status == "Processing requests...");
    CHECK(n.main_pid == 4711);
    CHECK(n.bad_fields == 0);
    CHECK(parsed("STOPPING=1\n").stopping);
    CHECK(parsed("WATCHDOG=1").beat);
    CHECK_FALSE(parsed("WATCHDOG=1").failed);
    CHECK(parsed("WATCHDOG=trigger").failed);
    CHECK_FALSE(parsed("WATCHDOG=trigger").beat);
    CHECK(parsed("BARRIER=1").barrier);
    CHECK(parsed("WATCHDOG_USEC=20000000").watchdog == 20s);
    CHECK(parsed("WATCHDOG_USEC=0").watchdog == 0s);
    CHECK(parsed("EXTEND_TIMEOUT_USEC=1500000").extend == 1500ms);
}

TEST_CASE("bgt's own fields")
{
    const Notification n = parsed("X_BGT_PROGRESS=0.4\nX_BGT_STEP=linking\nX_BGT_TOTAL=5\n");
    CHECK(n.progress == 0.4);
    CHECK(n.step == "linking");
    CHECK(n.total == 5u);
    CHECK(parsed("X_BGT_PROGRESS=0").progress == 0.0);
    CHECK(parsed("X_BGT_PROGRESS=1").progress == 1.0);
    CHECK(parsed("X_BGT_PROGRESS=1e-1").progress == 0.1);
    CHECK(parsed("X_BGT_STEP=").step == "");
}

TEST_CASE("Unknown fields are passed over")
{
    const Notification n = parsed("FDSTORE=1\nX_OTHER=2\nREADY=1\nno field\n=x\n1A=2\n\n");
    CHECK(n.ready);
    CHECK(n.bad_fields == 0);
    CHECK(parsed("FDNAME=x").bad_fields == 0);
}

TEST_CASE("Lines that end in CRLF, and a last one without an end")
{
    const Notification n = parsed("READY=1\r\nSTATUS=a b\r\nX_BGT_TOTAL=7\r");
    CHECK(n.ready);
    CHECK(n.status == "a b");
    CHECK(n.total == 7u);
    CHECK(n.bad_fields == 0);
}

TEST_CASE("Of a field that comes twice, the last value that can be counts")
{
    const Notification n = parsed("STATUS=one\nSTATUS=two\nX_BGT_PROGRESS=0.1\nX_BGT_PROGRESS=0."
                                  "2\nX_BGT_PROGRESS=7\nREADY=1\nREADY=0");
    CHECK(n.status == "two");
    CHECK(n.progress == 0.2);
    CHECK(n.ready);
    CHECK(n.bad_fields == 2);
}

TEST_CASE("Values that can't be are left out and counted")
{
    const std::string text = GENERATE(
        "READY=0", "READY=", "READY= 1", "READY=11", "STOPPING=yes", "WATCHDOG=2", "BARRIER=0",
        "WATCHDOG_USEC=", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=+1", "WATCHDOG_USEC=1s",
        "WATCHDOG_USEC=0x10", "WATCHDOG_USEC=18446744073709551615",
        "WATCHDOG_USEC=99999999999999999999999", "EXTEND_TIMEOUT_USEC=18446744073709551616",
        "EXTEND_TIMEOUT_USEC=1.5", "MAINPID=0", "MAINPID=-1", "MAINPID=2147483648", "MAINPID=1 ",
        "X_BGT_PROGRESS=-0.1", "X_BGT_PROGRESS=-0", "X_BGT_PROGRESS=1.01", "X_BGT_PROGRESS=nan",
        "X_BGT_PROGRESS=inf", "X_BGT_PROGRESS=1e999", "X_BGT_PROGRESS=40%",
        "X_BGT_PROGRESS=", "X_BGT_TOTAL=-1", "X_BGT_TOTAL=4294967296", "X_BGT_TOTAL=5.0");
    const Notification n = parsed(text);
    CHECK(n.bad_fields == 1);
    CHECK_FALSE((n.ready || n.stopping || n.beat || n.failed || n.barrier));
    CHECK_FALSE((n.watchdog || n.extend || n.main_pid || n.progress || n.total));
}

TEST_CASE("What is no message")
{
    CHECK_FALSE(parse_notification(""));
    CHECK_FALSE(parse_notification("\n\n"));
    CHECK_FALSE(parse_notification("READY"));
    CHECK_FALSE(parse_notification("=1"));
    CHECK_FALSE(parse_notification("{\"op\":\"stop\"}"));
    CHECK_FALSE(parse_notification("a b=c"));
    CHECK_FALSE(parse_notification(std::string_view("READY=1\0", 8)));
    CHECK_FALSE(parse_notification(std::string_view("READY=1\nX=\0\n", 12)));
}

TEST_CASE("Texts are made printable and cut between characters")
{
    CHECK(parsed("STATUS=\x1b[31mred\x07").status->find('\x1b') == std::string::npos);
    const std::string status = *parsed("STATUS=" + std::string(126, 'a') + "\xC3\xA4zz").status;
    CHECK(status == std::string(126, 'a'));
    CHECK(parsed("STATUS=" + std::string(125, 'a') + "\xC3\xA4zz").status ==
          std::string(125, 'a') + "\xC3\xA4");
    CHECK(parsed("X_BGT_STEP=" + std::string(200, 's')).step->size() == 63);
    CHECK(is_sound(parsed("STATUS=" + std::string(200, '\xff'))));
    CHECK(is_sound(parsed("STATUS=" + std::string(64 * 1024, '\x80'))));
}

TEST_CASE("A message of 64 KiB")
{
    std::string text;
    while (text.size() < 64 * 1024) text += "X_BGT_TOTAL=x\n";
    text += "READY=1";
    const Notification n = parsed(text);
    CHECK(n.ready);
    CHECK(n.bad_fields > 4000);
}

TEST_CASE("What bgt notify says of results and of the execution log")
{
    const Notification n = parsed(
        "X_BGT_LOG=warning cache is cold\nX_BGT_DATA={\"n\":1}\nX_BGT_SUMMARY=42 passed\n"
        "X_BGT_ARTIFACT=/a/b c\nX_BGT_ARTIFACT=/d\nX_BGT_METRIC=n=42\nX_BGT_METRIC=r=-0.5\n");
    REQUIRE(n.log);
    CHECK(n.log->level == "warning");
    CHECK(n.log->text == "cache is cold");
    CHECK(n.log_data == "{\"n\":1}");
    CHECK(*n.summary == "42 passed");
    CHECK(n.artifacts == std::vector<std::string>{"/a/b c", "/d"});
    REQUIRE(n.metrics.size() == 2);
    CHECK(n.metrics[0].name == "n");
    CHECK(n.metrics[0].value == 42);
    CHECK(n.metrics[1].value == -0.5);
    CHECK(n.bad_fields == 0);
    for (const char* bad :
         {"X_BGT_LOG=fatal x", "X_BGT_LOG=", "X_BGT_ARTIFACT=relative", "X_BGT_ARTIFACT=/\xff",
          "X_BGT_METRIC=n", "X_BGT_METRIC==1", "X_BGT_METRIC=n=inf", "X_BGT_METRIC=n=nan",
          "X_BGT_METRIC=n=1x", "X_BGT_METRIC=1n=1", "X_BGT_METRIC=a b=1"})
        CHECK(parsed(bad).bad_fields == 1);
}

TEST_CASE("Any bytes at all give a sound answer")
{
    std::mt19937 random(7);
    const std::string names[] = {
        "READY",     "STATUS",         "WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC",
        "MAINPID",   "X_BGT_PROGRESS", "X_BGT_STEP",    "X_BGT_TOTAL",
        "X_BGT_LOG", "X_BGT_SUMMARY",  "X_BGT_METRIC",  "X_BGT_ARTIFACT"};
    std::size_t understood = 0;
    for (int round = 0; round < 5000; ++round) {
        std::string text;
        for (auto field = random() % 6; field > 0; --field) {
            if (random() % 2) text += names[random() % std::size(names)] + "=";
            for (auto length = random() % 24; length > 0; --length)
                text += random() % 2 ? static_cast<char>('0' + random() % 10)
                                     : static_cast<char>(random() % 255 + 1);
            text += '\n';
        }
        const auto found = parse_notification(text);
        if (!found) continue;
        ++understood;
        REQUIRE(is_sound(*found));
    }
    CHECK(understood > 1000);
}
