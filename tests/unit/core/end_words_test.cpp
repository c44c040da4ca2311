#include "support/catch.hpp"
#include <bgt/core/end_words.hpp>

using namespace bgt::core;

TEST_CASE("the end of a task in words")
{
    CHECK(end_words({.kind = OutcomeKind::exited, .code = 3}) == "exit 3");
    CHECK(end_words({.kind = OutcomeKind::signaled, .signal = 9}) == "SIGKILL");
    CHECK(end_words({.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::killed}) ==
          "SIGTERM, killed");
    CHECK(end_words({.kind = OutcomeKind::exited, .reason = Reason::output_timeout}) ==
          "exit 0, output-timeout");
    CHECK(ended_words({.kind = OutcomeKind::exited, .code = 1}) == "ended (exit 1)");
    CHECK(ended_words({.kind = OutcomeKind::signaled, .signal = 9, .reason = Reason::timeout}) ==
          "ended (SIGKILL, timeout)");
    CHECK(ended_words({.kind = OutcomeKind::lost}) == "ended (lost)");
    CHECK(ended_words({.kind = OutcomeKind::failed_to_start, .code = 127}) ==
          "ended (failed to start)");
    CHECK(ended_words({.kind = OutcomeKind::not_started}) == "ended (not started)");
    for (const OutcomeKind kind : outcome_kinds) CHECK_FALSE(end_word({.kind = kind}).empty());
}
