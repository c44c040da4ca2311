#pragma once
/// Sends a signal to tasks.
#include <bgt/ops/select.hpp>

namespace bgt::ops {

struct SignalRequest {
    Selection selection;
    int signal = 0;
    bool whole_tree = false; ///< to every process of the task, and not only to the command itself
};

struct Signalled {
    std::uint32_t processes = 0; ///< that got it
};

/// Error of a task: it has ended, or its supervisor does not answer within 5 s.
Result<Each<Signalled>> signal(store::Root&, const SignalRequest&, const Progress<Signalled>& = {});

} // namespace bgt::ops
