#pragma once
/// A task that leaves its queue without a start.
#include <bgt/store/root.hpp>
#include <cstdint>

namespace bgt::ops {

/// When a task that is taken out of its queue has its folder, with its end on record.
enum class Leave : std::uint8_t {
    soon,    ///< whoever dispatches makes it
    at_once, ///< before leave_queue() returns
};
/// True: the task waited, and will not start. False: it is there as a folder, or is not there. One
/// that is just being started is waited for. Error: its start takes too long; the journal can't be
/// read or written.
Result<bool> leave_queue(store::Root&, store::TaskId, Leave);

/// The folder of a task. Of one that left its queue without a start it is made here, where nobody
/// has come to that yet. Error: it waits; (not_found) there is no such task.
Result<store::TaskDir> folder_of(store::Root&, store::TaskId);

} // namespace bgt::ops
