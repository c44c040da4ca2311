// The loop. What became of tasks: fates.cpp; starting them: launching.cpp; schedules: firing.cpp;
// who dispatches at all: ensure.cpp.
#include "dispatcher.hpp"

#include "limits.hpp"

#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/shutdown_lock.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace bgt::dispatch {
namespace {

/// Folders of tasks that never start are made in between, a few at a time.
constexpr std::size_t dropped_a_turn = 32;
/// Then others get the lock of the journal, for which they ask again and again.
constexpr auto dropped_pause = std::chrono::milliseconds(5);
constexpr std::uint64_t min_compaction = 256 * 1024;
/// Where the journal can't be read or locked.
constexpr auto trouble_pause = std::chrono::seconds(1);
/// Between two standbys: one that can't stay is not started again and again.
constexpr auto standby_pause = std::chrono::milliseconds(100);

} // namespace

int Dispatcher::run()
{
    if (!begin()) {
        end_standby(); // it would fail as well, and so would its own
        lock_.reset();
        os::pause_for(trouble_pause);
        static_cast<void>(ensure_dispatcher(root_)); // who came meanwhile found this one here
        return 125;
    }
    while (true) {
        const Result<bool> goes_on = turn();
        if (goes_on && !*goes_on) return 0;
        if (!goes_on && goes_on.error().sys_errno == EFBIG) {
            end_standby(); // nor can it write the journal, by the limit of who started both
            return 125;
        }
        if (!goes_on && !store::QueueFile::is_there(root_)) { // the root was removed
            end_standby();
            return 0;
        }
        if (!goes_on) look_again_ = os::now() + trouble_pause;
        keep_standby();
        for (const std::int64_t id : std::exchange(to_launch_, {})) launch(id);
        replace_older();
        if (goes_on) look_at_alerts();
        static_cast<void>(watch_.wait(wake_at())); // whatever woke it: all is looked at
        reap();
        drain_clock();
    }
}

