#include <bgt/ops/retry.hpp>

#include <bgt/ops/snapshot.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>

namespace bgt::ops {
namespace {

Result<Retried> retry_one(store::Root& root, store::TaskId id, const RetryRequest& request)
{
    const auto task = root.open_task(id);
    if (!task) return task.error();
    auto spec = store::read_spec(task->fd());
    if (!spec) return Error::failed("task " + to_string(id) + " is damaged: " + spec.error().message);
    const auto seen = recover_and_inspect(root, id, {});
    if (seen && !spec->name.empty() && seen->problem.empty() && !is_over(seen->status))
        return Error::failed("task " + label(id, seen->status) + " has not ended, and two running tasks can't have the same name: bgt restart it, or bgt kill it first");
    StartRequest wanted;
    wanted.spec = *std::move(spec);
    wanted.spec.created = os::wall_now();
    if (wanted.spec.owner && !os::is_alive(*wanted.spec.owner)) wanted.spec.owner.reset();
    wanted.env = request.env;
    wanted.retention = request.retention;
    const auto started = start(root, std::move(wanted), IfNameTaken::fail);
    if (!started) return started.error();
    return Retried{started->id};
}

} // namespace

Result<Each<Retried>> retry(store::Root& root, const RetryRequest& request, const Progress<Retried>& progress)
{
    return for_each(root, request.selection, Scope::any, progress, [&](store::TaskId id) { return retry_one(root, id, request); });
}

} // namespace bgt::ops
