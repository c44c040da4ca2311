#include <bgt/cli/verb.hpp>
#include <bgt/ops/graph.hpp>
#include <bgt/render/graph.hpp>

namespace bgt::cli {

namespace {

class Graph final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    std::vector<std::string> words_;
    bool dot_ = false, json_ = false;
};

void Graph::declare(Parser& parser)
{
    parser.words(words_, "TASK", Value::living_task);
    parser.flag("--dot", dot_, "print the graph for dot(1) of graphviz");
    parser.flag("--json", json_, "print tasks and dependencies as JSON");
    parser.example("bgt graph                           # what waits for what");
    parser.example("bgt graph --dot deploy | dot -Tsvg > deploy.svg");
}

int Graph::run(Context& context)
{
    if (dot_ && json_)
        return context.fail(Error::usage("--dot and --json exclude each other"), true);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = ops::graph(**root, words_);
    if (!found) return context.fail(found.error(), json_);
    if (json_) context.print(render::graph_json(*found));
    else if (dot_) context.print(render::graph_dot(*found));
    else if (found->tasks.empty()) context.hint("no waiting task waits for another task");
    else context.print(render::graph_text(*found));
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_graph()
{
    return std::make_unique<Graph>();
}

} // namespace bgt::cli
