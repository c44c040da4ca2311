// Replaying the journal, and writing it anew. What the tasks are: queue_describe.cpp.
#include <bgt/store/queue_view.hpp>

#include <bgt/base/overload.hpp>

#include <algorithm>
#include <unistd.h>

namespace bgt::store {
namespace {

/// What slots=auto means.
std::uint32_t processors()
{
    return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

/// Grows with the ids, whatever the sign: the shared description of a batch has the negative of its
/// first id.
std::int64_t place_key(std::int64_t description)
{
    return description < 0 ? -2 * description + 1 : 2 * description;
}

} // namespace

QueueView::QueueView(QueueFile file) : file_(std::move(file)) {}

Result<QueueView> QueueView::load(const Root& root, const BootId& boot)
{
    BGT_TRY_ASSIGN(QueueFile file, QueueFile::open(root, false, boot));
    QueueView view(std::move(file));
    if (view.file_.folder() < 0) return view;
    BGT_TRY(view.update());
    BGT_TRY(view.update_settings());
    return view;
}

Result<bool> QueueView::update()
{
    BGT_TRY_ASSIGN(const bool replaced, file_.reopen());
    if (replaced) {
        state_ = {};
        apply_settings(state_, settings_, processors());
        dropped_.clear();
        descriptions_.clear();
        submitted_.clear();
        schedules_.clear();
        published_.clear();
        recent_.clear();
    }
    BGT_TRY(read_new());
    return replaced;
}

Result<void> QueueView::update_settings()
{
    BGT_TRY_ASSIGN(settings_, read_settings(file_));
    apply_settings(state_, settings_, processors());
    return {};
}

Result<void> QueueView::append(const std::vector<QueueRecord>& records,
                               QueueFile::Durability durability)
{
    BGT_TRY(file_.append(records, durability));
    return read_new();
}

Result<void> QueueView::read_new()
{
    return file_.read_new([&](std::string_view bytes, RecordPlace place) -> Result<void> {
        if (const auto key = description_key(bytes)) {
            descriptions_.put(place_key(*key), place);
            return {};
        }
        BGT_TRY_ASSIGN(const QueueRecord record, decode_record(bytes));
        apply(record);
        return {};
    });
}

void QueueView::apply(const QueueRecord& record)
{
    std::visit(Overload{
                   [&](const Described&) {}, // by its key alone
                   [&](const Submitted& r) {
                       submitted_.put(r.tasks.first, {r.tasks.count, r.described_by});
                       state_.add(r.tasks);
                   },
                   [&](const Claimed& r) { state_.claim(r.id); },
                   [&](const PutBack& r) {
                       state_.put_back(r.id);
                       published_.erase(r.id);
                   },
                   [&](const Published& r) {
                       if (state_.is_running(r.id)) published_.insert(r.id);
                   },
                   [&](const Reported& r) { tell(r.id, r.what); },
                   [&](const Dropped& r) {
                       const std::int64_t end = r.tasks.first + r.tasks.count;
                       for (std::int64_t id = r.tasks.first; id < end; ++id) state_.remove(id);
                       note_dropped(r.tasks, r.reason, r.described_by);
                       for (std::int64_t id = r.tasks.first; id < end; ++id)
                           tell(id, core::TaskEventKind::never_started);
                   },
                   [&](const Closed& r) { note_closed(r.tasks); },
                   [&](const Held& r) { r.held ? state_.hold(r.id) : state_.release(r.id); },
                   [&](const Prioritized& r) { state_.set_priority(r.id, r.priority); },
                   [&](const Scheduled& r) { schedules_.apply(r); },
                   [&](const Unscheduled& r) { schedules_.apply(r); },
                   [&](const SchedulePaused& r) { schedules_.apply(r); },
                   [&](const ScheduleOccurred& r) { schedules_.apply(r); },
                   [&](const ClockSetBack& r) { schedules_.apply(r); },
                   [&](const ScheduleKept& r) { schedules_.apply(r); },
                   [&](const Moved& r) {
                       switch (r.where) {
                       case Moved::Where::first: state_.move_first(r.id); break;
                       case Moved::Where::last: state_.move_last(r.id); break;
                       case Moved::Where::before: state_.move_before(r.id, r.other); break;
                       }
                   },
               },
               record);
}

void QueueView::tell(std::int64_t id, core::TaskEventKind what)
{
    schedules_.tell(id, what);
    for (const core::TaskRange& skipped : state_.tell(id, what))
        note_dropped(skipped, core::Reason::dependency_failed, 0);
    if (!state_.is_running(id)) published_.erase(id);
}

bool QueueView::is_busy(const Schedule& schedule) const
{
    return std::ranges::any_of(schedule.tasks, [&](std::int64_t id) {
        return state_.is_waiting(id) || state_.is_running(id);
    });
}

void QueueView::note_dropped(const core::TaskRange& tasks, core::Reason reason,
                             std::int64_t described_by)
{
    dropped_[tasks.first] = {tasks.count, reason,
                             described_by != 0 ? described_by : description_of(tasks.first)};
}

void QueueView::note_closed(const core::TaskRange& closed)
{
    const std::int64_t end = closed.first + closed.count;
    auto it = dropped_.upper_bound(closed.first);
    if (it != dropped_.begin()) --it;
    while (it != dropped_.end() && it->first < end) {
        const std::int64_t first = it->first, last = first + it->second.count;
        if (last <= closed.first) {
            ++it;
            continue;
        }
        DroppedTasks rest = it->second;
        it = dropped_.erase(it);
        if (first < closed.first) {
            rest.count = static_cast<std::uint32_t>(closed.first - first);
            dropped_[first] = rest;
        }
        if (last > end) {
            rest.count = static_cast<std::uint32_t>(last - end);
            dropped_[end] = rest;
        }
    }
}

std::vector<core::TaskRange> QueueView::advance(WallTime now)
{
    std::vector<core::TaskRange> expired = state_.advance(now);
    for (const core::TaskRange& tasks : expired) {
        note_dropped(tasks, core::Reason::expired, 0);
        for (std::uint32_t at = 0; at < tasks.count; ++at)
            tell(tasks.first + at, core::TaskEventKind::never_started);
    }
    return expired;
}

std::optional<core::Reason> QueueView::dropped_for(TaskId id) const
{
    const auto after = dropped_.upper_bound(id.value);
    if (after == dropped_.begin()) return std::nullopt;
    const auto& [first, tasks] = *std::prev(after);
    return id.value < first + tasks.count ? std::optional(tasks.reason) : std::nullopt;
}

std::int64_t QueueView::description_of(std::int64_t id) const
{
    const auto* found = submitted_.at_or_below(id);
    return found && id < found->first + found->second.count ? found->second.described_by : 0;
}

const RecordPlace* QueueView::place_of(std::int64_t description) const
{
    return descriptions_.find(place_key(description));
}

std::set<std::int64_t> QueueView::used_descriptions() const
{
    std::set<std::int64_t> used;
    for (const std::int64_t first : state_.waiting_firsts())
        used.insert(used.end(), description_of(first));
    for (const std::int64_t id : state_.running_ids()) used.insert(description_of(id));
    for (const auto& [first, tasks] : dropped_) used.insert(tasks.described_by);
    for (const auto& [id, schedule] : schedules_.all()) used.insert(schedule.is.described_by);
    used.erase(0);
    return used;
}

/// Those, and what they are like.
Result<std::set<std::int64_t>> QueueView::needed_descriptions() const
{
    const std::set<std::int64_t> direct = used_descriptions();
    std::set<std::int64_t> needed = direct;
    for (const std::int64_t key : direct) {
        BGT_TRY_ASSIGN(const auto one, described(key));
        if (one->like != 0) needed.insert(one->like);
    }
    return needed;
}

std::uint64_t QueueView::live_bytes() const
{
    constexpr std::uint64_t bytes_a_record = 64;
    std::uint64_t bytes = (state_.running_ids().size() + dropped_.size()) * bytes_a_record;
    bytes += state_.waiting_firsts().size() * bytes_a_record + schedules_.live_bytes();
    for (const std::int64_t key : used_descriptions())
        if (const RecordPlace* place = place_of(key)) bytes += place->size;
    return bytes;
}

Result<std::vector<QueueRecord>> QueueView::compacted() const
{
    std::vector<QueueRecord> records;
    BGT_TRY_ASSIGN(const std::set<std::int64_t> needed, needed_descriptions());
    for (const std::int64_t key : needed) {
        BGT_TRY_ASSIGN(const auto one, described(key));
        records.emplace_back(*one);
    }
    for (const std::int64_t id : state_.running_ids()) {
        core::WaitingTasks tasks = *state_.running(id);
        tasks.held = false; // so that it can be claimed
        tasks.not_before.reset();
        records.emplace_back(Submitted{std::move(tasks), description_of(id)});
        records.emplace_back(Claimed{id});
        if (published_.contains(id)) records.emplace_back(Published{id});
    }
    for (core::WaitingTasks& tasks : state_.waiting()) {
        const std::int64_t key = description_of(tasks.first);
        records.emplace_back(Submitted{std::move(tasks), key});
    }
    for (const auto& [first, tasks] : dropped_)
        records.emplace_back(Dropped{{first, tasks.count}, tasks.reason, tasks.described_by});
    schedules_.append_to(records);
    return records;
}

bool QueueView::needs_any(const std::set<std::string>& contexts) const
{
    std::set<std::int64_t> keys;
    for (const core::WaitingTasks& tasks : state_.waiting())
        keys.insert(description_of(tasks.first));
    for (const auto& [id, schedule] : schedules_.all()) keys.insert(schedule.is.described_by);
    return std::ranges::any_of(keys, [&](std::int64_t key) {
        auto one = described(key);
        if (one && (*one)->like != 0) one = described((*one)->like);
        return one && contexts.contains((*one)->context);
    });
}

Result<std::vector<std::string>> QueueView::contexts() const
{
    std::set<std::string> names;
    BGT_TRY_ASSIGN(const std::set<std::int64_t> needed, needed_descriptions());
    for (const std::int64_t key : needed) {
        BGT_TRY_ASSIGN(const auto one, described(key));
        if (!one->context.empty()) names.insert(one->context);
    }
    return std::vector<std::string>(names.begin(), names.end());
}

bool is_queued(const Root& root, TaskId id, const BootId& boot)
{
    if (!QueueFile::is_there(root)) return false;
    const Result<QueueView> view = QueueView::load(root, boot);
    if (!view) return view.error().sys_errno != copied_journal;
    return view->is_waiting(id) || view->is_claimed(id);
}

} // namespace bgt::store
