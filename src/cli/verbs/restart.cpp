#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
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
        parser.example("bgt restart web");
    }
    int run(Context&) override;

private:
    ops::Selection selection_;
    bool now_ = false, json_ = false;
};

int Restart::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    int result = code::ok;
    const auto tell = told<ops::Restarted>(context, result, [&](store::TaskId id, const ops::Restarted& now) {
        if (json_) return;
        context.print(fmt::format("{}: runs again, attempt {}, pid {}\n", ops::label(id, now.status), now.status.attempt,
                                  now.status.main_process.pid));
    });
    const auto done = ops::restart(**root, {selection_, now_}, tell);
    if (!done) return context.fail(done.error(), json_);
    if (json_) print_tasks_json(context, **root, done->ids());
    return result;
}

} // namespace

std::unique_ptr<Verb> make_restart()
{
    return std::make_unique<Restart>();
}

} // namespace bgt::cli
