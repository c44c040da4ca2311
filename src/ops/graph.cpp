#include <bgt/ops/graph.hpp>
#include <bgt/os/clock.hpp>

#include <bgt/store/queue_view.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace bgt::ops {
namespace {

/// Waiting tasks by their first id. Whoever is named alone stands alone.
class Nodes {
public:
    Nodes(const std::vector<core::WaitingTasks>& waiting, const std::set<std::int64_t>& alone)
    {
        for (const core::WaitingTasks& tasks : waiting) {
            const std::int64_t end = tasks.first + tasks.count;
            std::int64_t at = tasks.first;
            for (auto cut = alone.lower_bound(at); cut != alone.end() && *cut < end; ++cut) {
                add(tasks, at, *cut);
                add(tasks, *cut, *cut + 1);
                at = *cut + 1;
            }
            add(tasks, at, end);
        }
    }
    const std::map<std::int64_t, GraphTask>& all() const { return nodes_; }
    std::map<std::int64_t, GraphTask>& all() { return nodes_; }
    const std::vector<core::GraphEdge>& edges() const { return edges_; }

private:
    void add(const core::WaitingTasks& tasks, std::int64_t first, std::int64_t end)
    {
        if (first == end) return;
        nodes_[first] = {
            first, static_cast<std::uint32_t>(end - first), {}, tasks.held ? "held" : "queued"};
        for (const core::Dependency& on : tasks.after) edges_.push_back({on.task, first, on.on});
    }

    std::map<std::int64_t, GraphTask> nodes_;
    std::vector<core::GraphEdge> edges_;
};

Result<std::unordered_map<std::int64_t, std::string>> names_by_id(const store::Root& root)
{
    std::unordered_map<std::int64_t, std::string> out;
    BGT_TRY_ASSIGN(const auto names, root.names());
    for (const auto& [name, id] : names) out[id.value] = name;
    return out;
}

/// A task that does not wait in a queue.
GraphTask started_task(const store::Root& root, std::int64_t id)
{
    GraphTask task{id, 1, {}, "starting"};
    const auto status = store::read_status_at(root.fd(), store::TaskId{id});
    if (!status) {
        if (status.error().kind != ErrorKind::not_found) task.state = "unknown";
        return task;
    }
    task.name = status->name;
    task.state = core::to_string(status->lifecycle);
    return task;
}

/// The tasks that stand for these: those at which an edge ends, and the given ones.
Result<GraphAnswer> answer_of(const store::Root& root, Nodes nodes,
                              const std::vector<std::int64_t>& given)
{
    GraphAnswer answer;
    std::vector<std::int64_t> shown;
    if (given.empty()) {
        for (const core::GraphEdge& edge : nodes.edges())
            shown.insert(shown.end(), {edge.before, edge.after});
    } else {
        shown = core::related_tasks(given, nodes.edges());
    }
    std::ranges::sort(shown);
    shown.erase(std::ranges::unique(shown).begin(), shown.end());
    BGT_TRY_ASSIGN(const auto names, names_by_id(root));
    for (const std::int64_t id : shown) {
        const auto node = nodes.all().find(id);
        answer.tasks.push_back(node != nodes.all().end() ? std::move(node->second)
                                                         : started_task(root, id));
        const auto name = names.find(id);
        if (node != nodes.all().end() && name != names.end())
            answer.tasks.back().name = name->second;
    }
    for (const core::GraphEdge& edge : nodes.edges())
        if (std::ranges::binary_search(shown, edge.before) &&
            std::ranges::binary_search(shown, edge.after))
            answer.edges.push_back(edge);
    std::ranges::sort(answer.edges);
    return answer;
}

} // namespace

Result<GraphAnswer> graph(store::Root& root, const std::vector<std::string>& words)
{
    std::vector<std::int64_t> given;
    if (!words.empty()) {
        Selection selection;
        selection.words = words;
        BGT_TRY_ASSIGN(const std::vector<store::TaskId> ids, select(root, selection, Scope::any));
        for (const store::TaskId id : ids) given.push_back(id.value);
    }
    if (!root.exists()) return GraphAnswer{};
    BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
    const std::vector<core::WaitingTasks> waiting = view.state().waiting();
    std::set<std::int64_t> alone(given.begin(), given.end());
    for (const core::WaitingTasks& tasks : waiting)
        for (const core::Dependency& on : tasks.after) alone.insert(on.task);
    return answer_of(root, Nodes(waiting, alone), given);
}

} // namespace bgt::ops
