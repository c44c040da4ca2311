#pragma once
#include <bgt/store/task_dir.hpp>

namespace bgt::supervise {

class Recorder;

/// Puts into the results of a task that is over which of its artefacts are there, and how large
/// they are. In a process of its own with a deadline, as a path may lie on a file system that
/// hangs. Without artefacts it costs nothing.
void check_artifacts(const store::TaskDir&, Recorder&);

} // namespace bgt::supervise
