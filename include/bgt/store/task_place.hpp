#pragma once
/// What stands under the name of a task that has no folder yet.
#include <bgt/store/root.hpp>

namespace bgt::store {

/// The error (damaged_file, see queue_file.hpp) of Root::publish_task() where something else has
/// the name of the task's folder: what is there, and what to do.
Error place_taken(const std::string& path, TaskId);

/// That error, if what has the name of a task that waits is no task.
Result<void> check_place(const Root&, TaskId);

} // namespace bgt::store
