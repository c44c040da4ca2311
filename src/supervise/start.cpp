#include <bgt/supervise/start.hpp>

#include "supervisor_resources.hpp"
#include <bgt/os/background.hpp>
#include <bgt/os/blocked.hpp>
#include <bgt/os/bounded_command.hpp>
#include <bgt/os/caller_limits.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/descriptors.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/random.hpp>
#include <bgt/os/spawn.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/environment.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/shutdown_lock.hpp>
#include <bgt/store/task_marks.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/caller_context.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/locked.hpp>
#include <bgt/supervise/recover.hpp>
#include <bgt/supervise/snapshot.hpp>

#include "end_hooks.hpp"
#include "independent.hpp"
#include "spawn_main.hpp"
#include "start_parts.hpp"

#include <algorithm>
#include <array>
#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

Result<store::Secret> make_secret()
{
    store::Secret secret{};
    if (os::fill_random(secret.data(), secret.size())) return secret;
    return Error::system("making a secret for the task (getrandom, /dev/urandom)", errno);
}

store::Status first_status(const store::TaskSpec& spec, const store::Secret& secret)
{
    store::Status status;
    status.secret = secret;
    status.kind = spec.policy.kind;
    status.boot = os::boot_id();
    status.created = spec.created;
    status.name = spec.name;
    status.command = store::shown_command(spec);
    return status;
}

void publish(SupervisorResources& resources)
{
    resources.recorder.publish(resources.root.fd(), resources.task.id(), resources.spec.name,
                               resources.retention.log_level);
}

/// The command could not be executed: the task has ended, whether or not anybody is there to be
/// told.
void record_failure(SupervisorResources& resources, const Error& error, bool awaited)
{
    store::Status& status = resources.recorder.status();
    status.lifecycle = core::Lifecycle::ended;
    status.outcome.kind = core::OutcomeKind::failed_to_start;
    status.outcome.code = error.kind == ErrorKind::no_command ? 127 : 126;
    status.ended = os::wall_now();
    status.ended_at = os::now();
    resources.recorder.save();
    resources.recorder.event("start-failed", {{"error", error.message}});
    if (!awaited) { // who waits for the start is told, and removes the task
        static_cast<void>(
            store::append_history(resources.root, resources.spec, status, os::wall_now()));
        resources.recorder.tell("ended", os::wall_now(), outcome_fields(status.outcome));
        publish(resources);
    }
    if (resources.task.remove_channels())
        static_cast<void>(resources.root.unmark_active(resources.task.id()));
}

/// Of a task that was started from a queue: nobody else tells its user of the end.
void run_end_hooks(SupervisorResources& resources)
{
    const int signals = resources.sources->signals.native_handle();
    const std::vector<pid_t> hooks = start_end_hooks(
        {resources.task, resources.spec, resources.root.path(), resources.env, resources.recorder});
    if (!await_user_hooks(hooks, signals)) os::kill_descendants();
}

/// The caller wakes up on this processor, as a rule: what is left to be done would only be in its
/// way. A signal (a command that has ended) or a request ends the pause; output waits in its FIFO.
void let_caller_go(const SupervisorResources& resources)
{
    const std::array<int, 3> urgent{resources.sources->signals.native_handle(),
                                    resources.control.fd(), -1};
    os::await_readable(urgent, os::now() + std::chrono::milliseconds(1));
}

} // namespace

int supervise_new(store::Root root, store::TaskDir task, LaunchRequest request, Fd report)
{
    if (request.prepare) request.prepare();
    Result<SupervisorResources> resources = open_resources(
        std::move(root), std::move(task), std::move(request.spec), request.retention);
    Result<void> spare =
        resources ? os::check_spare_descriptors() : Result<void>(resources.error());
    if (spare) spare = os::check_subreaper();
    if (!spare) {
        send_report(report.get(), {false, spare.error()});
        return 1;
    }
    resources->env = environment_of(*resources, std::move(request.env));
    resources->caller_stdin = std::move(request.caller_stdin);
    resources->recorder.status().supervisor = os::own_key();
    if (resources->spec.queue.empty()) // others are told as queued
        resources->recorder.tell("created", resources->spec.created);
    Result<void> started = watch_files(*resources);
    if (started) started = spawn_main(*resources, 1);
    if (!started) {
        record_failure(*resources, started.error(), static_cast<bool>(report));
        if (!report) run_end_hooks(*resources);
        if (resources->stdin_keeper > 0) {
            os::kill_child(resources->stdin_keeper);
            os::reap(resources->stdin_keeper);
        }
        send_report(report.get(), {false, started.error()});
        return 1;
    }
    const bool awaited = static_cast<bool>(report);
    send_report(report.get(), {true, {}});
    report.reset();
    const std::int32_t main_pid = resources->recorder.status().main_process.pid;
    resources->recorder.event("started", {{"pid", std::int64_t{main_pid}}});
    if (awaited) let_caller_go(*resources);
    publish(*resources);
    std::optional<Removal> removal = Supervisor(std::move(*resources), main_pid).run();
    remove_folder(
        std::move(removal)); // not in the same expression: the supervisor would still be there
    return 0;
}

