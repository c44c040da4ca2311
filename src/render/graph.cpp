#include <bgt/render/graph.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

/// "7 web", "8-107 (100 tasks)"
std::string label_of(const ops::GraphTask& task)
{
    std::string out = std::to_string(task.first);
    if (task.count > 1)
        out += fmt::format("-{} ({} tasks)", task.first + task.count - 1, task.count);
    return task.name.empty() ? out : out + " " + printable(task.name);
}

const ops::GraphTask& task_of(const ops::GraphAnswer& answer, std::int64_t first)
{
    return *std::ranges::lower_bound(answer.tasks, first, {}, &ops::GraphTask::first);
}

/// What leads to the task from those above it.
std::string branch_of(const core::GraphLine& line)
{
    std::string out;
    const std::size_t drawn = std::min(line.depth, core::GraphLine::max_drawn);
    for (std::size_t depth = 1; depth < drawn; ++depth)
        out += (line.bars >> (depth - 1) & 1) != 0 ? "│  " : "   ";
    out += line.last ? "└─ " : "├─ ";
    if (drawn < line.depth) out += fmt::format("[{}] ", line.depth);
    return out;
}

/// In the quotes of dot, where only a quote and a backslash mean something.
std::string dot_quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

} // namespace

std::string graph_text(const ops::GraphAnswer& answer)
{
    std::vector<std::int64_t> ids;
    for (const ops::GraphTask& task : answer.tasks) ids.push_back(task.first);
    std::string out;
    for (const core::GraphLine& line : core::draw_graph(ids, answer.edges)) {
        const ops::GraphTask& task = task_of(answer, line.task);
        if (line.on) out += branch_of(line) + std::string(core::to_string(*line.on)) + ": ";
        out += label_of(task);
        out += line.repeated ? " (see above)\n" : " (" + task.state + ")\n";
    }
    return out;
}

std::string graph_dot(const ops::GraphAnswer& answer)
{
    std::string out = "digraph bgt {\n    rankdir=LR;\n    node [shape=box];\n";
    for (const ops::GraphTask& task : answer.tasks)
        out += fmt::format("    {} [label={}];\n", task.first,
                           dot_quoted(label_of(task) + " (" + task.state + ")"));
    for (const core::GraphEdge& edge : answer.edges)
        out += fmt::format("    {} -> {} [label={}];\n", edge.before, edge.after,
                           dot_quoted(std::string(core::to_string(edge.on))));
    return out + "}\n";
}

std::string graph_json(const ops::GraphAnswer& answer)
{
    boost::json::array tasks, edges;
    for (const ops::GraphTask& task : answer.tasks)
        tasks.push_back({{"id", task.first},
                         {"count", task.count},
                         {"name", task.name.empty() ? boost::json::value(nullptr)
                                                    : boost::json::value(to_valid_utf8(task.name))},
                         {"state", task.state}});
    for (const core::GraphEdge& edge : answer.edges)
        edges.push_back(
            {{"from", edge.before}, {"to", edge.after}, {"on", core::to_string(edge.on)}});
    return answer_json({{"tasks", std::move(tasks)}, {"edges", std::move(edges)}});
}

} // namespace bgt::render
