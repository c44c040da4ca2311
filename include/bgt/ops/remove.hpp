#pragma once
/// Removes tasks with their logs.
#include <bgt/ops/select.hpp>

namespace bgt::ops {

struct RemoveRequest {
    Selection selection;
    bool force = false; ///< a task that lives is ended first (SIGKILL at once)
};

struct Removed {
    std::uint64_t bytes = 0; ///< of disk space given back
};

/// A filter means what can be removed: the living that fit it are left out of the answer, and only
/// those named are an error.
Result<Each<Removed>> remove(store::Root&, const RemoveRequest&, const Progress<Removed>& = {},
                             Cancel = {});

/// Removes an ended task with its log, or one whose record is damaged. Waits up to 2 s for its
/// supervisor to let go of it. Error (usage): it is not ended; else: somebody holds its lock (and
/// says what to do). `record`: `bgt wait` finds how it ended for a minute.
enum class Trace : std::uint8_t { none, record };
Result<Removed> remove_ended(store::Root&, store::TaskId, Trace = Trace::none);

} // namespace bgt::ops
