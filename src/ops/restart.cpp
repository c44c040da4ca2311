#include <bgt/ops/restart.hpp>

#include "start_like.hpp"

#include <bgt/core/end_words.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/store/environment.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/control.hpp>

#include <fmt/format.h>

namespace bgt::ops {
namespace {

Error survives(store::TaskId id, const store::Status& status)
{
    return Error::failed(label(id, status) +
                         ": SIGKILL does not end all of it (bgt show says more)");
}

/// In the same task: its supervisor can start the command again.
Result<Restarted> next_attempt(store::Root& root, const Snapshot& before,
                               const RestartRequest& request, Cancel cancel)
{
    supervise::StopOptions options;
    options.now = request.now;
    const store::TaskId id = before.id;
    if (const auto asked = supervise::request_restart(root, id, options); !asked)
        return asked.error();
    const std::uint32_t attempt = before.status.attempt;
    const bool waited = before.status.lifecycle ==
                        core::Lifecycle::backing_off; // its next attempt has its number already
    auto after = supervise::await_served(
        root, id,
        [&](const store::Status& seen) {
            const bool runs =
                seen.lifecycle == core::Lifecycle::running && (seen.attempt > attempt || waited);
            return runs || is_over(seen) || has_survivors(seen);
        },
        cancel.fd);
    if (!after) return after.error();
    store::Status& status = *after;
    if (has_survivors(status)) return survives(id, status);
    if (is_over(status))
        return Error::failed(fmt::format("{}: ended instead ({})", label(id, status),
                                         core::end_words(status.outcome)));
    return Restarted{id, std::move(status)};
}

/// Nothing that `--leftover keep` left may stay either. The last record.
Result<store::Status> end_it(store::Root& root, const Snapshot& before, bool now, Cancel cancel)
{
    if (is_final(before.status)) return before.status;
    supervise::StopOptions options;
    options.now = now;
    if (const auto asked = supervise::request_stop(root, before.id, options); !asked) {
        const auto seen = recover_and_inspect(root, before.id, {}); // it may just have ended
        if (seen && !is_final(seen->status)) return asked.error();
    }
    auto after = supervise::await_served(
        root, before.id,
        [](const store::Status& seen) { return is_final(seen) || has_survivors(seen); }, cancel.fd);
    if (!after)
        return after.error().kind == ErrorKind::not_found ? Result<store::Status>(before.status)
                                                          : after.error();
    if (has_survivors(*after)) return survives(before.id, *after);
    return after;
}

/// Another task like it: it has ended, or nobody knows its environment.
Result<Restarted> another(store::Root& root, const Snapshot& before, const RestartRequest& request,
                          Cancel cancel)
{
    const auto task = root.open_task(before.id);
    if (!task) return task.error();
    auto wanted =
        like(*task, request.env, request.retention); // before its end, which may remove it
    if (!wanted) return wanted.error();
    const auto ended = end_it(root, before, request.now, cancel);
    if (!ended) return ended.error();
    const auto started = start(root, *std::move(wanted), IfNameTaken::fail);
    if (!started) return started.error();
    auto status = store::read_status_at(root.fd(), started->id);
    Restarted done{started->id, status ? *std::move(status) : store::Status{}};
    done.instead = before.id;
    done.before = *ended;
    return done;
}

Result<Restarted> restart_one(store::Root& root, store::TaskId id, const RestartRequest& request,
                              Cancel cancel)
{
    const auto before = recover_and_inspect(root, id, {});
    if (!before) return before.error();
    if (!before->problem.empty()) return Error::failed(before->problem);
    if (before->status.lifecycle == core::Lifecycle::queued)
        return Error::failed(supervise::waiting_text(id));
    if (is_over(before->status)) return another(root, *before, request, cancel);
    if (before->status.adopted) {
        const auto task = root.open_task(id);
        if (!task) return task.error();
        const auto kept = store::read_environment(task->fd());
        if (!kept) return kept.error();
        if (!*kept) return another(root, *before, request, cancel);
    }
    return next_attempt(root, *before, request, cancel);
}

} // namespace

Result<Each<Restarted>> restart(store::Root& root, const RestartRequest& request,
                                const Progress<Restarted>& progress, Cancel cancel)
{
    return for_each(root, request.selection, Scope::living, progress,
                    [&](store::TaskId id) { return restart_one(root, id, request, cancel); });
}

} // namespace bgt::ops
