#include "answer.hpp"

#include <bgt/cli/env_file.hpp>
#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/supervise/start.hpp>

namespace bgt::cli {

namespace {

class Retry final : public Verb {
public:
    void declare(Parser& parser) override
    {
        selection_.declare(parser);
        parser.flag("--json", json_, "print the new tasks as JSON");
        parser.example("bgt retry 7   # same folder and options, environment of this shell");
    }
    int run(Context&) override;

private:
    Result<store::TaskId> retry(const Context&, store::Root&, store::TaskId) const;

    Selection selection_;
    bool json_ = false;
};

/// The environment is not stored, so it is the caller's; the owner, if it has ended, is nobody.
Result<store::TaskId> Retry::retry(const Context& context, store::Root& root, store::TaskId id) const
{
    const auto task = root.open_task(id);
    if (!task) return task.error();
    auto spec = store::read_spec(task->fd());
    if (!spec) return Error::failed("task " + to_string(id) + " is damaged: " + spec.error().message);
    const auto seen = supervise::inspect(root, id, {});
    if (seen && !spec->name.empty() && seen->problem.empty() && !supervise::is_over(seen->status))
        return Error::failed("task " + label(id, seen->status) + " still bears its name: bgt kill it first, or bgt restart it");
    supervise::StartRequest request;
    request.spec = *std::move(spec);
    request.spec.created = os::wall_now();
    if (request.spec.owner && !os::is_alive(*request.spec.owner)) request.spec.owner.reset();
    request.env = caller_environment();
    request.retention = {context.settings().keep_ended, context.settings().keep_age};
    const auto started = supervise::start(root, std::move(request), supervise::IfNameTaken::fail);
    if (!started) return started.error();
    return started->id;
}

int Retry::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = select_there(context, **root, selection_, Scope::any);
    if (!found) return context.fail(found.error(), json_);
    std::vector<store::TaskId> made;
    const int result = for_each_task(context, *found, [&](store::TaskId id) -> Result<void> {
        const auto started = retry(context, **root, id);
        if (!started) return started.error();
        made.push_back(*started);
        if (!json_) context.print(to_string(*started) + "\n");
        return {};
    });
    if (json_) print_tasks_json(context, **root, made);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_retry()
{
    return std::make_unique<Retry>();
}

} // namespace bgt::cli
