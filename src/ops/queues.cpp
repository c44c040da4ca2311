#include <bgt/ops/queues.hpp>

#include "find.hpp"
#include "queue_journal.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/task_place.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace bgt::ops {
namespace {

Error does_not_wait(store::TaskId id)
{
    return Error::failed("task " + to_string(id) + " does not wait in a queue");
}

/// Appends a record for each selected task that waits.
Result<Each<Changed>> change_each(store::Root& root, const Selection& selection,
                                  const Progress<Changed>& progress,
                                  const std::function<store::QueueRecord(store::TaskId)>& record)
{
    const PrivateUmask files;
    BGT_TRY_ASSIGN(Selected found, select_each(root, selection, Scope::living, progress.missing));
    Each<Changed> changed{std::move(found.missing), {}};
    if (store::QueueFile::is_there(root)) {
        BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root));
        std::vector<store::QueueRecord> records;
        for (const store::TaskId id : found.ids) {
            const bool waits = opened.view.is_waiting(id);
            if (waits) records.push_back(record(id));
            changed.tasks.push_back(
                {id, waits ? Result<Changed>(Changed{}) : Result<Changed>(does_not_wait(id))});
        }
        if (!records.empty())
            BGT_TRY(opened.view.append(records, store::QueueFile::Durability::machine));
    } else {
        for (const store::TaskId id : found.ids) changed.tasks.push_back({id, does_not_wait(id)});
    }
    for (const auto& task : changed.tasks)
        if (progress.done) progress.done(task);
    static_cast<void>(dispatch::ensure_dispatcher(root));
    return changed;
}

/// The parts of the item that are among `ids`, which are ascending.
std::vector<core::TaskRange> parts_of(const core::WaitingTasks& item,
                                      const std::vector<store::TaskId>& ids)
{
    std::vector<core::TaskRange> parts;
    const std::int64_t end = item.first + item.count;
    for (auto it = std::ranges::lower_bound(ids, store::TaskId{item.first});
         it != ids.end() && it->value < end; ++it) {
        if (parts.empty() || parts.back().first + parts.back().count != it->value)
            parts.push_back({it->value, 0});
        ++parts.back().count;
    }
    return parts;
}

std::vector<Worker> workers_of(const store::Root& root, const store::QueueView& view,
                               const std::string& queue)
{
    std::vector<Worker> workers;
    for (const std::int64_t id : view.state().running_ids()) {
        if (view.state().running(id)->queue != queue) continue;
        Worker worker;
        worker.task = store::TaskId{id};
        if (const auto task = root.open_task(worker.task)) {
            if (const auto spec = store::read_spec(task->fd())) {
                worker.slot = spec->slot;
                worker.name = spec->name;
            }
            if (const auto status = store::read_status(task->fd())) {
                worker.supervisor = status->supervisor.pid;
                worker.since = status->started;
            } else {
                worker.damaged =
                    status.error().kind != ErrorKind::not_found && status.error().sys_errno == 0;
            }
        }
        workers.push_back(std::move(worker));
    }
    std::ranges::sort(workers, {}, &Worker::slot);
    return workers;
}

std::string lack_words(const core::WaitReasons::Lack& lack)
{
    if (lack.need > lack.capacity) {
        if (lack.capacity == 0 && lack.name != "slots" && lack.name != "total slots")
            return fmt::format("it needs {} of {}, and there is none (bgt queue set --total {}=N)",
                               lack.need, lack.name, lack.name);
        return fmt::format("it needs {} of {}, more than the {} that there are", lack.need,
                           lack.name, lack.capacity);
    }
    if (lack.name == "slots" || lack.name == "total slots")
        return fmt::format("{} of {} {} in use", lack.capacity - lack.free, lack.capacity,
                           lack.name == "slots" ? "slots of its queue are"
                                                : "slots of all queues are");
    return fmt::format("it needs {} of {}, and {} of {} are free", lack.need, lack.name, lack.free,
                       lack.capacity);
}

std::string dependency_words(const core::Dependency& dependency)
{
    switch (dependency.on) {
    case core::DependsOn::ok:
        return fmt::format("it waits for task {} to end with exit 0", dependency.task);
    case core::DependsOn::fail: return fmt::format("it waits for task {} to fail", dependency.task);
    case core::DependsOn::any: return fmt::format("it waits for task {} to end", dependency.task);
    case core::DependsOn::start:
        return fmt::format("it waits for task {} to be started", dependency.task);
    case core::DependsOn::ready:
        return fmt::format("it waits for task {} to be ready", dependency.task);
    }
    return {};
}

