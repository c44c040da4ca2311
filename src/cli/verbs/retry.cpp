#include "answer.hpp"
#include "retention.hpp"
#include "selection.hpp"

#include "run/env_file.hpp"
#include <bgt/cli/verb.hpp>
#include <bgt/ops/retry.hpp>

namespace bgt::cli {

namespace {

class Retry final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag("--failed", failed_,
                    "all tasks that ran and failed and were not retried yet (or those of the "
                    "selection)");
        parser.flag("--dependents", dependents_,
                    "also the tasks that were skipped because of them");
        parser.flag("--json", json_, "print the new tasks as JSON");
        declare_fields(parser, fields_);
        parser.example("bgt retry 7   # same folder, options and --env");
        parser.example("bgt retry --failed --queue nightly --dependents");
    }
    int run(Context&) override;

private:
    ops::Selection selection_;
    FieldWords fields_;
    bool failed_ = false, dependents_ = false, json_ = false;
};

int Retry::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const ops::RetryRequest request{selection_, caller_environment(),
                                    retention_of(context.settings()), failed_, dependents_};
    std::vector<store::TaskId> made;
    int result = code::ok;
    const auto tell =
        told<ops::Retried>(context, result, [&](store::TaskId, const ops::Retried& started) {
            made.push_back(started.made);
            if (json_) return;
            const std::string id = to_string(started.made);
            const int printed =
                print_made(context, id + "\n", "task " + id + " was started, but its id");
            if (result == code::ok) result = printed;
        });
    const auto done = ops::retry(**root, request, tell);
    if (!done) return context.fail(done.error(), json_);
    if (!json_) return result;
    const int printed = print_started_json(context, **root, made);
    return result != code::ok ? result : printed;
}

} // namespace

std::unique_ptr<Verb> make_retry()
{
    return std::make_unique<Retry>();
}

} // namespace bgt::cli
