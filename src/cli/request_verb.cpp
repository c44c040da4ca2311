#include "request_verb.hpp"

#include "answer.hpp"

namespace bgt::cli {

void RequestVerb::declare(Parser& parser)
{
    selection_.declare(parser);
    parser.flag("--json", json_, "print the tasks as JSON");
    parser.example(example_);
}

int RequestVerb::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto ids = select(**root, selection_, Scope::living);
    if (!ids) return context.fail(ids.error(), json_);
    const int result = for_each_task(context, *ids, [&](store::TaskId id) { return ask_(**root, id); });
    if (json_) print_tasks_json(context, **root, *ids);
    return result;
}

} // namespace bgt::cli
