#include <bgt/ops/retry.hpp>

#include "start_like.hpp"

#include <bgt/ops/snapshot.hpp>

namespace bgt::ops {
namespace {

Result<Retried> retry_one(store::Root& root, store::TaskId id, const RetryRequest& request)
{
    const auto task = root.open_task(id);
    if (!task) return task.error();
    auto wanted = like(*task, request.env, request.retention);
    if (!wanted) return wanted.error();
    const auto seen = recover_and_inspect(root, id, {});
    if (seen && !wanted->spec.name.empty() && seen->problem.empty() && !is_over(seen->status))
        return Error::failed(
            "task " + label(id, seen->status) +
            " has not ended, and two running tasks can't have the same name: bgt restart " +
            to_string(id) + " ends it and starts it again");
    const auto started = start(root, *std::move(wanted), IfNameTaken::fail);
    if (!started) return started.error();
    return Retried{started->id};
}

} // namespace

Result<Each<Retried>> retry(store::Root& root, const RetryRequest& request,
                            const Progress<Retried>& progress)
{
    return for_each(root, request.selection, Scope::any, progress,
                    [&](store::TaskId id) { return retry_one(root, id, request); });
}

} // namespace bgt::ops
