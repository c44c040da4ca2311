#include "answer.hpp"

#include <bgt/render/json.hpp>

namespace bgt::cli {

void print_snapshots_json(Context& context, const std::vector<ops::Snapshot>& snapshots)
{
    context.print(render::tasks_json(snapshots, render::Moment::now()));
}

void print_tasks_json(Context& context, store::Root& root, const std::vector<store::TaskId>& ids)
{
    print_snapshots_json(context,
                         ops::recover_and_inspect_all(root, ids, {true, true, true, false}));
}

std::string counted(std::size_t n, std::string_view one, std::string_view many)
{
    return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

} // namespace bgt::cli