std::vector<std::string> reason_words(const core::WaitReasons& why, const std::string& queue,
                                      store::TaskId id)
{
    std::vector<std::string> out;
    if (why.held) out.push_back(fmt::format("it is held (bgt release {})", id.value));
    if (why.queue_paused)
        out.push_back(fmt::format("queue {} is paused (bgt queue resume {})", queue, queue));
    if (why.not_before)
        out.push_back("it starts at " + time_words(*why.not_before, os::wall_now()));
    for (const core::Dependency& dependency : why.dependencies)
        out.push_back(dependency_words(dependency));
    if (why.key_holder)
        out.push_back(fmt::format("task {} of the same key or array runs", *why.key_holder));
    for (const auto& lack : why.lacks) out.push_back(lack_words(lack));
    if (why.behind)
        out.push_back(
            fmt::format("task {} comes first, and what both need is kept for it", *why.behind));
    return out;
}

/// Error: what it was submitted with can't be read, or nobody who dispatches could give it.
Result<void> can_start(const store::Root& root, const store::QueueView& view, store::TaskId id)
{
    BGT_TRY(store::check_place(root, id));
    BGT_TRY_ASSIGN(const store::WaitingTask task, view.describe(id));
    BGT_TRY_ASSIGN(const store::QueueContext context,
                   store::read_context(view.file(), task.context));
    if (const auto lack = dispatch::lack_of_dispatcher(root, context))
        return Error::failed("it was submitted with " + *lack +
                             ": it starts with the next bgt command of a shell that has that, too");
    return {};
}

/// The first that waits, of each queue; one whose time has not come only where all are like that,
/// and then the one whose time comes first.
std::map<std::string, std::int64_t> heads_of(const core::QueueState& state)
{
    std::map<std::string, std::int64_t> heads, later;
    for (const std::int64_t id : state.in_order(std::string::npos)) {
        const std::string queue = *state.queue_of(id);
        const auto time = state.not_before(id);
        if (!time) {
            heads.try_emplace(queue, id);
            continue;
        }
        const auto [known, is_new] = later.try_emplace(queue, id);
        if (!is_new && *time < *state.not_before(known->second)) known->second = id;
    }
    heads.merge(later);
    return heads;
}

QueueInfo info_of(const store::Root& root, const store::QueueView& view, const std::string& name,
                  const core::QueueCounts& counts, std::optional<std::int64_t> head)
{
    QueueInfo info;
    info.name = name;
    info.settings = view.settings().of(name);
    info.slots = info.settings.slots_on(os::core_count());
    info.counts = counts;
    info.workers = workers_of(root, view, name);
    if (!head) return info;
    info.next = store::TaskId{*head};
    if (const auto why = view.state().why_waiting(*head))
        for (const std::string& word : reason_words(*why, name, *info.next))
            info.idle_because += (info.idle_because.empty() ? "" : "; ") + word;
    for (const Worker& worker : info.workers)
        if (worker.damaged)
            info.idle_because +=
                fmt::format("{}task {} runs and is damaged", info.idle_because.empty() ? "" : "; ",
                            worker.task.value);
    if (const Result<void> fine = can_start(root, view, *info.next); !fine)
        info.idle_because += (info.idle_because.empty() ? "" : "; ") + fine.error().message;
    return info;
}

