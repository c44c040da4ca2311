#pragma once
#include <bgt/ops/answer.hpp>

namespace bgt::ops {

/// What came of an operation on this task alone. Error (not_found): there is no such task; and that
/// of the task.
template <class T>
Result<T> only_task(Each<T> each, store::TaskId id)
{
    if (each.tasks.empty()) return Error::not_found("no such task " + to_string(id));
    return std::move(each.tasks.front().result);
}

} // namespace bgt::ops
