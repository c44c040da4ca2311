#pragma once
/// `bgt run --independent`: a task that is started inside another one, and outlives it. A process
/// can't leave the tree of a child subreaper. So the supervisor of the task around starts the
/// process that becomes the new supervisor, as a sibling of its own; where that one is inside of a
/// further task, it asks the supervisor of that.
#include <bgt/os/control_socket.hpp>
#include <bgt/store/queue_context.hpp>
#include <bgt/supervise/start.hpp>

#include "protocol.hpp"

namespace bgt::supervise {

struct TaskAround {
    store::Root root;
    store::TaskId id;
};

/// The task in which this process runs; nullopt: it runs in none. Error: it runs in one, and
/// nothing says in which.
Result<std::optional<TaskAround>> task_around();

/// Takes out of the environment what says that its process is inside of the outer task.
void leave_outer(std::vector<std::string>& env);
/// As launch(), beside the tree of the task around. `caller`: what the command takes along from
/// this process (own_context()). Error besides: it can't be had, with the reason.
Result<void> launch_beside(TaskAround&, store::Root&, store::TaskDir, LaunchRequest,
                           store::QueueContext caller);

/// What a supervisor does that was asked for it.
Answer start_beside(const os::Datagram&);

} // namespace bgt::supervise
