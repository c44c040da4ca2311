#include "answer.hpp"
#include "attach.hpp"
#include "run_options.hpp"

#include <bgt/cli/verb.hpp>

namespace bgt::cli {

namespace {

class Run final : public Verb {
public:
    void declare(Parser& parser) override { options_.declare(parser); }
    int run(Context& context) override;

private:
    int start(Context&, store::Root&, supervise::StartRequest);
    int start_and_stay(Context&, store::Root&, supervise::StartRequest);
    int answer(Context&, store::Root&, store::TaskId);

    RunOptions options_;
};

int Run::run(Context& context)
{
    auto request = options_.request(context.settings());
    if (!request) return context.fail(request.error(), options_.json);
    auto root = context.root(true);
    if (!root) return context.fail(root.error(), options_.json);
    return options_.wait ? start_and_stay(context, **root, *std::move(request))
                         : start(context, **root, *std::move(request));
}

int Run::start(Context& context, store::Root& root, supervise::StartRequest request)
{
    const auto started = supervise::start(root, std::move(request), options_.if_name_taken());
    return started ? answer(context, root, started->id) : context.fail(started.error(), options_.json);
}

int Run::answer(Context& context, store::Root& root, store::TaskId id)
{
    if (options_.json) {
        print_tasks_json(context, root, {id});
        return code::ok;
    }
    const auto number = to_string(id);
    if (auto printed = context.try_print(number + "\n"); !printed) {
        context.complain("task " + number + " runs, but its id could not be told: " + printed.error().message);
        return code::failed;
    }
    if (context.stdout_is_terminal()) context.hint("bgt logs -f " + number + " · bgt kill " + number);
    return code::ok;
}

int Run::start_and_stay(Context& context, store::Root& root, supervise::StartRequest request)
{
    const auto started = supervise::start(root, std::move(request), options_.if_name_taken());
    if (!started) return context.fail(started.error(), options_.json);
    HeldSignals signals; // not before: the start may wait for another task to end (--replace), and Ctrl-C is to end that
    const auto status = stay_until_end(context, root, started->id, signals, {!options_.json});
    if (!status) return context.fail(status.error(), options_.json);
    if (options_.json) print_tasks_json(context, root, {started->id});
    if (options_.remove)
        if (auto removed = remove_ended(root, started->id); !removed) context.complain(removed.error().message);
    return supervise::exit_code(*status);
}

} // namespace

std::unique_ptr<Verb> make_run()
{
    return std::make_unique<Run>();
}

} // namespace bgt::cli
