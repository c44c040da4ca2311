#include <bgt/ops/stop.hpp>

#include "leave_queue.hpp"
#include <bgt/ops/queues.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/unrecorded.hpp>

#include <algorithm>
#include <fcntl.h>
#include <map>

namespace bgt::ops {
namespace {

/// One task on its way out.
struct Target {
    Snapshot task;
    store::Status before;
    Fd record; ///< its record, which can still be read when the task has removed itself
    Instant asked{};
    bool was_gone = false;
    bool was_waiting = false; ///< in a queue, and does so no more
    std::optional<supervise::UnrecordedEnd> without_record = {};
};

std::vector<core::StopStep> own_ladder(const store::Root& root, store::TaskId id)
{
    if (const auto task = root.open_task(id))
        if (const auto spec = store::read_spec(task->fd());
            spec && !spec->policy.stop_ladder.empty())
            return spec->policy.stop_ladder;
    return core::Policy{}.stop_ladder;
}

/// Where only the grace is given: the task's own signals with it as the last one's time.
supervise::StopOptions options_for(const store::Root& root, store::TaskId id,
                                   const StopRequest& request)
{
    supervise::StopOptions options;
    options.now = request.now;
    options.ladder = request.ladder;
    if (request.timeout) options.timeout = std::min(options.timeout, *request.timeout);
    if (options.ladder || !request.grace) return options;
    std::vector<core::StopStep> ladder = own_ladder(root, id);
    ladder.back().wait = *request.grace;
    options.ladder = std::move(ladder);
    return options;
}

/// Where nobody can be asked: the processes themselves. What has none stays as it is.
Result<void> end_unrecorded(store::Root& root, Target& target, const StopRequest& request)
{
    if (target.task.doubtful) return {};
    const store::TaskId id = target.task.id;
    const supervise::StopOptions options = options_for(root, id, request);
    const auto ended = supervise::end_without_record(
        root, id, options.ladder.value_or(own_ladder(root, id)), request.now);
    if (!ended || (ended->ended == 0 && ended->survivors.empty())) return {};
    if (!ended->survivors.empty())
        return Error::failed(target.task.problem + "; of its processes, " +
                             survivor_words(ended->survivors));
    target.without_record = *ended;
    return {};
}

Result<Target> ask(store::Root& root, store::TaskId id, const StopRequest& request)
{
    Result<Snapshot> seen = recover_and_inspect(root, id, request.fields);
    if (!seen) return seen.error();
    if (seen->status.lifecycle == core::Lifecycle::queued) {
        const store::Status before = seen->status;
        BGT_TRY_ASSIGN(const bool cancelled, leave_queue(root, id, Leave::soon));
        seen = recover_and_inspect(root, id, request.fields);
        if (!seen) return seen.error();
        if (cancelled) return Target{std::move(*seen), before, {}, os::now(), false, true};
    }
    Target target{std::move(*seen), {}, {}, os::now(), false, false};
    target.before = target.task.status;
    target.was_gone = is_final(target.before);
    if (const auto task = root.open_task(id))
        if (auto record = task->open(store::file::status, O_RDONLY))
            target.record = *std::move(record);
    if (target.was_gone) return target;
    if (const auto asked = supervise::request_stop(root, id, options_for(root, id, request));
        !asked) {
        if (!target.task.problem.empty()) { // a living supervisor may mend its record, nobody else
            BGT_TRY(end_unrecorded(root, target, request));
            return target.without_record ? Result<Target>(std::move(target)) : asked.error();
        }
        // It may have ended by itself in between.
        const auto again = recover_and_inspect(root, id, {});
        if (again && !is_final(again->status)) return asked.error();
    }
    return target;
}

/// Those that waited in queues, and do so no more: they go first, else they would be started in the
/// place of those that end. Where the journal can't be read or written, each tells it by itself.
std::map<store::TaskId, Target> cancel_all(store::Root& root, std::vector<store::TaskId> ids,
                                           const StopRequest& request)
{
    std::map<store::TaskId, Target> cancelled;
    std::erase_if(ids, [&](store::TaskId id) { return static_cast<bool>(root.open_task(id)); });
    if (ids.empty()) return cancelled;
    const auto waited = cancel_waiting(root, std::move(ids));
    if (!waited) return cancelled;
    for (Snapshot& task : recover_and_inspect_all(root, *waited, request.fields)) {
        const store::TaskId id = task.id;
        const store::Status before = task.status;
        cancelled.emplace(id, Target{std::move(task), before, {}, os::now(), false, true});
    }
    return cancelled;
}

/// The last status seen; nullopt: the deadline passed. Says once a second what it waits for. Error
/// also: the supervisor was stopped meanwhile, and stays so.
Result<std::optional<store::Status>> await_gone(store::Root& root, store::TaskId id,
                                                const Target& target, const StopRequest& request,
                                                std::optional<Instant> deadline, Cancel cancel)
{
    std::optional<Duration> kill_after;
    supervise::StoppedLooks looks;
    for (;;) {
        auto until = deadline;
        if (const Instant tick = os::now() + std::chrono::seconds(1); !deadline || tick < *deadline)
            until = tick;
        auto status = supervise::await_status(
            root, id, until,
            [](const store::Status& now) { return is_final(now) || has_survivors(now); },
            cancel.fd);
        if (!status || *status || until == deadline) return status;
        const auto seen = recover_and_inspect(root, id, {});
        const store::ProcessKey supervisor =
            seen ? seen->status.supervisor : target.before.supervisor;
        BGT_TRY(looks.look(id, supervisor));
        if (!request.waiting) continue;
        if (!kill_after) {
            kill_after = Duration::zero();
            if (!request.now)
                for (const core::StopStep& step :
                     options_for(root, id, request).ladder.value_or(own_ladder(root, id)))
                    *kill_after += step.wait;
        }
        request.waiting({label(id, target.before), os::now() - target.asked, *kill_after,
                         os::still_there(supervisor)});
    }
}

Result<Stopped> await(store::Root& root, Target target, const StopRequest& request,
                      std::optional<Instant> deadline, Cancel cancel)
{
    Stopped out{Stopped::End::had_ended, std::move(target.task), target.before, {}};
    if (target.without_record) {
        out.end = Stopped::End::unrecorded;
        out.took = os::now() - target.asked;
        out.without_record = target.without_record->ended;
        return out;
    }
    if (target.was_waiting) out.end = Stopped::End::cancelled;
    if (target.was_gone || target.was_waiting) return out;
    auto status = await_gone(root, out.task.id, target, request, deadline, cancel);
    if (!status && status.error().kind == ErrorKind::not_found && target.record)
        if (auto last = store::read_open_status(target.record.get()); last && is_final(*last))
            status = std::optional<store::Status>(*std::move(last));
    if (!status && status.error().kind == ErrorKind::not_found) {
        out.end = Stopped::End::removed;
        return out;
    }
    if (!status) return status.error();
    if (!*status) {
        out.end = Stopped::End::timed_out;
        return out;
    }
    out.task.status = **std::move(status);
    out.end = has_survivors(out.task.status) ? Stopped::End::survived : Stopped::End::ended;
    // Leftovers that were kept end after their task did.
    const bool was_over = is_over(out.before) || !out.task.status.ended_at;
    const Duration took = (was_over ? os::now() : *out.task.status.ended_at) - target.asked;
    out.took = std::max(took, Duration::zero());
    return out;
}

} // namespace

Result<Each<Stopped>> stop(store::Root& root, const StopRequest& request,
                           const Progress<Stopped>& progress, Cancel cancel)
{
    Result<Selected> found = select_each(root, request.selection, Scope::living, progress.missing);
    if (!found) return found.error();
    const auto deadline =
        request.timeout ? std::optional(os::now() + *request.timeout) : std::nullopt;
    Each<Stopped> answer{std::move(found->missing), {}};
    std::map<store::TaskId, Target> cancelled = cancel_all(root, found->ids, request);
    std::vector<Result<Target>> targets;
    for (const store::TaskId id : found->ids) {
        const auto waited = cancelled.find(id);
        targets.push_back(waited != cancelled.end() ? std::move(waited->second)
                                                    : ask(root, id, request));
        if (!targets.back() && progress.done) progress.done({id, targets.back().error()});
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const bool asked = static_cast<bool>(targets[i]);
        answer.tasks.push_back(
            {found->ids[i], asked ? await(root, *std::move(targets[i]), request, deadline, cancel)
                                  : Result<Stopped>(targets[i].error())});
        if (asked && progress.done) progress.done(answer.tasks.back());
    }
    return answer;
}

Result<void> request_stop(store::Root& root, store::TaskId id, bool now)
{
    supervise::StopOptions options;
    options.now = now;
    return supervise::request_stop(root, id, options);
}

} // namespace bgt::ops