/// Empty: it does not wait.
std::vector<std::string> account_of(store::Root& root, const store::QueueView& view,
                                    store::TaskId id)
{
    std::vector<std::string> out;
    if (const auto task = root.open_task(id)) { // it has left the queue meanwhile
        const auto status = store::read_status(task->fd());
        const bool has_record = status && status->lifecycle != core::Lifecycle::queued;
        if (has_record || (!view.is_claimed(id) && !view.is_waiting(id))) return out;
        if (view.is_claimed(id) && !status && status.error().kind != ErrorKind::not_found)
            return {"is damaged, and keeps its slot until its processes have ended: " +
                    status.error().message};
    }
    if (view.is_claimed(id)) return {"is about to be started"};
    const auto why = view.state().why_waiting(id.value);
    if (!why) return out;
    const std::string queue = view.state().queue_of(id.value).value_or("default");
    out.push_back(
        fmt::format("waits in queue {}, {}", queue,
                    why->before == 0 ? "as the next" : fmt::format("{} before it", why->before)));
    for (const std::string& reason : reason_words(*why, queue, id)) out.push_back(reason);
    if (const Result<void> fine = can_start(root, view, id); !fine)
        out.push_back(fine.error().message);
    std::string holders;
    for (const Worker& worker : workers_of(root, view, queue))
        holders += (holders.empty() ? "" : ", ") + to_string(worker.task) +
                   (worker.damaged ? " (damaged)" : "");
    if (!holders.empty()) out.push_back("running there: " + holders);
    if (!dispatch::has_dispatcher(root))
        out.push_back("nobody dispatches: the next bgt command mends that");
    return out;
}

Result<store::QueueView> load_now(const store::Root& root)
{
    BGT_TRY_ASSIGN(store::QueueView view, store::QueueView::load(root, os::boot_id()));
    view.advance(os::wall_now());
    return view;
}

Result<void> check_among(const std::vector<std::string>& names, const std::string& name)
{
    if (std::ranges::find(names, name) != names.end()) return {};
    return Error::not_found("no queue '" + fit(printable(name), 40) + "' (bgt queue lists all)");
}

} // namespace

void keep_dispatching(const store::Root& root)
{
    static_cast<void>(dispatch::ensure_dispatcher(root));
}

std::vector<std::string> queue_names(const store::QueueView& view)
{
    std::vector<std::string> names{"default"};
    for (const auto& [name, settings] : view.settings().queues) names.push_back(name);
    for (const auto& [name, count] : view.state().counts()) names.push_back(name);
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
}

Result<void> check_queue(const store::Root& root, const std::string& name)
{
    BGT_TRY_ASSIGN(const store::QueueView view, load_now(root));
    return check_among(queue_names(view), name);
}

Result<QueuesAnswer> list_queues(store::Root& root, const std::string& only)
{
    BGT_TRY_ASSIGN(const store::QueueView view, load_now(root));
    QueuesAnswer answer;
    answer.settings = view.settings();
    const auto counts = view.state().counts();
    const auto heads = heads_of(view.state());
    const std::vector<std::string> names = queue_names(view);
    if (!only.empty()) BGT_TRY(check_among(names, only));
    for (const std::string& name : names)
        if (only.empty() || name == only) {
            const auto count = counts.find(name);
            const auto head = heads.find(name);
            answer.queues.push_back(info_of(
                root, view, name, count != counts.end() ? count->second : core::QueueCounts{},
                head != heads.end() ? std::optional(head->second) : std::nullopt));
        }
    return answer;
}

Result<void> change_settings(store::Root& root,
                             const std::function<Result<void>(store::QueueSettings&)>& change)
{
    const PrivateUmask files;
    BGT_TRY_ASSIGN(store::QueueFile file, store::QueueFile::open(root, true, os::boot_id()));
    BGT_TRY_ASSIGN(const Fd lock, file.lock());
    BGT_TRY_ASSIGN(store::QueueSettings settings, store::read_settings(file));
    BGT_TRY(change(settings));
    BGT_TRY(store::write_settings(file, settings));
    return dispatch::ensure_dispatcher(root);
}

Result<std::size_t> clear_queue(store::Root& root, const std::string& queue)
{
    return cancel_waiting(
        root, [&](const store::QueueView& view) -> Result<std::vector<core::TaskRange>> {
            std::vector<core::TaskRange> out;
            for (const core::WaitingTasks& tasks : view.state().waiting())
                if (tasks.queue == queue) out.push_back({tasks.first, tasks.count});
            return out;
        });
}

Result<std::size_t> cancel_waiting(store::Root& root, const WhichWaiting& which)
{
    const PrivateUmask files;
    if (!store::QueueFile::is_there(root)) return std::size_t{0};
    std::size_t count = 0;
    {
        BGT_TRY_ASSIGN(LockedJournal opened, open_locked(root));
        BGT_TRY_ASSIGN(const std::vector<core::TaskRange> ranges, which(opened.view));
        std::vector<store::QueueRecord> records;
        for (const core::TaskRange& tasks : ranges) {
            records.emplace_back(store::Dropped{tasks, core::Reason::cancelled, 0});
            count += tasks.count;
        }
        if (!records.empty())
            BGT_TRY(opened.view.append(records, store::QueueFile::Durability::machine));
    }
    BGT_TRY(dispatch::ensure_dispatcher(root));
    return count;
}

