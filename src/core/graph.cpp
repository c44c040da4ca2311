#include <bgt/core/graph.hpp>

#include <algorithm>
#include <unordered_set>

namespace bgt::core {
namespace {

using Edges = std::vector<GraphEdge>;

/// The edges that begin at a task, among edges that are sorted by where they begin.
std::pair<std::size_t, std::size_t> edges_of(const Edges& edges, std::int64_t task)
{
    const auto [first, last] = std::ranges::equal_range(
        edges, task, {}, [](const GraphEdge& edge) { return edge.before; });
    return {static_cast<std::size_t>(first - edges.begin()),
            static_cast<std::size_t>(last - edges.begin())};
}

void add_reachable(const std::vector<std::int64_t>& given, const Edges& edges,
                   std::unordered_set<std::int64_t>& found)
{
    std::unordered_set<std::int64_t> seen(given.begin(), given.end());
    std::vector<std::int64_t> line(seen.begin(), seen.end());
    for (std::size_t at = 0; at < line.size(); ++at) {
        const auto [first, last] = edges_of(edges, line[at]);
        for (std::size_t edge = first; edge < last; ++edge)
            if (seen.insert(edges[edge].after).second) line.push_back(edges[edge].after);
    }
    found.insert(line.begin(), line.end());
}

class Drawing {
public:
    explicit Drawing(Edges edges) : edges_(std::move(edges)) {}

    void draw_tree(std::int64_t top)
    {
        add({top, std::nullopt, 0, false, false, 0});
        bars_ = 0;
        while (!open_.empty()) {
            auto& [at, end] = open_.back();
            if (at == end) {
                open_.pop_back();
                continue;
            }
            const GraphEdge& edge = edges_[at++];
            const bool is_last = at == end;
            const std::size_t depth = open_.size();
            if (depth <= GraphLine::max_drawn) {
                const std::uint32_t bit = std::uint32_t{1} << (depth - 1);
                bars_ = is_last ? bars_ & ~bit : bars_ | bit;
            }
            add({edge.after, edge.on, depth, is_last, false, bars_});
        }
    }

    bool is_drawn(std::int64_t task) const { return drawn_.contains(task); }
    std::vector<GraphLine> take() { return std::move(lines_); }

private:
    void add(GraphLine line)
    {
        line.repeated = !drawn_.insert(line.task).second;
        lines_.push_back(line);
        if (!line.repeated) open_.push_back(edges_of(edges_, line.task));
    }

    Edges edges_;
    std::vector<std::pair<std::size_t, std::size_t>>
        open_; ///< of each task above: its next edge, and the end of its edges
    std::unordered_set<std::int64_t> drawn_;
    std::uint32_t bars_ = 0;
    std::vector<GraphLine> lines_;
};

} // namespace

std::vector<GraphLine> draw_graph(const std::vector<std::int64_t>& tasks, Edges edges)
{
    std::ranges::sort(edges);
    std::unordered_set<std::int64_t> below;
    for (const GraphEdge& edge : edges) below.insert(edge.after);
    Drawing drawing(std::move(edges));
    for (const std::int64_t task : tasks)
        if (!below.contains(task)) drawing.draw_tree(task);
    // What only a circle leads to: a sound journal has none.
    for (const std::int64_t task : tasks)
        if (!drawing.is_drawn(task)) drawing.draw_tree(task);
    return drawing.take();
}

std::vector<std::int64_t> related_tasks(const std::vector<std::int64_t>& given, Edges edges)
{
    std::unordered_set<std::int64_t> found;
    std::ranges::sort(edges);
    add_reachable(given, edges, found);
    for (GraphEdge& edge : edges) std::swap(edge.before, edge.after);
    std::ranges::sort(edges);
    add_reachable(given, edges, found);
    std::vector<std::int64_t> out(found.begin(), found.end());
    std::ranges::sort(out);
    return out;
}

} // namespace bgt::core
