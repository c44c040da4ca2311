#pragma once
/// Stays with a task until it has ended, and passes its output on (`bgt run --wait`).
#include <bgt/ops/answer.hpp>
#include <bgt/store/status.hpp>

namespace bgt::ops {

struct AttachRequest {
    int out_fd =
        -1; ///< its output goes here as written, from the beginning; -1: nowhere. Not owned
    int err_fd = -1;  ///< its stderr, where that is apart (--split)
    int wake_fd = -1; ///< `on_wake` is called whenever it can be read: it must read it
    std::function<void()> on_wake = {};
    std::function<void(const std::string&)> note = {}; ///< a line of which the user must know
};

/// Until the task has ended and all of its output is passed on. When the reader of a descriptor has
/// gone, the passing on ends there, the waiting goes on. Returns the last record. Hazard: SIGPIPE
/// must be ignored.
Result<store::Status> attach(store::Root&, store::TaskId, const AttachRequest&, Cancel = {});

} // namespace bgt::ops