Result<void> write_folder(const store::TaskDir& task, store::TaskSpec& spec,
                          const std::vector<std::string>* kept_env)
{
    BGT_TRY_ASSIGN(const store::Secret secret, make_secret());
    const Result<store::TaskMarks> marks = store::make_marks(secret, task);
    if (!marks) return marks.error();
    spec.cookie = marks->cookie;
    spec.mark = os::choose_mark(marks->mark_bits);
    BGT_TRY(store::write_spec(task.fd(), spec));
    if (kept_env != nullptr) { BGT_TRY(store::write_environment(task.fd(), *kept_env)); }
    if (const auto writer = store::StatusWriter::create(task.fd(), first_status(spec, secret));
        !writer)
        return writer.error();
    return {};
}

namespace {

/// What dies closes its descriptors one by one: the pipe to us may go before the lock, which says
/// "lives" till then.
void await_death(pid_t child, const store::Root& root, store::TaskId id)
{
    const Instant deadline =
        os::now() + std::chrono::seconds(1); // it lives where only its word could not be written
    while (!os::has_ended(child) && os::now() < deadline)
        os::pause_for(std::chrono::milliseconds(1));
    if (const Result<store::TaskDir> task = root.open_task(id))
        becomes_unlocked(*task, deadline - os::now());
}

} // namespace

bool is_used(const store::Root& root, store::TaskId id)
{
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task) return store::is_queued(root, id, os::boot_id());
    const Result<store::Status> status = store::read_status(task->fd());
    if (status) return status->lifecycle != core::Lifecycle::ended;
    return is_locked(*task); // being made just now
}

namespace {

/// Error: the name belongs to another task than the one that is meant.
Result<void> check_same(const store::Root& root, store::TaskId id, const store::TaskSpec& wanted,
                        IfNameTaken policy)
{
    if (policy != IfNameTaken::use_it && policy != IfNameTaken::replace) return {};
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task) return {}; // it has just gone
    const Result<store::TaskSpec> there = store::read_spec(task->fd());
    if (!there) return {};
    const bool other_command = policy == IfNameTaken::use_it && there->command != wanted.command;
    if (there->cwd == wanted.cwd && !other_command) return {};
    return Error::failed(fmt::format("the name '{}' belongs to task {}, which runs '{}' in {}: "
                                     "take another name, or add --anywhere",
                                     wanted.name, id.value,
                                     fit(printable(shell_join(there->command)), 60),
                                     printable(there->cwd)));
}

/// Whether this process belongs to the task, so that its end is ours.
bool is_around_us(const store::Root& root, store::TaskId id)
{
    const char* cookies = std::getenv(os::cookie_variable);
    if (cookies == nullptr) return false;
    const Result<store::TaskDir> task = root.open_task(id);
    const Result<store::TaskSpec> spec =
        task ? store::read_spec(task->fd()) : Result<store::TaskSpec>(task.error());
    return spec && !spec->cookie.empty() &&
           std::string_view(cookies).find(spec->cookie) != std::string_view::npos;
}

/// There is nothing to end in what waits, and its queue is not asked.
bool replaces_waiting(const Snapshot& holder, IfNameTaken policy)
{
    return holder.status.lifecycle == core::Lifecycle::queued &&
           (policy == IfNameTaken::replace || policy == IfNameTaken::replace_any);
}

