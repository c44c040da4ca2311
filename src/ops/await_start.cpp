#include <bgt/ops/await_start.hpp>

#include <bgt/ops/task_monitor.hpp>
#include <bgt/os/clock.hpp>

namespace bgt::ops {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);

} // namespace

Result<void> await_start(store::Root& root, store::TaskId id, Cancel cancel)
{
    BGT_TRY_ASSIGN(TaskMonitor task, TaskMonitor::open(root, id));
    BGT_TRY_ASSIGN(os::Watch watch, os::Watch::create());
    if (cancel.fd >= 0) watch.add_fd(cancel.fd);
    BGT_TRY(task.watch(root, watch));
    while (task.waits() && !task.over()) {
        BGT_TRY_ASSIGN(const os::Watch::Wake wake,
                       watch.wait(task.needs_poll() ? std::optional(os::now() + poll_interval)
                                                    : std::nullopt));
        if (cancel.requested()) return cancelled();
        task.update(root, watch, wake);
    }
    return {};
}

} // namespace bgt::ops
