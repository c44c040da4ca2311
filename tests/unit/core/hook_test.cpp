#include <bgt/core/hook.hpp>

#include "support/catch.hpp"

using namespace bgt::core;

TEST_CASE("a failure is an end without success for which nobody has asked")
{
    const auto exited = [](int code, Reason reason) {
        return Outcome{.kind = OutcomeKind::exited, .code = code, .reason = reason};
    };
    CHECK_FALSE(is_failure(exited(0, Reason::self)));
    CHECK(is_failure(exited(1, Reason::self)));
    CHECK(is_failure({.kind = OutcomeKind::signaled, .signal = 11}));
    CHECK(is_failure({.kind = OutcomeKind::failed_to_start, .code = 127}));
    CHECK(is_failure({.kind = OutcomeKind::lost}));
    for (const Reason reason :
         {Reason::timeout, Reason::cpu_limit, Reason::output_timeout, Reason::progress_timeout,
          Reason::idle_timeout, Reason::ready_timeout}) {
        INFO(to_string(reason));
        CHECK(is_failure(exited(0, reason))); // whatever it made of the stop signal
    }
    for (const Reason reason : {Reason::dependency_failed, Reason::expired})
        CHECK(is_failure({.kind = OutcomeKind::not_started, .reason = reason}));
    for (const Reason reason : {Reason::killed, Reason::owner_gone, Reason::shutdown,
                                Reason::cancelled, Reason::superseded}) {
        INFO(to_string(reason));
        CHECK_FALSE(is_failure(exited(143, reason)));
    }
}
