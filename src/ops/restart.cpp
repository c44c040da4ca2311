#include <bgt/ops/restart.hpp>

#include <bgt/core/end_words.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/supervise/control.hpp>

#include <fmt/format.h>

namespace bgt::ops {
namespace {

Result<Restarted> restart_one(store::Root& root, store::TaskId id, bool now, Cancel cancel)
{
    const auto before = recover_and_inspect(root, id, {});
    if (!before) return before.error();
    supervise::StopOptions options;
    options.now = now;
    if (const auto asked = supervise::request_restart(root, id, options); !asked) return asked.error();
    const std::uint32_t attempt = before->status.attempt;
    const bool waited = before->status.lifecycle == core::Lifecycle::backing_off; // its next attempt has its number already
    auto after = supervise::await_status(
        root, id, std::nullopt,
        [&](const store::Status& seen) {
            const bool runs = seen.lifecycle == core::Lifecycle::running && (seen.attempt > attempt || waited);
            return runs || is_over(seen) || has_survivors(seen);
        },
        cancel.fd);
    if (!after) return after.error();
    store::Status& status = **after;
    if (has_survivors(status)) return Error::failed(label(id, status) + ": SIGKILL does not end all of it (bgt show says more)");
    if (is_over(status)) return Error::failed(fmt::format("{}: {}", label(id, status), core::ended_words(status.outcome)));
    return Restarted{std::move(status)};
}

} // namespace

Result<Each<Restarted>> restart(store::Root& root, const RestartRequest& request, const Progress<Restarted>& progress, Cancel cancel)
{
    return for_each(root, request.selection, Scope::living, progress,
                    [&](store::TaskId id) { return restart_one(root, id, request.now, cancel); });
}

} // namespace bgt::ops
