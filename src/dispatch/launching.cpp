// Starting what was claimed.
#include "dispatcher.hpp"

#include "limits.hpp"

#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/environment.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/supervise/caller_context.hpp>
#include <bgt/supervise/owner_watch.hpp>

#include <algorithm>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds(100),
                   max_pause = std::chrono::seconds(30);

/// The errno for a task that this process can't give its privileges. No system call gives it.
constexpr int lacks_privileges = ENOTNAM + 4096;

/// In the supervisor. More than its submitter had the task does not get.
void become_like(const store::QueueContext& submitter)
{
    if (!supervise::become_like(submitter, own_privileges())) ::_exit(125);
}

/// Without what a queue gives to a task of its own.
std::vector<std::string> submitted_environment(std::vector<std::string> env,
                                               const std::vector<std::string>& extra)
{
    store::drop_queue_variables(env);
    store::drop_array_variables(env);
    env.insert(env.end(), extra.begin(), extra.end());
    return env;
}

store::RootEvent claimed_event(const store::TaskSpec& spec)
{
    store::RootEvent event;
    event.at = os::wall_now();
    event.type = "claimed";
    event.level = core::EventLevel::debug;
    event.task = spec.id;
    event.name = spec.name;
    event.data = {{"queue", spec.queue},
                  {"priority", std::int64_t{spec.priority}},
                  {"slot", std::int64_t{spec.slot}}};
    return event;
}

} // namespace

/// What can't be started now waits again, and everybody with it: the machine lacks processes,
/// descriptors or disk. What is damaged, or needs what this process lacks, is held, so that the
/// others go on.
void Dispatcher::launch(std::int64_t id)
{
    Result<store::WaitingTask> task = view_->describe(store::TaskId{id});
    if (task && supervise::ended_scope(task->spec.scopes)) return drop(id);
    const Result<pid_t> child = task ? fork_task(*std::move(task)) : Result<pid_t>(task.error());
    watch_active();
    if (child) {
        started_[id].child = *child;
        pause_ = {};
        return;
    }
    units_.give_back(store::TaskId{id});
    pending_.push_back(store::PutBack{id});
    started_.erase(id);
    view_->state().put_back(id);
    look_again_ = os::now();
    if (child.error().sys_errno == store::damaged_file ||
        child.error().sys_errno == lacks_privileges) {
        pending_.push_back(store::Held{id, true});
        return;
    }
    pause_starts();
}

void Dispatcher::pause_starts()
{
    pause_ = std::clamp(pause_ * 2, first_pause, max_pause);
    no_start_before_ = os::now() + pause_;
}

/// Its command was not executed. A supervisor that was killed says nothing about the next one; one
/// that gave up lacks what may be missing the next time, too: a descriptor, say, where the
/// submitter has few.
void Dispatcher::put_back(std::int64_t id, const Started& started,
                          std::vector<store::QueueRecord>& records)
{
    constexpr int max_failures = 3;
    records.push_back(store::PutBack{id});
    if (started.gave_up == 0) return;
    if (++failures_[id] < max_failures) return pause_starts();
    failures_.erase(id);
    records.push_back(store::Held{id, true});
    store::RootEvent event;
    event.at = os::wall_now();
    event.type = "start-failed";
    event.level = core::EventLevel::error;
    event.task = store::TaskId{id};
    event.data.emplace_back("error", "its supervisor gave up before the command was executed, with "
                                     "exit code " +
                                         std::to_string(started.gave_up) +
                                         "; it is held: bgt release starts it again");
    static_cast<void>(events_.append(event));
}

/// The scope around it ended while it waited: nobody is there any more for whom it would run.
void Dispatcher::drop(std::int64_t id)
{
    pending_.push_back(store::PutBack{id});
    pending_.push_back(store::Dropped{{id, 1}, core::Reason::cancelled, 0});
    started_.erase(id);
    view_->state().put_back(id);
    view_->state().remove(id);
    look_again_ = os::now();
}

Result<pid_t> Dispatcher::fork_task(store::WaitingTask task)
{
    const store::TaskId id = task.spec.id;
    BGT_TRY_ASSIGN(store::QueueContext context, store::read_context(view_->file(), task.context));
    if (const auto lack = lack_of_place(own_place(), context))
        return Error{ErrorKind::failed, "it was submitted with " + *lack, lacks_privileges};
    if (const auto lack = lack_of_privileges(context))
        return Error{ErrorKind::failed, "it was submitted with " + *lack, lacks_privileges};
    units_.assign(task.spec, view_->settings());
    const std::vector<std::string> own = Units::environment(task.spec);
    context.env = submitted_environment(std::move(context.env), task.extra_env);
    context.env.insert(context.env.end(), own.begin(), own.end());
    task.spec.umask = context.umask;
    BGT_TRY_ASSIGN(store::TaskDir folder, make_folder(task.spec, context));
    if (context.retention.log_level == core::EventLevel::debug)
        static_cast<void>(events_.append(claimed_event(task.spec)));
    supervise::LaunchRequest request{std::move(task.spec), context.env, context.retention};
    request.prepare = [&context] { become_like(context); };
    Result<pid_t> child = supervise::launch_detached(root_, std::move(folder), std::move(request));
    if (!child) static_cast<void>(store::unpublish_task(root_, id));
    return child;
}

/// Published and marked, with its lock held.
Result<store::TaskDir> Dispatcher::make_folder(store::TaskSpec& spec,
                                               const store::QueueContext& context)
{
    BGT_TRY_ASSIGN(
        store::TaskDir folder,
        supervise::begin_waiting(root_, spec, context.keep_env ? &context.env : nullptr));
    Result<void> done = record_published(spec.id.value);
    if (!done) root_.forget_task(spec.id);
    else done = supervise::publish_waiting(root_, folder);
    return done ? Result<store::TaskDir>(std::move(folder)) : done.error();
}

/// Before the folder has its place: whoever dispatches after this one was killed knows from it, and
/// from the unpublished folder, whether the command can have been executed.
Result<void> Dispatcher::record_published(std::int64_t id)
{
    BGT_TRY_ASSIGN(const Fd lock, view_->file().lock());
    BGT_TRY_ASSIGN(const bool replaced, view_->update());
    if (replaced) watch_journal();
    if (!view_->state().is_running(id))
        return Error::failed("task " + std::to_string(id) + " is not to be started any more");
    std::vector<store::QueueRecord> records{store::Published{id}};
    return append(records);
}

Result<void> record_not_started(store::Root& root, const store::QueueView& view, store::TaskId id,
                                core::Reason reason)
{
    Result<store::WaitingTask> task = view.describe(id);
    if (!task) return {};
    Result<store::QueueContext> context = store::read_context(view.file(), task->context);
    if (!context || !context->keep_env)
        return supervise::record_not_started(root, std::move(task->spec), reason, nullptr);
    const std::vector<std::string> env =
        submitted_environment(std::move(context->env), task->extra_env);
    return supervise::record_not_started(root, std::move(task->spec), reason, &env);
}

} // namespace bgt::dispatch
