#include <bgt/ops/inspect.hpp>

#include "readiness.hpp"

#include <bgt/os/proc.hpp>

#include <algorithm>
#include <iterator>
#include <limits>

namespace bgt::ops {
namespace {

std::vector<Process> processes_of(const std::vector<os::ProcStat>& tree)
{
    std::vector<Process> rows;
    rows.reserve(tree.size());
    for (const os::ProcStat& process : tree)
        rows.push_back({process.key.pid, process.ppid, process.state, os::age_of(process.key),
                        os::command_line(process.key.pid)});
    return rows;
}

/// The newest events, and how each earlier attempt ended.
void read_history(Inspected& into, const store::TaskDir& task, std::size_t max_events)
{
    Result<store::EventsRead> read =
        store::read_events(task.fd(), std::numeric_limits<std::size_t>::max());
    if (!read) return;
    into.events = std::move(read->events);
    std::ranges::copy_if(
        into.events, std::back_inserter(into.attempts),
        [](const store::TaskEvent& event) { return event.event == "attempt-ended"; });
    into.hooks = hook_runs(into.events, os::is_alive);
    const std::size_t older = into.events.size() - std::min(into.events.size(), max_events);
    into.events.erase(into.events.begin(),
                      into.events.begin() + static_cast<std::ptrdiff_t>(older));
}

} // namespace

Result<InspectAnswer> recover_and_inspect(store::Root& root, const InspectRequest& request,
                                          const OnMissing& missing)
{
    Result<Selected> found = select_each(root, request.selection, Scope::any, missing);
    if (!found) return found.error();
    InspectAnswer answer{std::move(found->missing), {}};
    for (Snapshot& snapshot : recover_and_inspect_all(root, found->ids, request.fields)) {
        Inspected& one = answer.tasks.emplace_back();
        one.task = std::move(snapshot);
        // Of the record as it is: the check below may change what is said of it.
        if (request.readiness) one.not_ready = why_not_ready(root, one.task);
        if (request.fields.ports) check_readiness(root, one.task);
        if (request.processes) one.processes = processes_of(one.task.tree);
        if (const Result<store::TaskDir> task = root.open_task(one.task.id)) {
            read_history(one, *task, request.max_events);
            auto results = store::read_results(task->fd());
            if (results) one.results = *std::move(results);
            else one.results.problem = results.error().message;
        }
    }
    return answer;
}

} // namespace bgt::ops
