#include <bgt/ops/submit.hpp>

#include "submit_parts.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/root_events.hpp>
#include <bgt/store/shutdown_lock.hpp>
#include <bgt/supervise/caller_context.hpp>
#include <bgt/supervise/start.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

namespace bgt::ops {
namespace {

constexpr auto full_pause = std::chrono::milliseconds(100);
/// A larger batch is one event, as an array is.
constexpr std::size_t max_told_apart = 100;

std::uint32_t count_of(const SubmitRequest& request)
{
    if (request.array) return request.array->count();
    if (!request.batch.empty()) return static_cast<std::uint32_t>(request.batch.size());
    return std::max(1u, static_cast<std::uint32_t>(request.texts.size()));
}

/// Everything that a submission needs, under the journal's lock.
struct Submission {
    store::Root& root;
    store::QueueFile& file;
    SubmitRequest& request;
    store::QueueSettings settings;
    std::optional<store::QueueView> view = {}; ///< of all that waits; only where it is needed
    std::vector<store::TaskId> to_end = {};    ///< OnBusy::replace

    Result<store::QueueView*> all()
    {
        if (view) return &*view;
        BGT_TRY_ASSIGN(store::QueueView loaded, store::QueueView::load(root, os::boot_id()));
        return &view.emplace(std::move(loaded));
    }
};

/// A task that a dependency can name. Error (not_found): there is none.
Result<void> check_exists(Submission& s, store::TaskId id)
{
    if (s.root.open_task(id)) return {};
    BGT_TRY_ASSIGN(const store::QueueView* view, s.all());
    if (view->is_waiting(id) || view->is_claimed(id) || view->dropped_for(id)) return {};
    return Error::not_found("--after: no such task " + to_string(id) + " (bgt ps -a lists all)");
}

Result<core::Dependency> resolve(Submission& s, const DependencyWord& word)
{
    if (const auto id = store::parse_task_id(word.task)) {
        BGT_TRY(check_exists(s, *id));
        return core::Dependency{id->value, word.on};
    }
    if (const auto valid = store::check_name(word.task); !valid)
        return Error::not_found("--after: " + valid.error().message);
    BGT_TRY_ASSIGN(const std::optional<store::TaskId> found,
                   find_by_name(s.root, word.task, s.request.folder));
    if (!found)
        return Error::not_found("--after: no task named " + word.task + " (bgt ps -a lists all)");
    BGT_TRY(check_exists(s, *found));
    return core::Dependency{found->value, word.on};
}

Result<std::vector<core::Dependency>> resolve_all(Submission& s,
                                                  const std::vector<DependencyWord>& words)
{
    std::vector<core::Dependency> out;
    for (const DependencyWord& word : words) {
        BGT_TRY_ASSIGN(const core::Dependency one, resolve(s, word));
        if (std::ranges::find(out, one) == out.end()) out.push_back(one);
    }
    return out;
}

/// Error: the queue takes nothing, or not so many. False: it is full, and may have room later.
Result<bool> has_room(Submission& s)
{
    const std::string& name = s.request.how.queue;
    const store::OneQueue queue = s.settings.of(name);
    if (queue.draining)
        return Error::failed("queue " + name + " takes nothing (bgt queue resume " + name + ")");
    if (!queue.limit) return true;
    BGT_TRY_ASSIGN(const store::QueueView* view, s.all());
    const auto counts = view->state().counts();
    const auto found = counts.find(name);
    const std::size_t waiting = found != counts.end() ? found->second.waiting : 0;
    if (count_of(s.request) > *queue.limit)
        return Error::failed(fmt::format("queue {} has room for {} tasks, these are {}", name,
                                         *queue.limit, count_of(s.request)));
    if (waiting + count_of(s.request) <= *queue.limit) return true;
    if (s.request.wait_if_full) return false;
    return Error::failed(
        fmt::format("queue {} is full: {} of {} tasks wait; try again, or add --if-full wait", name,
                    waiting, *queue.limit));
}

/// Of the same key. What is to be dropped goes to `records`; an id: that one is there, and nothing
/// is to be submitted.
Result<std::optional<store::TaskId>> settle_key(Submission& s,
                                                std::vector<store::QueueRecord>& records)
{
    const std::optional<store::TaskId> none;
    if (s.request.how.key.empty() || s.request.on_busy == OnBusy::wait) return none;
    BGT_TRY_ASSIGN(store::QueueView * view, s.all());
    const std::vector<std::int64_t> waiting = view->state().waiting_with_key(s.request.how.key);
    const std::vector<std::int64_t> running = view->state().running_with_key(s.request.how.key);
    if (s.request.on_busy == OnBusy::skip) {
        if (!waiting.empty()) return std::optional(store::TaskId{waiting.front()});
        return running.empty() ? none : std::optional(store::TaskId{running.front()});
    }
    for (const std::int64_t id : waiting)
        records.emplace_back(store::Dropped{{id, 1}, core::Reason::superseded, 0});
    if (s.request.on_busy == OnBusy::replace)
        for (const std::int64_t id : running) s.to_end.push_back(store::TaskId{id});
    return none;
}

Result<void> claim_name(Submission& s, const std::string& name, store::TaskId id)
{
    if (name.empty()) return {};
    const auto is_used = [&](store::TaskId other) { return supervise::is_used(s.root, other); };
    BGT_TRY_ASSIGN(const store::TaskId holder, s.root.claim_name(name, id, is_used));
    if (holder == id) return {};
    return Error::failed(
        fmt::format("the name '{}' belongs to task {}, which has not ended: take another name",
                    name, holder.value));
}

/// The records of a batch: a shared description, and for each task what differs.
Result<void> add_batch(Submission& s, const store::Described& shared, core::WaitingTasks how,
                       std::vector<store::QueueRecord>& records)
{
    std::unordered_map<std::string, std::size_t> local;
    std::vector<BatchItem>& items = s.request.batch;
    for (std::size_t at = 0; at < items.size(); ++at)
        if (!items[at].local_name.empty() && !local.emplace(items[at].local_name, at).second)
            return Error::usage("the batch names two tasks '" + items[at].local_name + "'");
    std::vector<std::vector<std::size_t>> inner(items.size());
    const std::vector<core::Dependency> common = how.after;
    store::TaskSpec spec = s.request.spec;
    for (std::size_t at = 0; at < items.size(); ++at) {
        BatchItem& item = items[at];
        how.first = shared.key + static_cast<std::int64_t>(at);
        how.count = 1;
        how.after = common;
        for (const DependencyWord& word : item.after) {
            const auto found = local.find(word.task);
            if (found != local.end()) inner[at].push_back(found->second);
            const auto resolved =
                found != local.end()
                    ? Result<core::Dependency>(core::Dependency{
                          shared.key + static_cast<std::int64_t>(found->second), word.on})
                    : resolve(s, word);
            if (!resolved) return resolved.error();
            if (std::ranges::find(how.after, *resolved) == how.after.end())
                how.after.push_back(*resolved);
        }
        how.priority =
            item.priority.value_or(s.request.priority.value_or(s.settings.of(how.queue).priority));
        how.key = item.key.value_or(s.request.how.key);
        store::Described own;
        own.key = how.first;
        own.like = shared.key;
        own.changes = std::move(item.changes);
        if (how.after != common || item.priority || item.key) {
            spec.after = how.after;
            spec.priority = how.priority;
            spec.key = how.key;
            own.changes = store::with_waiting_fields(own.changes, spec);
        }
        own.submitted_ns = shared.submitted_ns;
        // The first is described by the shared description where it differs in nothing; its key is
        // taken by that.
        if (at == 0) own.key = -how.first;
        records.emplace_back(std::move(own));
        records.emplace_back(store::Submitted{how, at == 0 ? -how.first : how.first});
    }
    if (const auto circle = core::find_cycle(inner); !circle.empty()) {
        std::string names;
        for (const std::size_t at : circle)
            names += (names.empty() ? "" : " waits for ") + items[at].local_name;
        return Error::usage("the batch has a circle: " + names);
    }
    return {};
}

Result<std::vector<store::QueueRecord>> records_of(Submission& s, store::TaskId first,
                                                   std::vector<core::Dependency> after)
{
    SubmitRequest& request = s.request;
    std::vector<store::QueueRecord> records;
    BGT_TRY_ASSIGN(const std::string context, store::keep_context(s.file, request.context));
    store::Described described;
    described.key = first.value;
    described.context = context;
    described.submitted_ns = os::wall_now().time_since_epoch().count();
    request.spec.id = first;
    request.spec.after = after;
    request.spec.priority = request.priority.value_or(s.settings.of(request.how.queue).priority);
    described.spec = store::encode_spec(request.spec);
    core::WaitingTasks how = request.how;
    how.first = first.value;
    how.count = count_of(request);
    if (request.expire_after) {
        const WallTime now = os::wall_now();
        how.expires = std::max(now, how.not_before.value_or(now)) + *request.expire_after;
    }
    how.after = std::move(after);
    how.priority = request.spec.priority;
    if (request.array) {
        described.index_first = request.array->first;
        described.index_step = request.array->step;
        how.max_running = request.array->max_running;
    }
    described.texts = std::move(request.texts);
    records.emplace_back(described);
    if (request.batch.empty()) records.emplace_back(store::Submitted{how, described.key});
    else BGT_TRY(add_batch(s, described, std::move(how), records));
    return records;
}

/// The environment of what was not submitted must not stay on the disk.
void clear_unused_contexts(Submission& s)
{
    s.view.reset(); // as the journal is now
    const Result<store::QueueView*> view = s.all();
    if (!view) return;
    if (const auto used = (*view)->contexts()) store::clear_contexts(s.file, *used);
}

/// Under the journal's lock, so that it comes before their start.
void tell_queued(const store::Root& root, const SubmitRequest& request, const core::TaskRange& ids)
{
    if (!core::reaches(core::EventLevel::info, request.context.retention.log_level)) return;
    store::EventWriter events(root.fd());
    const WallTime now = os::wall_now();
    const auto tell = [&](store::TaskId first, std::uint32_t count, const std::string& name) {
        static_cast<void>(
            events.append(store::queued_event(first, count, name, request.how.queue, now)));
    };
    const std::vector<BatchItem>& batch = request.batch;
    if (batch.empty() || batch.size() > max_told_apart)
        return tell(store::TaskId{ids.first}, ids.count, request.spec.name);
    for (std::size_t at = 0; at < batch.size(); ++at)
        tell(store::TaskId{ids.first + static_cast<std::int64_t>(at)}, 1, batch[at].name);
}

struct Placed {
    SubmitAnswer answer;
    bool full = false;
};

Result<Placed> place(store::Root& root, store::QueueFile& file, SubmitRequest& request,
                     std::vector<store::TaskId>& to_end)
{
    BGT_TRY_ASSIGN(const Fd lock, file.lock());
    BGT_TRY(store::check_not_shut_down(root));
    BGT_TRY(file.reopen());
    BGT_TRY_ASSIGN(store::QueueSettings settings, store::read_settings(file));
    Submission s{root, file, request, std::move(settings)};
    Placed placed;
    placed.answer.queue = request.how.queue;
    placed.answer.not_before = request.how.not_before;
    BGT_TRY_ASSIGN(const bool room, has_room(s));
    placed.full = !room;
    if (placed.full) return placed;
    BGT_TRY_ASSIGN(std::vector<core::Dependency> after, resolve_all(s, request.after));
    std::vector<store::QueueRecord> records;
    BGT_TRY_ASSIGN(const std::optional<store::TaskId> existing, settle_key(s, records));
    const std::uint32_t count = count_of(request);
    if (existing) {
        placed.answer.existing = true;
        placed.answer.ids = {existing->value, 1};
        return placed;
    }
    if (request.want_position || request.dry_run) {
        BGT_TRY_ASSIGN(const store::QueueView* view, s.all());
        const std::int32_t priority =
            request.priority.value_or(s.settings.of(request.how.queue).priority);
        placed.answer.position = view->state().waiting_at_least(request.how.queue, priority) + 1;
        const auto counts = view->state().counts();
        const auto found = counts.find(request.how.queue);
        placed.answer.queue_size = (found != counts.end() ? found->second.waiting : 0) + count;
    }
    if (request.dry_run) return placed;
    // Before an id is taken: nobody would read what stands behind damage.
    BGT_TRY(file.check());
    BGT_TRY_ASSIGN(const store::TaskId first, root.allocate_ids(count));
    placed.answer.ids = {first.value, count};
    const std::vector<BatchItem>& batch = request.batch;
    std::vector<std::pair<std::string, store::TaskId>> names;
    if (!request.spec.name.empty()) names.emplace_back(request.spec.name, first);
    for (std::size_t at = 0; at < batch.size(); ++at)
        if (!batch[at].name.empty())
            names.emplace_back(batch[at].name,
                               store::TaskId{first.value + static_cast<std::int64_t>(at)});
    const Result<std::vector<store::QueueRecord>> made = records_of(s, first, std::move(after));
    Result<void> written = made ? Result<void>() : Result<void>(made.error());
    if (made) {
        records.insert(records.end(), made->begin(), made->end());
        for (const auto& [name, id] : names)
            if (written = claim_name(s, name, id); !written) break;
    }
    if (written) written = dispatch::prepare_dispatcher(root, request.context);
    if (written) written = file.append(records, store::QueueFile::Durability::machine);
    if (!written) {
        for (const auto& [name, id] : names) static_cast<void>(root.release_name(name, id));
        clear_unused_contexts(s);
        return written.error();
    }
    tell_queued(root, request, placed.answer.ids);
    to_end = std::move(s.to_end);
    return placed;
}

} // namespace

void put_how_into_spec(SubmitRequest& request)
{
    request.spec.queue = request.how.queue;
    request.spec.slots = request.how.slots;
    request.spec.key = request.how.key;
    for (const core::Amount& need : request.how.needs) request.spec.needs[need.name] = need.amount;
}

SubmitRequest waiting_request(StartRequest start)
{
    SubmitRequest out;
    out.spec = std::move(start.spec);
    out.context = supervise::own_context();
    out.context.env = std::move(start.env);
    out.context.keep_env = start.keep_env;
    out.context.retention = start.retention;
    return out;
}

Result<SubmitAnswer> submit(store::Root& root, SubmitRequest request, Cancel cancel)
{
    const PrivateUmask files;
    BGT_TRY(store::check_queue_name(request.how.queue));
    put_how_into_spec(request);
    BGT_TRY_ASSIGN(store::QueueFile file, store::QueueFile::open(root, true, os::boot_id()));
    while (true) {
        std::vector<store::TaskId> to_end;
        BGT_TRY_ASSIGN(const Placed placed, place(root, file, request, to_end));
        if (!placed.full) {
            for (const store::TaskId id : to_end) static_cast<void>(request_stop(root, id, false));
            return placed.answer;
        }
        os::await_readable({cancel.fd, -1, -1}, os::now() + full_pause);
        if (cancel.requested()) return cancelled();
    }
}

} // namespace bgt::ops
