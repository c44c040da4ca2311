#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/inspect.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/results.hpp>

#include <boost/json.hpp>

namespace bgt::cli {

namespace {

class ShowResult final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    ops::Selection selection_;
    bool json_ = false;
};

void ShowResult::declare(Parser& parser)
{
    declare_selection(parser, selection_);
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt result build");
    parser.example("bgt result --json build | jq '.results[0].metrics'");
}

int ShowResult::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const ops::InspectRequest request{.selection = selection_, .fields = {}};
    int result = code::ok;
    const auto seen = ops::recover_and_inspect(**root, request, told_missing(context, result));
    if (!seen) return context.fail(seen.error(), json_);
    std::string text;
    boost::json::array all;
    for (const auto& one : seen->tasks) {
        text += render::results_text(one);
        auto row = render::results_json(one.results);
        const std::string& name = one.task.status.name;
        const auto lifecycle = render::lifecycle_word(one.task);
        row["id"] = one.task.id.value;
        row["name"] = name.empty() ? boost::json::value(nullptr) : boost::json::value(name);
        row["lifecycle"] = lifecycle.empty() ? boost::json::value(nullptr)
                                             : boost::json::value(boost::json::string(lifecycle));
        all.push_back(std::move(row));
    }
    context.print(json_ ? render::answer_json({{"results", std::move(all)}}) : text);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_result()
{
    return std::make_unique<ShowResult>();
}

} // namespace bgt::cli
