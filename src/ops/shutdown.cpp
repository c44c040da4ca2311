#include <bgt/ops/shutdown.hpp>

#include "end_tasks.hpp"

#include <bgt/ops/queues.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/shutdown_lock.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace bgt::ops {
namespace {

constexpr auto lock_pause = std::chrono::milliseconds(10);

bool is_of_all(const Selection& selection)
{
    return selection.words.empty() && !selection.narrows();
}

/// What is to be ended, looked for again and again.
class Targets {
public:
    Targets(store::Root& root, const Selection& selection) : root_(root), selection_(selection) {}

    Result<ToEnd> find() { return is_of_all(selection_) ? find_all() : find_selected(); }

private:
    Result<ToEnd> find_all()
    {
        ToEnd out;
        BGT_TRY_ASSIGN(out.cancelled, cancel([](const store::QueueView& view) {
                           std::vector<core::TaskRange> all;
                           for (const core::WaitingTasks& tasks : view.state().waiting())
                               all.push_back({tasks.first, tasks.count});
                           return Result<std::vector<core::TaskRange>>(std::move(all));
                       }));
        BGT_TRY(take_claimed(out, nullptr));
        BGT_TRY_ASSIGN(const std::vector<store::TaskId> ids, root_.active_ids());
        std::ranges::copy_if(ids, std::back_inserter(out.living),
                             [&](store::TaskId id) { return lives(id); });
        return out;
    }

    /// The first time under the journal's lock: what is submitted later sees the lock of the
    /// shutdown.
    Result<std::size_t> cancel(const WhichWaiting& which)
    {
        if (std::exchange(is_first_, false)) return cancel_waiting(root_, which);
        return cancel_those_waiting(root_, which);
    }

    /// Words are looked up once: a task may be gone, with its name, when it has ended.
    Result<ToEnd> find_selected()
    {
        ToEnd out;
        if (ids_.empty() || selection_.words.empty()) {
            BGT_TRY_ASSIGN(const std::vector<store::TaskId> found,
                           select(root_, selection_, Scope::living));
            ids_.insert(found.begin(), found.end());
        }
        BGT_TRY_ASSIGN(out.cancelled,
                       cancel([&](const store::QueueView& view) { return waiting_of(view); }));
        BGT_TRY(take_claimed(out, &ids_));
        std::ranges::copy_if(ids_, std::back_inserter(out.living),
                             [&](store::TaskId id) { return lives(id); });
        return out;
    }

    /// Neighbours in one range: a selection may be of a whole array.
    Result<std::vector<core::TaskRange>> waiting_of(const store::QueueView& view) const
    {
        std::vector<core::TaskRange> out;
        for (const store::TaskId id : ids_) {
            if (!view.is_waiting(id)) continue;
            if (!out.empty() && out.back().first + out.back().count == id.value) ++out.back().count;
            else out.push_back({id.value, 1});
        }
        return out;
    }

    /// The dispatcher is about to start one: it is looked at again when it has its folder.
    Result<void> take_claimed(ToEnd& out, const std::set<store::TaskId>* only) const
    {
        if (!store::QueueFile::is_there(root_)) return {};
        BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root_, os::boot_id()));
        for (const std::int64_t id : view.state().running_ids()) {
            const store::TaskId task{id};
            if (only && !only->contains(task)) continue;
            if (!root_.open_task(task)) out.incomplete = true;
        }
        return {};
    }

    /// What is damaged counts: only the request to its supervisor tells.
    bool lives(store::TaskId id) const
    {
        const auto task = root_.open_task(id);
        if (!task) return false;
        const auto status = store::read_status(task->fd());
        return !status || !is_final(*status);
    }

    store::Root& root_;
    const Selection& selection_;
    std::set<store::TaskId> ids_; ///< selected by now
    bool is_first_ = true;
};

/// Waits for another shutdown of the root.
Result<store::ShutdownLock> take_lock(const store::Root& root, std::optional<Instant> until)
{
    while (true) {
        BGT_TRY_ASSIGN(std::optional<store::ShutdownLock> lock,
                       store::ShutdownLock::try_take(root));
        if (lock) return *std::move(lock);
        if (until && os::now() >= *until)
            return Error{ErrorKind::failed,
                         "another bgt shutdown of " + root.path() + " has not ended yet", EAGAIN};
        os::pause_for(lock_pause);
    }
}

} // namespace

const char* to_string(ShutdownStatus status)
{
    switch (status) {
    case ShutdownStatus::completed: return "completed";
    case ShutdownStatus::timeout: return "timeout";
    case ShutdownStatus::already_shutdown: break;
    }
    return "already_shutdown";
}

Result<ShutdownAnswer> shutdown(store::Root& root, const ShutdownRequest& request)
{
    ShutdownAnswer answer;
    if (!root.exists() && is_of_all(request.selection)) return answer;
    EndRequest end;
    end.reason = core::Reason::shutdown;
    if (request.timeout) end.force_at = os::now() + *request.timeout;
    std::optional<store::ShutdownLock> lock;
    if (is_of_all(request.selection)) { BGT_TRY_ASSIGN(lock, take_lock(root, end.force_at)); }
    Targets targets(root, request.selection);
    BGT_TRY_ASSIGN(answer.tasks, end_tasks(root, end, [&] { return targets.find(); }));
    if (answer.tasks.initial > 0)
        answer.status =
            answer.tasks.remaining.empty() ? ShutdownStatus::completed : ShutdownStatus::timeout;
    lock.reset();
    keep_dispatching(root);
    return answer;
}

} // namespace bgt::ops
