#include <bgt/ops/list.hpp>

#include "find.hpp"

#include "readiness.hpp"

#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_view.hpp>

#include <algorithm>
#include <iterator>
#include <set>

namespace bgt::ops {

namespace {

using store::TaskId;

constexpr std::size_t newest_ended = 10;
constexpr std::size_t max_waiting = 1000; ///< that are listed where not everything was asked for
constexpr std::int64_t max_probes =
    64; ///< ids tried one by one before the folder of all tasks is read

/// A damaged one has not: it needs attention, so it stands among the living and is never cut off.
bool has_ended(const Snapshot& task)
{
    return task.problem.empty() && task.status.lifecycle == core::Lifecycle::ended;
}

/// Ids below the newest that are not active, the newest first: by trying each, so that the cost
/// does not grow with the number of ended tasks; all of them where too few were found so.
Result<std::vector<TaskId>> newest_inactive(store::Root& root, const std::vector<TaskId>& active,
                                            std::size_t count)
{
    const auto is_active = [&](TaskId id) {
        return std::binary_search(active.begin(), active.end(), id);
    };
    std::vector<TaskId> found;
    if (count <= newest_ended) {
        const auto last = root.last_id();
        std::int64_t id = last ? *last : 0;
        for (std::int64_t probes = 0; id > 0 && probes < max_probes && found.size() < count;
             --id, ++probes)
            if (!is_active(TaskId{id}) && root.open_task(TaskId{id})) found.push_back(TaskId{id});
        if (found.size() >= count || (last && id == 0)) return found;
    }

    auto all = root.all_ids();
    if (!all) return all.error();
    found.clear();
    for (auto it = all->rbegin(); it != all->rend() && found.size() < count; ++it)
        if (!is_active(*it)) found.push_back(*it);
    return found;
}

/// What waits in queues; nullopt: nothing does, or it can't be read.
std::optional<store::QueueView> read_queue(const store::Root& root, const ListRequest& request)
{
    if (!store::QueueFile::is_there(root)) return std::nullopt;
    auto view = store::QueueView::load(root, os::boot_id());
    if (!view && request.unread) request.unread(view.error());
    if (!view) return std::nullopt;
    view->advance(os::wall_now());
    return *std::move(view);
}

/// Of those that wait in queues, the ones that come first: more than a screen holds are worth no
/// waiting.
std::vector<TaskId> waiting_ids(const store::QueueView* view, const ListRequest& request)
{
    if (!view) return {};
    return queued_ids(*view, request.everything ? std::string::npos : max_waiting);
}

bool is_below(const std::string& path, const std::string& folder)
{
    return path.starts_with(folder) &&
           (folder == "/" || path.size() == folder.size() || path[folder.size()] == '/');
}

bool fits(const Snapshot& task, const ListRequest& request)
{
    if (!request.here.empty() && (!task.spec || !is_below(task.spec->cwd, request.here)))
        return false;
    if (request.leftover && (!has_ended(task) || !task.status.tree_lives)) return false;
    if (request.states.empty()) return true;
    return std::any_of(request.states.begin(), request.states.end(),
                       [&](const std::string& state) { return in_state(task, state); });
}

/// Whether the states asked for can be found among tasks not done with alone.
bool only_living_wanted(const ListRequest& request)
{
    if (request.states.empty()) return false;
    return std::none_of(request.states.begin(), request.states.end(), [](const std::string& state) {
        return state == "ended" || state == "failed" || state == "lost";
    });
}

void sort_for_people(std::vector<Snapshot>& tasks)
{
    const auto comes_before = [](const Snapshot& a, const Snapshot& b) {
        const bool a_ended = has_ended(a);
        const bool b_ended = has_ended(b);
        if (a_ended != b_ended) return b_ended;
        return a_ended ? a.id > b.id : a.id < b.id;
    };
    // Nearly always they are in this order: a sort would move each about, and each is large.
    if (!std::ranges::is_sorted(tasks, comes_before)) std::ranges::sort(tasks, comes_before);
}

SnapshotFields fields_for(const ListRequest& request, std::size_t tasks)
{
    SnapshotFields fields = request.fields;
    fields.spec = fields.spec || !request.here.empty();
    if (request.tail_of_few && tasks > few) fields.log_tail = false;
    return fields;
}

Result<std::vector<Snapshot>> selected(store::Root& root, const ListRequest& request)
{
    const auto found = find_all(root, request.selection, Scope::any);
    if (!found) return found.error();
    const Selected& selected = found->selected;
    if (!selected.missing.empty()) return selected.missing.front();
    if (found->unread && request.unread) request.unread(*found->unread);
    auto tasks =
        recover_and_inspect_all(root, selected.ids, fields_for(request, selected.ids.size()));
    if (request.fields.ports)
        for (Snapshot& task : tasks) check_readiness(root, task);
    std::erase_if(tasks, [&](const Snapshot& task) { return !fits(task, request); });
    if (request.selection.words.empty()) sort_for_people(tasks);
    return tasks;
}

void append(std::vector<Snapshot>& to, std::vector<Snapshot> more)
{
    if (to.empty()) return std::swap(to, more);
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

} // namespace

std::string known_states()
{
    std::string out;
    for (const auto state : state_filters) out += (out.empty() ? "" : ", ") + std::string(state);
    return out;
}

Result<void> check_state(std::string_view state)
{
    if (std::ranges::find(state_filters, state) != std::end(state_filters)) return {};
    return Error::usage("unknown state '" + fit(printable(state), 40) +
                        "'; there are: " + known_states());
}

bool in_state(const Snapshot& task, std::string_view state)
{
    if (!task.problem.empty()) return false;
    const store::Status& status = task.status;
    const bool ended = status.lifecycle == core::Lifecycle::ended;
    if (state == "paused") return status.paused && status.lifecycle == core::Lifecycle::running;
    if (state == "lost") return ended && status.outcome.kind == core::OutcomeKind::lost;
    if (state == "failed")
        return ended && exit_code(status) != 0 && status.outcome.reason != core::Reason::killed;
    return state == core::to_string(status.lifecycle);
}

Result<std::vector<Snapshot>> list(store::Root& root, const ListRequest& request)
{
    for (const std::string& state : request.states)
        if (Result<void> known = check_state(state); !known) return known.error();
    if (!request.selection.empty()) return selected(root, request);
    if (!root.exists()) return std::vector<Snapshot>{};
    // First the markers: a task that ends between the two listings is then found in the first, a
    // task that begins between them would be taken for an ended one in the second, so what
    // inspect_all says of it decides.
    // And before them what waits: a task that is started meanwhile then has its marker, too.
    const std::optional<store::QueueView> read = read_queue(root, request);
    const store::QueueView* queue = read ? &*read : nullptr;
    const auto active = root.active_ids();
    if (!active) return active.error();
    const bool filtered = !request.states.empty() || request.leftover;
    const bool all_ended =
        request.everything || filtered; // the newest ten that are here are not known before

    std::vector<TaskId> inactive;
    if (!only_living_wanted(request)) {
        auto found = newest_inactive(
            root, *active, all_ended || !request.here.empty() ? std::string::npos : newest_ended);
        if (!found) return found.error();
        inactive = *std::move(found);
    }
    const std::vector<TaskId> waiting = waiting_ids(queue, request);
    const SnapshotFields fields =
        fields_for(request, active->size() + waiting.size() + inactive.size());
    std::vector<TaskId> unfinished = *active;
    for (const TaskId id : waiting)
        if (!std::binary_search(active->begin(), active->end(), id)) unfinished.push_back(id);
    const std::set<TaskId> listed(unfinished.begin(), unfinished.end());
    std::erase_if(inactive, [&](TaskId id) { return listed.contains(id); });
    auto tasks = recover_and_inspect_all(root, unfinished, fields, queue);
    if (fields.ports)
        for (Snapshot& task : tasks) check_readiness(root, task);
    append(tasks, recover_and_inspect_all(root, inactive, fields, queue));
    std::erase_if(tasks, [&](const Snapshot& task) { return !fits(task, request); });
    sort_for_people(tasks);
    if (all_ended) return tasks;
    const auto first_ended = std::find_if(tasks.begin(), tasks.end(), has_ended);
    const auto living = static_cast<std::size_t>(first_ended - tasks.begin());
    if (tasks.size() - living > newest_ended) tasks.resize(living + newest_ended);
    return tasks;
}

} // namespace bgt::ops