/// The task that keeps its name; nullopt when the name is free to be claimed.
Result<std::optional<store::TaskId>> resolve_name(store::Root& root, const store::TaskSpec& spec,
                                                  const std::vector<std::string>& env,
                                                  IfNameTaken policy)
{
    using Holder = std::optional<store::TaskId>;
    const std::string& name = spec.name;
    const Result<Holder> holder = root.find_name(name);
    if (!holder) return holder.error();
    if (!*holder) return Holder{};
    const store::TaskId id = **holder;
    const Result<Snapshot> seen = recover_and_inspect(root, id, {});
    if (!is_used(root, id)) return Holder{};
    if (!seen && root.open_task(id)) return Holder{}; // it is being made, or removed
    if (!seen)
        return Error::failed(fmt::format("the name '{}' belongs to task {}, of which nobody knows "
                                         "whether it waits (bgt queue says why): take another name",
                                         name, id.value));
    if (replaces_waiting(*seen, policy))
        return Error::failed(fmt::format("the name '{}' belongs to task {}, which waits in a "
                                         "queue: bgt kill {} first, or take another name",
                                         name, id.value, id.value));
    if (!seen->problem.empty())
        return Error::failed(fmt::format("the name '{}' belongs to {}", name, seen->problem));
    if (const Result<void> same = check_same(root, id, spec, policy); !same) return same.error();
    const bool replaces = policy == IfNameTaken::replace || policy == IfNameTaken::replace_any;
    switch (policy) {
    case IfNameTaken::fail:
        return Error::failed(
            fmt::format("the name '{}' belongs to task {}, which is {}: take another name, or use "
                        "--if-absent or --replace",
                        name, id.value, core::to_string(seen->status.lifecycle)));
    case IfNameTaken::use_it:
    case IfNameTaken::use_any:
        if (seen->status.lifecycle != core::Lifecycle::starting) return Holder{id};
        break;
    case IfNameTaken::replace:
    case IfNameTaken::replace_any:
        if (is_around_us(root, id))
            return Error::failed(fmt::format("task {} is the one in which this runs, and would "
                                             "take it along: bgt restart {} starts "
                                             "its command again",
                                             id.value, name));
        if (seen->status.lifecycle != core::Lifecycle::starting) {
            // A typing mistake must not end the task that runs.
            if (Result<void> there = os::check_command(spec.command.front(), env, spec.cwd); !there)
                return Error{
                    there.error().kind,
                    there.error().message + fmt::format("; task {} keeps running", id.value), 0};
            StopOptions stop;
            stop.no_escalation = true; // two callers at once are not impatience
            const Result<void> asked = request_stop(root, id, stop);
            if (!asked && is_used(root, id)) return asked.error();
        }
        break;
    }
    const bool until_ended = replaces && seen->status.lifecycle != core::Lifecycle::starting;
    const auto over = await_served(root, id, [&](const store::Status& now) {
        return until_ended ? store::is_over(now) || !now.survivors.empty()
                           : now.lifecycle != core::Lifecycle::starting;
    });
    if (!over && over.error().kind != ErrorKind::not_found) return over.error();
    if (over && !over->survivors.empty())
        return Error::failed(fmt::format("task {} can't be replaced: {}", id.value,
                                         os::survivor_words(over->survivors)));
    return resolve_name(root, spec, env, policy);
}

/// Makes the written folder known, by its name and as active; false: another task claimed the name
/// first.
Result<bool> announce(store::Root& root, const store::TaskSpec& spec)
{
    if (!spec.name.empty()) {
        const Result<store::TaskId> holder = root.claim_name(
            spec.name, spec.id, [&](store::TaskId other) { return is_used(root, other); });
        if (!holder) return holder.error();
        if (*holder != spec.id) return false;
    }
    if (Result<void> marked = root.mark_active(spec.id); !marked) return marked.error();
    return true;
}

/// One attempt to make the folder and to claim the name; false: another claimed it first.
Result<bool> make_folder(store::Root& root, store::TaskSpec& spec,
                         const std::vector<std::string>* kept_env, store::TaskDir& made)
{
    const Result<store::TaskId> id = root.allocate_id();
    if (!id) return id.error();
    spec.id = *id;
    spec.created = os::wall_now();
    Result<store::TaskDir> task = root.create_task(*id);
    if (!task) return task.error();
    made = std::move(*task);
    // Whole before others can find it: a caller with the same name reads its record.
    const Result<void> written = write_folder(made, spec, kept_env);
    Result<bool> announced = written ? announce(root, spec) : Result<bool>(written.error());
    if (!announced)
        made = store::TaskDir{}; // its descriptors may be what was short, and removing takes some
    if (!announced || !*announced) static_cast<void>(root.remove_task(*id));
    return announced;
}

} // namespace

