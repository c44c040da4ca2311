#pragma once
/// What a task takes along from who asked for it, where another process starts it.
#include <bgt/store/queue_context.hpp>

namespace bgt::supervise {

/// Of this process: umask, limits, nice value, processors and privileges, without an environment.
store::QueueContext own_context();

/// In a process that is to supervise the task: so that it and its tree have what the caller had.
/// `own`: the privileges of this process. False: the kernel refused to take away privileges that
/// the caller did not have.
bool become_like(const store::QueueContext& caller, const Privileges& own);

} // namespace bgt::supervise
