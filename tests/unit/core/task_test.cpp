#include "support/catch.hpp"

#include <bgt/core/task.hpp>

#include <string>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

TEST_CASE("the exit-code table, row by row")
{
    struct Row {
        Outcome outcome;
        int code;
    };
    using enum OutcomeKind;
    const Row rows[] = {
        {{exited, 0, 0, Reason::self, 0}, 0},
        {{exited, 119, 0, Reason::self, 0}, 119},
        {{exited, 255, 0, Reason::self, 0}, 255},
        {{exited, 3, 0, Reason::self, 5}, 3},
        {{exited, 0, 0, Reason::output_timeout, 0}, 120},
        {{signaled, 0, 9, Reason::progress_timeout, 0}, 120},
        {{signaled, 0, 15, Reason::idle_timeout, 0}, 120},
        {{exited, 1, 0, Reason::ready_timeout, 0}, 120},
        {{lost, 0, 0, Reason::self, 0}, 122},
        {{lost, 0, 0, Reason::killed, 0}, 122},
        {{lost, 0, 0, Reason::timeout, 0}, 122},
        {{exited, 0, 0, Reason::timeout, 0}, 123},
        {{signaled, 0, 15, Reason::timeout, 0}, 123},
        {{none, 0, 0, Reason::self, 0}, 125},
        {{failed_to_start, 0, 0, Reason::self, 0}, 126},
        {{signaled, 0, 15, Reason::self, 0}, 143},
        {{signaled, 0, 9, Reason::killed, 0}, 137},
        {{exited, 7, 0, Reason::killed, 0}, 7},
        {{exited, 7, 0, Reason::owner_gone, 0}, 7},
        {{signaled, 0, 1, Reason::shutdown, 0}, 129},
        {{not_started, 0, 0, Reason::self, 0}, 121},
        {{signaled, 0, 15, Reason::cpu_limit, 0}, 123},
        {{exited, 0, 0, Reason::cpu_limit, 0}, 123},
    };
    for (const Row& row : rows) {
        INFO(to_string(row.outcome.kind) << " " << to_string(row.outcome.reason));
        CHECK(exit_code(row.outcome) == row.code);
    }
    // A damaged record must not leave the range of an exit code.
    CHECK(exit_code({exited, -1, 0, Reason::self, 0}) == 255);
    CHECK(exit_code({signaled, 0, 4711, Reason::self, 0}) <= 255);
}

TEST_CASE("names go there and back")
{
    for (const Lifecycle value : lifecycles) CHECK(parse_lifecycle(to_string(value)) == value);
    for (const auto value : {Leftover::kill, Leftover::wait, Leftover::keep})
        CHECK(parse_leftover(to_string(value)) == value);
    for (const char* bad : {"", "Kill", "kill ", "unknown"}) {
        CHECK_FALSE(parse_leftover(bad));
        CHECK_FALSE(parse_lifecycle(bad));
    }
    for (const Lifecycle value : lifecycles)
        CHECK(by_number(lifecycles, static_cast<int>(value)) == value);
    CHECK_FALSE(by_number(lifecycles, static_cast<std::int64_t>(lifecycles.size())));
    CHECK_FALSE(by_number(reasons, 9)); // which no record has
    CHECK_FALSE(by_number(reasons, -1));
    CHECK(to_string(OutcomeKind::failed_to_start) == "failed-to-start");
    CHECK(to_string(Reason::owner_gone) == "owner-gone");
    CHECK(to_string(Reason::progress_timeout) == "progress-timeout");
    CHECK(to_string(Kind::service) == "service");
    CHECK(to_string(static_cast<Reason>(200)) == "unknown");
}

TEST_CASE("stop signals are read")
{
    CHECK(*parse_stop_signals("TERM", 5s) == std::vector<StopStep>{{15, 5s}});
    CHECK(*parse_stop_signals("QUIT:2s,TERM:5s", 9s) == std::vector<StopStep>{{3, 2s}, {15, 5s}});
    CHECK(*parse_stop_signals("INT,SIGTERM:1m30s", 4s) ==
          std::vector<StopStep>{{2, 4s}, {15, 90s}});
    CHECK(*parse_stop_signals("TERM:0", 4s) == std::vector<StopStep>{{15, 0s}});
    CHECK(*parse_stop_signals("TERM", -4s) == std::vector<StopStep>{{15, 0s}});
    CHECK(parse_stop_signals("1,1,1,1,1,1,1,1", 1s)->size() == 8);
}

TEST_CASE("bad stop signals are refused")
{
    const auto text = GENERATE(as<std::string>{}, "", ",", "TERM,", ",TERM", "TERM:", "TERM:x",
                               "FOO", "KILL", "9", "TERM,KILL:1s", "STOP", "TERM:-1s", ":5s",
                               "TERM:5s:6s", "TERM INT", "1,1,1,1,1,1,1,1,1", "0", "65");
    INFO(text);
    const auto ladder = parse_stop_signals(text, 5s);
    REQUIRE_FALSE(ladder);
    CHECK(ladder.error().kind == ErrorKind::usage);
}

TEST_CASE("a printed ladder is read back the same")
{
    for (int signal = 1; signal <= 64; ++signal) {
        if (signal == 9 || signal == 19) continue;
        const std::vector<StopStep> ladder{{signal, 1500ms}, {15, 0s}, {signal, 3h}};
        CHECK(*parse_stop_signals(format_stop_signals(ladder), 1s) == ladder);
    }
    CHECK(format_stop_signals({{3, 2s}, {15, 5s}}) == "QUIT:2s,TERM:5s");
}
