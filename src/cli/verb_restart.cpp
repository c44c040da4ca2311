#include "answer.hpp"

#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/supervise/control.hpp>

#include <fmt/format.h>

namespace bgt::cli {

namespace {

class Restart final : public Verb {
public:
    void declare(Parser& parser) override
    {
        selection_.declare(parser);
        parser.flag("--now", now_, "send SIGKILL at once, without a stop signal first");
        parser.flag("--json", json_, "print the tasks as JSON once they run again");
        parser.example("bgt restart web");
    }
    int run(Context&) override;

private:
    Result<void> restart(Context&, store::Root&, store::TaskId);

    Selection selection_;
    bool now_ = false, json_ = false;
};

Result<void> Restart::restart(Context& context, store::Root& root, store::TaskId id)
{
    const auto before = supervise::inspect(root, id, {});
    if (!before) return before.error();
    supervise::StopOptions stop;
    stop.now = now_;
    if (auto asked = supervise::request_restart(root, id, stop); !asked) return asked;
    const std::uint32_t attempt = before->status.attempt;
    const bool waited = before->status.lifecycle == core::Lifecycle::queued; // its next attempt has its number already
    const auto after = supervise::await_status(root, id, std::nullopt, [&](const store::Status& now) {
        const bool runs = now.lifecycle == core::Lifecycle::running && (now.attempt > attempt || waited);
        return runs || supervise::is_over(now) || has_survivors(now);
    });
    if (!after) return after.error();
    const store::Status& status = **after;
    if (has_survivors(status)) return Error::failed(label(id, status) + ": SIGKILL does not end all of it (bgt show tells)");
    if (supervise::is_over(status)) return Error::failed(fmt::format("{}: ended instead ({})", label(id, status), end_in_words(status)));
    if (!json_) context.print(fmt::format("{}: runs again, attempt {}, pid {}\n", label(id, status), status.attempt, status.main_process.pid));
    return {};
}

int Restart::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = select_there(context, **root, selection_, Scope::living);
    if (!found) return context.fail(found.error(), json_);
    const int result = for_each_task(context, *found, [&](store::TaskId id) { return restart(context, **root, id); });
    if (json_) print_tasks_json(context, **root, found->ids);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_restart()
{
    return std::make_unique<Restart>();
}

} // namespace bgt::cli