Result<void> remove_queue(store::Root& root, const std::string& queue)
{
    BGT_TRY_ASSIGN(const QueuesAnswer now, list_queues(root, queue));
    const core::QueueCounts& counts = now.queues.front().counts;
    if (counts.waiting + counts.running > 0)
        return Error::failed(fmt::format(
            "{} tasks wait and {} run in queue {}: bgt queue clear {}, or wait for them",
            counts.waiting, counts.running, queue, queue));
    return change_settings(root, [&](store::QueueSettings& settings) -> Result<void> {
        settings.queues.erase(queue);
        return {};
    });
}

Result<store::Repair> repair_queues(store::Root& root)
{
    const PrivateUmask files;
    BGT_TRY_ASSIGN(store::Repair done, store::repair_queues(root, os::boot_id()));
    BGT_TRY(dispatch::ensure_dispatcher(root));
    return done;
}

Result<std::vector<store::TaskId>> cancel_waiting(store::Root& root, std::vector<store::TaskId> ids)
{
    std::ranges::sort(ids);
    std::vector<store::TaskId> cancelled;
    BGT_TRY(cancel_waiting(
        root, [&](const store::QueueView& view) -> Result<std::vector<core::TaskRange>> {
            for (const store::TaskId id : ids)
                if (view.is_waiting(id) || view.dropped_for(id)) cancelled.push_back(id);
            std::vector<core::TaskRange> ranges;
            for (const core::WaitingTasks& item : view.state().waiting())
                for (const core::TaskRange& part : parts_of(item, ids)) ranges.push_back(part);
            return ranges;
        }));
    return cancelled;
}

Result<Each<Changed>> hold(store::Root& root, const Selection& selection,
                           const Progress<Changed>& progress)
{
    return change_each(root, selection, progress, [](store::TaskId id) {
        return store::Held{id.value, true};
    });
}

Result<Each<Changed>> release(store::Root& root, const Selection& selection,
                              const Progress<Changed>& progress)
{
    return change_each(root, selection, progress, [](store::TaskId id) {
        return store::Held{id.value, false};
    });
}

Result<Each<Changed>> move(store::Root& root, const MoveRequest& request,
                           const Progress<Changed>& progress)
{
    store::TaskId other;
    if (request.to == MoveRequest::To::before) {
        Selection target;
        target.words = {request.before};
        target.folder = request.selection.folder;
        BGT_TRY_ASSIGN(const std::vector<store::TaskId> found, select(root, target, Scope::living));
        other = found.front();
        BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
        if (!view.is_waiting(other)) return does_not_wait(other);
    }
    return change_each(
        root, request.selection, progress, [&](store::TaskId id) -> store::QueueRecord {
            switch (request.to) {
            case MoveRequest::To::first:
                return store::Moved{id.value, store::Moved::Where::first, 0};
            case MoveRequest::To::last: return store::Moved{id.value, store::Moved::Where::last, 0};
            case MoveRequest::To::before:
                return store::Moved{id.value, store::Moved::Where::before, other.value};
            case MoveRequest::To::priority: break;
            }
            return store::Prioritized{id.value, request.priority};
        });
}

bool has_queue(const store::Root& root)
{
    return store::QueueFile::is_there(root);
}

Result<std::vector<WaitingAccount>> why_waiting(store::Root& root, const Selection& selection)
{
    std::vector<WaitingAccount> accounts;
    if (!store::QueueFile::is_there(root)) return accounts;
    auto view = store::QueueView::load(root, os::boot_id());
    if (view) view->advance(os::wall_now());
    BGT_TRY_ASSIGN(const Found found,
                   find_all(root, selection, Scope::living, view ? &*view : nullptr));
    if (!found.selected.missing.empty()) return found.selected.missing.front();
    for (const store::TaskId id : found.selected.ids) {
        if (!view && !root.open_task(id)) return view.error();
        accounts.push_back({id, view ? account_of(root, *view, id) : std::vector<std::string>{}});
    }
    return accounts;
}

} // namespace bgt::ops
