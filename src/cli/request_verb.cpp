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
    const auto found = select_there(context, **root, selection_, Scope::living);
    if (!found) return context.fail(found.error(), json_);
    const int result = for_each_task(context, *found, [&](store::TaskId id) { return ask_(**root, id); });
    if (json_) print_tasks_json(context, **root, found->ids);
    return result;
}

} // namespace bgt::cli
