#include <bgt/ops/why.hpp>

#include <bgt/core/end_words.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/store/report.hpp>
#include <bgt/supervise/control.hpp>

#include <fmt/format.h>

namespace bgt::ops {
namespace {

/// A living task is looked at now; of one whose supervisor does not answer there may still be an older report.
Result<core::Report> report_of(store::Root& root, store::TaskId id, bool last)
{
    const auto seen = recover_and_inspect(root, id, {});
    if (!seen) return seen.error();
    const auto task = root.open_task(id);
    if (!task) return task.error();
    const bool lives = seen->problem.empty() && !is_over(seen->status);
    if (lives && seen->status.next_attempt && !last)
        return Error::failed(fmt::format("task {} waits for its next attempt, at {}; the last one: {}", label(id, seen->status),
                                         format_rfc3339(*seen->status.next_attempt), core::end_words(seen->status.outcome)));
    if (lives && !last) {
        const auto number = supervise::request_report(root, id);
        if (number) return store::read_report(*task, *number);
        auto newest = store::newest_report(*task);
        return newest ? newest : Result<core::Report>(number.error());
    }
    auto newest = store::newest_report(*task);
    if (newest || newest.error().kind != ErrorKind::not_found) return newest;
    const std::string name = label(id, seen->status);
    if (lives) return Error::failed(fmt::format("task {} has no report yet; bgt why without --last makes one", name));
    return Error::failed(fmt::format("task {} has {} and has no hang report (bgt show {} says more)", name,
                                     core::ended_words(seen->status.outcome), id.value));
}

} // namespace

Result<Each<core::Report>> why(store::Root& root, const WhyRequest& request, const Progress<core::Report>& progress, Cancel cancel)
{
    const Scope scope = request.last ? Scope::any : Scope::living;
    return for_each(root, request.selection, scope, progress, [&](store::TaskId id) {
        return cancel.requested() ? Result<core::Report>(cancelled()) : report_of(root, id, request.last);
    });
}

} // namespace bgt::ops
