#include "leave_queue.hpp"

#include "queue_journal.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/await_served.hpp>

namespace bgt::ops {
namespace {

constexpr auto start_timeout = std::chrono::seconds(5);
constexpr auto start_interval = std::chrono::milliseconds(2);

/// Does what the one who dispatches would do next.
Result<void> close_now(store::Root& root, store::QueueView& view, store::TaskId id)
{
    BGT_TRY(dispatch::record_not_started(root, view, id, *view.dropped_for(id)));
    return view.append({store::Closed{{id.value, 1}}}, store::QueueFile::Durability::process);
}

/// True: it does not wait any more. False: it did not.
Result<bool> take_out(store::Root& root, store::TaskId id, Leave how)
{
    BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root));
    store::QueueView& view = opened.view;
    if (!view.is_waiting(id) && !view.dropped_for(id)) return false;
    if (view.is_waiting(id))
        BGT_TRY(view.append({store::Dropped{{id.value, 1}, core::Reason::cancelled, 0}},
                            store::QueueFile::Durability::machine));
    if (how == Leave::at_once) BGT_TRY(close_now(root, view, id));
    return true;
}

} // namespace

Result<bool> leave_queue(store::Root& root, store::TaskId id, Leave how)
{
    const PrivateUmask files;
    const Instant deadline = os::now() + start_timeout;
    while (!root.open_task(id)) {
        if (!store::QueueFile::is_there(root)) return false;
        BGT_TRY_ASSIGN(const bool left, take_out(root, id, how));
        BGT_TRY(dispatch::ensure_dispatcher(root));
        if (left) return true;
        BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
        if (!view.is_claimed(id) && !view.is_waiting(id)) return false;
        if (os::now() > deadline)
            return Error::failed("task " + to_string(id) +
                                 " is about to be started, and does not come to it");
        os::await_readable({-1, -1, -1}, os::now() + start_interval);
    }
    return false;
}

Result<store::TaskDir> folder_of(store::Root& root, store::TaskId id)
{
    const PrivateUmask files;
    Result<store::TaskDir> task = root.open_task(id);
    if (task || task.error().kind != ErrorKind::not_found) return task;
    const Result<Snapshot> seen = recover_and_inspect(root, id, {});
    if (!seen) return task;
    if (seen->status.lifecycle == core::Lifecycle::queued)
        return Error::failed(supervise::waiting_text(id));
    if (store::QueueFile::is_there(root)) {
        BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root));
        if (opened.view.dropped_for(id)) BGT_TRY(close_now(root, opened.view, id));
    }
    return root.open_task(id);
}

} // namespace bgt::ops
