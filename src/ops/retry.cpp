#include <bgt/ops/retry.hpp>

#include "start_like.hpp"

#include "leave_queue.hpp"
#include <bgt/ops/list.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/ops/submit.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace bgt::ops {
namespace {

using Made = std::map<std::int64_t, std::int64_t>; ///< the task of which it is a run, the new one

/// It waits again, for what it waited for before; where that was run again, too, for the new run.
Result<Retried> submit_again(store::Root& root, StartRequest wanted, const Made& made)
{
    SubmitRequest request = waiting_request(std::move(wanted));
    const store::TaskSpec& spec = request.spec;
    if (spec.umask) request.context.umask = *spec.umask;
    request.how.queue = spec.queue;
    request.how.slots = spec.slots;
    request.how.key = spec.key;
    for (const auto& [name, amount] : spec.needs) request.how.needs.push_back({name, amount});
    request.priority = spec.priority;
    for (const core::Dependency& dependency : spec.after) {
        const auto again = made.find(dependency.task);
        const store::TaskId on{again != made.end() ? again->second : dependency.task};
        if (again != made.end() || root.open_task(on)) // else it has been removed, and held
            request.after.push_back({to_string(on), dependency.on});
    }
    request.spec.slot = 0;
    request.spec.units.clear();
    BGT_TRY_ASSIGN(const SubmitAnswer answer, submit(root, std::move(request)));
    return Retried{store::TaskId{answer.ids.first}};
}

Result<Retried> retry_one(store::Root& root, store::TaskId id, const RetryRequest& request,
                          const Made& made)
{
    const auto task = folder_of(root, id);
    if (!task) return task.error();
    auto wanted = like(*task, request.env, request.retention);
    if (!wanted) return wanted.error();
    wanted->spec.retry_of = id;
    const auto seen = recover_and_inspect(root, id, {});
    if (seen && !wanted->spec.name.empty() && seen->problem.empty() && !is_over(seen->status))
        return Error::failed(
            "task " + label(id, seen->status) +
            " has not ended, and two running tasks can't have the same name: bgt restart " +
            to_string(id) + " ends it and starts it again");
    if (!wanted->spec.queue.empty()) return submit_again(root, *std::move(wanted), made);
    const auto started = start(root, *std::move(wanted), IfNameTaken::fail);
    if (!started) return started.error();
    return Retried{started->id};
}

Result<std::vector<Snapshot>> everything(store::Root& root)
{
    ListRequest all;
    all.everything = true;
    all.fields.spec = true;
    return list(root, all);
}

/// Those that ran and failed, and of which there is no other run yet; ascending.
std::vector<store::TaskId> failed_of(const std::vector<Snapshot>& tasks)
{
    std::set<store::TaskId> run_again;
    for (const Snapshot& task : tasks)
        if (task.spec) run_again.insert(task.spec->retry_of);
    std::vector<store::TaskId> failed;
    for (const Snapshot& task : tasks)
        if (in_state(task, "failed") &&
            task.status.outcome.kind != core::OutcomeKind::not_started &&
            !run_again.contains(task.id))
            failed.push_back(task.id);
    std::ranges::sort(failed);
    return failed;
}

/// What was skipped because of `ids`, and because of what was skipped; ascending: a task waits only
/// for older ones.
std::vector<store::TaskId> skipped_after(const std::vector<Snapshot>& tasks,
                                         const std::vector<store::TaskId>& ids)
{
    std::set<std::int64_t> causes;
    for (const store::TaskId id : ids) causes.insert(id.value);
    std::vector<const Snapshot*> skipped;
    for (const Snapshot& task : tasks)
        if (task.spec && task.status.outcome.reason == core::Reason::dependency_failed)
            skipped.push_back(&task);
    std::ranges::sort(skipped, {}, [](const Snapshot* task) { return task->id; });
    std::vector<store::TaskId> found;
    for (const Snapshot* task : skipped) {
        const bool is_effect = std::ranges::any_of(task->spec->after, [&](const auto& dependency) {
            return causes.contains(dependency.task);
        });
        if (is_effect && causes.insert(task->id.value).second) found.push_back(task->id);
    }
    return found;
}

Result<Selected> chosen(store::Root& root, const RetryRequest& request,
                        const Progress<Retried>& progress)
{
    Selected found;
    if (!request.failed || !request.selection.empty()) {
        BGT_TRY_ASSIGN(found, select_each(root, request.selection, Scope::any, progress.missing));
    }
    if (!request.failed && !request.dependents) return found;
    BGT_TRY_ASSIGN(const std::vector<Snapshot> tasks, everything(root));
    if (request.failed) {
        std::vector<store::TaskId> failed = failed_of(tasks);
        if (!request.selection.empty())
            std::erase_if(failed, [&](store::TaskId id) {
                return std::ranges::find(found.ids, id) == found.ids.end();
            });
        found.ids = std::move(failed);
    }
    if (request.dependents)
        for (const store::TaskId id : skipped_after(tasks, found.ids)) found.ids.push_back(id);
    return found;
}

} // namespace

Result<Each<Retried>> retry(store::Root& root, const RetryRequest& request,
                            const Progress<Retried>& progress)
{
    BGT_TRY_ASSIGN(Selected found, chosen(root, request, progress));
    Each<Retried> answer{std::move(found.missing), {}};
    Made made;
    for (const store::TaskId id : found.ids) {
        answer.tasks.push_back({id, retry_one(root, id, request, made)});
        if (answer.tasks.back().result) made[id.value] = answer.tasks.back().result->made.value;
        if (progress.done) progress.done(answer.tasks.back());
    }
    return answer;
}

} // namespace bgt::ops
