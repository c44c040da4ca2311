#pragma once
#include <bgt/store/task_dir.hpp>

namespace bgt::store {

/// Makes a FIFO in a task's folder, 0600, where there is none. Error: it says so where the file
/// system may have no FIFOs.
Result<void> make_fifo(const TaskDir&, const char* name);

} // namespace bgt::store