Result<void> recover_launch(store::Root& root, store::TaskId id)
{
    static_cast<void>(recover_and_inspect(root, id, {})); // who lives gets another supervisor
    const Result<store::Status> status = store::read_status_at(root.fd(), id);
    if (status && store::was_started(*status)) return {};
    return Error::failed("the supervisor was killed while it started the command");
}

Result<Created> create(store::Root& root, store::TaskSpec& spec,
                       const std::vector<std::string>& env, IfNameTaken policy, bool keep_env)
{
    Created created;
    while (true) {
        if (!spec.name.empty()) {
            if (const auto found = root.find_name(spec.name)) created.name_before = *found;
            const Result<std::optional<store::TaskId>> there =
                resolve_name(root, spec, env, policy);
            if (!there) return there.error();
            if (*there) {
                created.was_there = *there;
                return created;
            }
        }
        const Result<bool> made = make_folder(root, spec, keep_env ? &env : nullptr, created.task);
        if (!made) return made.error();
        if (*made) return created;
    }
}

Result<void> take_lock(store::TaskDir& task)
{
    if (task.lock_fd() >= 0) return {};
    const Result<bool> locked = task.try_lock();
    if (!locked) return locked.error();
    if (*locked) return {};
    return Error::failed(fmt::format("task {} is being started already", task.id().value));
}

Result<void> launch(store::Root& root, store::TaskDir task, LaunchRequest request)
{
    BGT_TRY(take_lock(task));
    Result<Pipe> pipe = make_pipe("a pipe to the supervisor");
    if (!pipe) return pipe.error();
    Fd reader = std::move(pipe->reader), report = std::move(pipe->writer);
    const store::TaskId id = task.id();
    const std::string title = fmt::format("bgt:{}", id.value);
    std::vector<int> keep{root.fd(), task.fd(), task.lock_fd(), report.get()};
    if (request.caller_stdin) keep.push_back(request.caller_stdin.get());
    const Result<pid_t> pid = os::fork_supervisor(keep, title, [&] {
        return supervise_new(std::move(root), std::move(task), std::move(request),
                             std::move(report));
    });
    if (!pid) return pid.error();
    report.reset();
    task = store::TaskDir{}; // with our copy of the lock: from here on it proves that the
                             // supervisor lives
    // Freed while the supervisor works: at our return the caller would wait for that, and for
    // copies of shared pages.
    request = LaunchRequest{};
    const std::optional<StartReport> answer = receive_report(reader.get());
    if (answer && answer->started) return {};
    if (answer) {
        os::reap(*pid); // it ends now, and nobody else may do that: a container's PID 1, say
        return answer->error;
    }
    await_death(*pid, root, id);
    return recover_launch(root, id);
}

Result<StartResult> start(store::Root& root, StartRequest request, IfNameTaken policy)
{
    std::optional<TaskAround> around;
    if (request.spec.independent) {
        BGT_TRY_ASSIGN(around, task_around());
        leave_outer(request.env);
    }
    const store::QueueContext caller = around ? own_context() : store::QueueContext{};
    const PrivateUmask
        files; // a caller with an odd umask gets files that bgt can read back all the same
    os::lift_limits();
    request.spec.umask = files.before();
    Result<Created> created = create(root, request.spec, request.env, policy, request.keep_env);
    if (!created) return created.error();
    if (created->was_there) return StartResult{*created->was_there, true};
    const store::TaskId id = request.spec.id;
    const std::string name = request.spec.name;
    Result<void> launched = store::check_not_shut_down(root);
    if (launched) {
        LaunchRequest how{std::move(request.spec),
                          std::move(request.env),
                          request.retention,
                          std::move(request.caller_stdin),
                          {}};
        launched =
            around ? launch_beside(*around, root, std::move(created->task), std::move(how), caller)
                   : launch(root, std::move(created->task), std::move(how));
    }
    if (launched) return StartResult{id, false};
    static_cast<void>(root.remove_task(id));
    // What failed to start leaves no trace: the name goes back to the ended task that had it.
    if (created->name_before && root.open_task(*created->name_before))
        static_cast<void>(root.claim_name(name, *created->name_before, [&](store::TaskId other) {
            return is_used(root, other);
        }));
    return launched.error();
}

} // namespace bgt::supervise
