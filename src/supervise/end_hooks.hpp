#pragma once
/// What follows the end of a task: `--on-end`, `--on-fail`, `--notify`.
#include "user_hook.hpp"

namespace bgt::supervise {

/// Starts what the specification asks for; the processes that run it. The last lines of the output
/// are in the file `tail` of the task's folder from then on (BGT_TAIL_FILE). Precondition: the
/// final status is on record, and the log is complete.
std::vector<pid_t> start_end_hooks(const HookOwner&);

} // namespace bgt::supervise
