// Tasks that waited in a queue: their folder comes with the start, or with the end of the hope for
// one.
#include "start_parts.hpp"

#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/store/task_marks.hpp>
#include <bgt/supervise/recorder.hpp>

#include <fmt/format.h>

namespace bgt::supervise {
namespace {

EndHook end_hook = nullptr;

} // namespace

void on_every_end(EndHook hook)
{
    end_hook = hook;
}

void run_end_hook(const store::Root& root)
{
    if (end_hook != nullptr) end_hook(root);
}

Result<store::TaskDir> begin_waiting(store::Root& root, store::TaskSpec& spec,
                                     const std::vector<std::string>* kept_env)
{
    BGT_TRY_ASSIGN(store::TaskDir task, root.begin_task(spec.id));
    // Whole before others can find it: its id is known already.
    Result<void> made = write_folder(task, spec, kept_env);
    if (made) return task;
    task = store::TaskDir{}; // its descriptors may be what was short, and removing takes some
    root.forget_task(spec.id);
    return made.error();
}

Result<void> publish_waiting(store::Root& root, const store::TaskDir& task)
{
    BGT_TRY(root.publish_task(task));
    const Result<void> marked = root.mark_active(task.id());
    if (!marked) static_cast<void>(store::unpublish_task(root, task.id()));
    return marked;
}

Result<pid_t> launch_detached(store::Root& root, store::TaskDir task, LaunchRequest request)
{
    const std::string title = fmt::format("bgt:{}", task.id().value);
    return os::fork_supervisor({root.fd(), task.fd(), task.lock_fd()}, title, [&] {
        return supervise_new(std::move(root), std::move(task), std::move(request), {});
    });
}

Result<void> record_not_started(store::Root& root, store::TaskSpec spec, core::Reason reason,
                                const std::vector<std::string>* kept_env)
{
    if (root.open_task(spec.id)) return {};
    BGT_TRY_ASSIGN(store::TaskDir task, root.begin_task(spec.id));
    const auto fill = [&]() -> Result<void> {
        BGT_TRY(write_folder(task, spec, kept_env));
        store::Status status;
        BGT_TRY_ASSIGN(store::StatusWriter record, store::StatusWriter::open(task.fd(), &status));
        status.lifecycle = core::Lifecycle::ended;
        status.outcome.kind = core::OutcomeKind::not_started;
        status.outcome.reason = reason;
        status.ended = os::wall_now();
        status.ended_at = os::now();
        BGT_TRY(record.write(status));
        // Before the folder is there: once it is, nobody does this again.
        static_cast<void>(store::append_history(root, spec, status, os::wall_now()));
        BGT_TRY(root.publish_task(task));
        tell_end(root.fd(), task, spec.name, status.outcome);
        return {};
    };
    Result<void> filled = fill();
    if (filled) return {};
    task = store::TaskDir{};
    root.forget_task(spec.id);
    return filled;
}

} // namespace bgt::supervise
