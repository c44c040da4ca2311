#pragma once
/// Waits until a task that waits in a queue has a process.
#include <bgt/ops/answer.hpp>
#include <bgt/store/root.hpp>

namespace bgt::ops {

/// Until its folder is there: it is being started, or will never be. Returns at once for any other
/// task. Error: no such task; cancelled().
Result<void> await_start(store::Root&, store::TaskId, Cancel = {});

} // namespace bgt::ops
