#include "support/catch.hpp"

#include <bgt/base/signal_name.hpp>

#include <csignal>

using namespace bgt;

TEST_CASE("signals have their names")
{
    CHECK(signal_name(15) == "SIGTERM");
    CHECK(signal_name(6) == "SIGABRT");
    CHECK(signal_name(SIGRTMIN) == "SIGRTMIN");
    CHECK(signal_name(SIGRTMIN + 2) == "SIGRTMIN+2");
    CHECK(signal_name(99) == "SIG99");
    CHECK(signal_name(32) == "SIG32");
    CHECK(signal_name(0) == "SIG0");
    CHECK(signal_name(-1) == "SIG-1");
}

TEST_CASE("signals are read in all their spellings")
{
    for (const char* text : {"TERM", "SIGTERM", "term", "SigTerm", "15"})
        CHECK(*parse_signal(text) == 15);
    CHECK(*parse_signal("RTMIN+2") == SIGRTMIN + 2);
    CHECK(*parse_signal("SIGRTMIN") == SIGRTMIN);
    CHECK(*parse_signal("rtmax-1") == SIGRTMAX - 1);
    CHECK(*parse_signal("CLD") == SIGCHLD);
    CHECK(*parse_signal("1") == 1);
    CHECK(*parse_signal("64") == 64);
}

TEST_CASE("every signal survives the round trip")
{
    for (int number = 1; number <= 64; ++number) {
        INFO(number);
        CHECK(*parse_signal(signal_name(number)) == number);
    }
}

TEST_CASE("what is no signal is refused")
{
    const auto text =
        GENERATE(as<std::string>{}, "", "0", "65", "-1", "SIG", "SIGFOO", "TERM ", " TERM", "1x",
                 "RTMIN+99", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMAX--1", "SIGSIGTERM",
                 "99999999999", std::string(5000, 'A'), "\xff\n");
    INFO(text.substr(0, 40));
    const auto signal = parse_signal(text);
    REQUIRE_FALSE(signal);
    CHECK(signal.error().kind == ErrorKind::usage);
    CHECK(signal.error().message.find('\n') == std::string::npos);
}
