#pragma once
#include <bgt/api/operation.hpp>
#include <bgt/ops/wait.hpp>

namespace bgt::api {

/// Waits for conditions of tasks, and tells how it goes on.
struct Settled {
    ops::WaitAnswer answer;
    std::optional<store::TaskId> looping =
        {}; ///< it ended for that: this one fails again and again
};
Result<Settled> settle(const Call&, const ops::WaitRequest&);

} // namespace bgt::api
