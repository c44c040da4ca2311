#pragma once
/// Policies and requests for the tests of core::step.
#include "support/catch.hpp"
#include "support/hand_driven.hpp"

namespace bgt::core {

inline Policy with_leftover(Leftover policy)
{
    Policy spec;
    spec.leftover = policy;
    return spec;
}

inline Policy with_timeout(Duration timeout)
{
    Policy spec;
    spec.timeout = timeout;
    return spec;
}

inline StopRequested stop_now(Reason reason = Reason::killed)
{
    return {reason, true, {}};
}

} // namespace bgt::core
