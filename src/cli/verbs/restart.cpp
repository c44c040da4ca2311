#include "answer.hpp"
#include "retention.hpp"
#include "selection.hpp"

#include "run/env_file.hpp"
#include <bgt/cli/verb.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/restart.hpp>

#include <fmt/format.h>

namespace bgt::cli {

namespace {

class Restart final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_, Value::living_task);
        parser.flag("--now", now_, "send SIGKILL at once, without a stop signal first");
        parser.flag("--json", json_, "print the tasks as JSON once they run again");
        declare_fields(parser, fields_);
        parser.example("bgt restart web");
    }
    int run(Context&) override;

private:
    ops::Selection selection_;
    FieldWords fields_;
    bool now_ = false, json_ = false;
};

std::string text_of(const ops::Restarted& now)
{
    const std::string name = ops::label(now.id, now.status);
    if (!now.instead)
        return fmt::format("{}: runs again, attempt {}, pid {}\n", name, now.status.attempt,
                           now.status.main_process.pid);
    return fmt::format("{}: started in place of {}, which ended ({}), pid {}\n", name,
                       now.instead->value, core::end_words(now.before.outcome),
                       now.status.main_process.pid);
}

int Restart::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    int result = code::ok;
    std::vector<store::TaskId> running;
    const auto tell =
        told<ops::Restarted>(context, result, [&](store::TaskId, const ops::Restarted& now) {
            running.push_back(now.id);
            if (!json_) context.print(text_of(now));
        });
    const ops::RestartRequest request{selection_, now_, caller_environment(),
                                      retention_of(context.settings())};
    const auto done = ops::restart(**root, request, tell);
    if (!done) return context.fail(done.error(), json_);
    if (json_) print_tasks_json(context, **root, running);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_restart()
{
    return std::make_unique<Restart>();
}

} // namespace bgt::cli