Result<void> Dispatcher::begin()
{
    start_standby(); // first, while this process is small
    raise_limits();
    write_holder(false);
    signals_ = os::signal_descriptor();
    clock_.reset(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    BGT_TRY_ASSIGN(store::QueueFile file, store::QueueFile::open(root_, true, os::boot_id()));
    view_.emplace(std::move(file));
    watch_.add_fd(signals_.get());
    watch_.add_fd(clock_.get());
    static_cast<void>(watch_.add_folder(root_.path() + "/queue"));
    watch_active();
    BGT_TRY(view_->update_settings());
    BGT_TRY(view_->update());
    watch_journal();
    for (const std::int64_t id : view_->state().running_ids()) {
        started_[id].look = true;
        const Result<store::TaskDir> task = root_.open_task(store::TaskId{id});
        const auto spec =
            task ? store::read_spec(task->fd()) : Result<store::TaskSpec>(task.error());
        if (spec) units_.take(*spec);
    }
    return {};
}

Result<bool> Dispatcher::turn()
{
    look_again_.reset();
    BGT_TRY_ASSIGN(const Fd lock, view_->file().lock());
    BGT_TRY_ASSIGN(const bool replaced, view_->update());
    BGT_TRY(view_->update_settings());
    if (replaced) watch_journal();
    std::vector<store::QueueRecord> records = std::exchange(pending_, {});
    look_at_started(records);
    for (const core::TaskRange& expired : view_->advance(os::wall_now()))
        records.push_back(store::Dropped{expired, core::Reason::expired, 0});
    BGT_TRY(append(records));
    if (must_give_way()) {
        end_standby();
        lock_.reset();
        return false;
    }
    if (!std::exchange(stays_, true)) write_holder(true);
    look_at_depended_on(records);
    BGT_TRY(append(records));
    BGT_TRY(fire_due(records));
    claim_next(records);
    if (Result<void> written = append(records); !written) {
        for (const std::int64_t id : std::exchange(to_launch_, {})) view_->state().put_back(id);
        return written.error();
    }
    record_dropped(records);
    BGT_TRY(append(records));
    if (view_->is_empty() && pending_.empty()) {
        end_standby();
        BGT_TRY(view_->file().remove());
        store::clear_contexts(view_->file(), {});
        lock_.reset(); // before the journal's: who appends next finds nobody who dispatches
        return false;
    }
    if (!view_->needs_dispatcher() && pending_.empty()) { // schedules that are paused, or over
        end_standby();
        lock_.reset();
        return false;
    }
    compact_if_due();
    clear_contexts_if_due();
    return true;
}

/// Behind the starts, and without the lock of the journal: nobody waits for it.
void Dispatcher::look_at_alerts()
{
    alerts_.update(root_, *view_);
    if (const auto at = alerts_.look_again_at()) look_again_by(*at);
    set_clock();
}

/// An environment may hold secrets: it goes with the last task that needs it. Which those are costs
/// reading the descriptions, so that is done once for so many ends.
void Dispatcher::clear_contexts_if_due()
{
    constexpr std::size_t descriptions_an_end = 16;
    const std::size_t there = view_->state().waiting_count() + view_->state().running_ids().size() +
                              view_->dropped().size() + view_->schedules().all().size();
    if (there < there_before_) gone_since_clear_ += there_before_ - there;
    there_before_ = there;
    if (gone_since_clear_ == 0 ||
        gone_since_clear_ * descriptions_an_end < view_->description_count())
        return;
    gone_since_clear_ = 0; // where they can't be read, the next ends try again
    const Result<std::vector<std::string>> used = view_->contexts();
    if (!used) return;
    store::clear_contexts(view_->file(), *used);
    std::erase_if(known_contexts_, [&](const std::string& name) {
        return std::ranges::find(*used, name) == used->end();
    });
}

/// Somebody waits for what this process can't give. Nobody else's task is started by it any more:
/// whoever can, a verb or one that stands by already, does it for all.
bool Dispatcher::must_give_way()
{
    for (const std::string& name : store::context_names(view_->file())) {
        if (!known_contexts_.insert(name).second) continue;
        ++gone_since_clear_; // what needed it may have been cancelled before it was seen here
        const Result<store::QueueContext> context = store::read_context(view_->file(), name);
        if (!context) continue;
        if (gives_way_to(*context)) beyond_.insert(name);
        (lack_of_place(own_place(), *context) ? elsewhere_ : here_).insert(name);
    }
    if (!beyond_.empty() && view_->needs_any(beyond_)) return true;
    // Of what waits here and elsewhere, which is refused at a submission, the latter is held.
    return !elsewhere_.empty() && view_->needs_any(elsewhere_) && !view_->needs_any(here_);
}

/// And empties the list.
Result<void> Dispatcher::append(std::vector<store::QueueRecord>& records)
{
    if (records.empty()) return {};
    BGT_TRY(view_->append(records, store::QueueFile::Durability::process));
    records.clear();
    return {};
}

void Dispatcher::claim_next(std::vector<store::QueueRecord>& records)
{
    if (no_start_before_ && os::now() < *no_start_before_) return;
    no_start_before_.reset();
    // Nobody tells when a shutdown that was killed is over.
    if (view_->state().waiting_count() > 0 && !store::check_not_shut_down(root_)) {
        look_again_ = os::now() + shutdown_pause;
        return;
    }
    while (const std::optional<std::int64_t> id = view_->state().next()) {
        records.push_back(store::Claimed{*id});
        to_launch_.push_back(*id);
    }
}

/// Puts some of those on record that will never start.
void Dispatcher::record_dropped(std::vector<store::QueueRecord>& records)
{
    std::size_t done = 0;
    for (const auto& [first, tasks] : view_->dropped()) {
        for (std::uint32_t at = 0; at < tasks.count; ++at) {
            if (done++ == dropped_a_turn) {
                look_again_ = os::now() + dropped_pause;
                return;
            }
            const store::TaskId id{first + at};
            const Result<void> written = record_not_started(root_, *view_, id, tasks.reason);
            // Where something else is in its place, no record can be made.
            if (!written && written.error().sys_errno != store::damaged_file) {
                look_again_ = os::now() + trouble_pause;
                return;
            }
            records.push_back(store::Closed{{id.value, 1}});
        }
    }
}

void Dispatcher::compact_if_due()
{
    const std::uint64_t size = view_->file().size();
    if (size < min_compaction || size < 2 * checked_size_) return;
    checked_size_ = size;
    if (view_->live_bytes() > size / 2) return;
    const Result<std::vector<store::QueueRecord>> records = view_->compacted();
    if (!records || !view_->file().replace(*records)) return; // it stays as it is
    Result<store::QueueFile> file = store::QueueFile::open(root_, true, os::boot_id());
    if (!file) return;
    view_.emplace(*std::move(file));
    static_cast<void>(view_->update_settings());
    static_cast<void>(view_->update());
    watch_journal();
    checked_size_ = view_->file().size();
}

void Dispatcher::watch_journal()
{
    if (journal_watch_) watch_.remove(*journal_watch_);
    const Result<int> token = watch_.add_file(root_.path() + "/queue/journal");
    journal_watch_ = token ? std::optional(*token) : std::nullopt;
}

/// The folder is made with the first task.
void Dispatcher::watch_active()
{
    if (active_watch_) return;
    const Result<int> token = watch_.add_folder(root_.path() + "/active");
    if (token) active_watch_ = *token;
}

std::optional<Instant> Dispatcher::wake_at() const
{
    if (!look_again_ || !no_start_before_) return look_again_ ? look_again_ : no_start_before_;
    return std::min(*look_again_, *no_start_before_);
}

/// Wakes at the date of the next waiting task or schedule, and when somebody sets the clock of the
/// machine (man 2 timerfd_create).
void Dispatcher::set_clock()
{
    std::optional<WallTime> next = view_->state().next_time();
    for (const auto& due : {schedules_.next_time(), alerts_.next_time()})
        if (due && (!next || *due < *next)) next = due;
    if (next == clock_set_to_) return;
    itimerspec at{};
    if (next) {
        const auto since = std::max<Duration>(next->time_since_epoch(), Duration(1));
        at.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(since).count();
        at.it_value.tv_nsec = (since % std::chrono::seconds(1)).count();
    }
    ::timerfd_settime(clock_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr);
    clock_set_to_ = next;
}

void Dispatcher::drain_clock()
{
    std::uint64_t times = 0;
    const bool has_fired = ::read(clock_.get(), &times, sizeof times) >= 0;
    if (!has_fired && errno == EAGAIN) return;
    clock_was_set_ = clock_was_set_ || !has_fired;
    clock_set_to_.reset();
}

void Dispatcher::reap()
{
    os::take_signals(
        signals_.get()); // one that asks it to end is passed over: what waits needs somebody
    for (const os::Reaped& child : os::reap_all().reaped) {
        if (child.pid == standby_) standby_is_due_ = true;
        for (auto& [id, started] : started_)
            if (started.child == child.pid) {
                started.look = true;
                started.gave_up = child.exited ? child.status : 0;
            }
    }
    for (auto& [id, started] : started_) {
        if (!started.pidfd) continue;
        if (os::await_readable({started.pidfd.get(), -1, -1}, os::now()).none()) continue;
        started.look = true;
        watch_.remove_fd(started.pidfd.get());
        started.pidfd.reset();
    }
}

/// Puts another in the place of one that has ended.
void Dispatcher::keep_standby()
{
    if (!standby_is_due_) return;
    const Instant due = standby_since_ + standby_pause;
    if (os::now() >= due) return start_standby();
    look_again_by(due);
}

void Dispatcher::look_again_by(Instant at)
{
    look_again_ = look_again_ ? std::min(*look_again_, at) : at;
}

void Dispatcher::end_standby()
{
    if (standby_ <= 0) return;
    os::kill_child(standby_);
    os::reap(standby_);
    standby_ = -1;
}

} // namespace bgt::dispatch
