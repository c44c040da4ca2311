#include "answer.hpp"

#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/supervise/control.hpp>

namespace bgt::cli {

namespace {

class Resume final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Selection selection_;
    bool json_ = false;
};

void Resume::declare(Parser& parser)
{
    selection_.declare(parser);
    parser.flag("--json", json_, "print the tasks as JSON");
    parser.example("bgt resume web");
}

int Resume::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto ids = select(**root, selection_, Scope::living);
    if (!ids) return context.fail(ids.error(), json_);
    const int result = for_each_task(context, *ids, [&](store::TaskId id) { return supervise::request_resume(**root, id); });
    if (json_) print_tasks_json(context, **root, *ids);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_resume()
{
    return std::make_unique<Resume>();
}

} // namespace bgt::cli
