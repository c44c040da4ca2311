// A teller is forked before its change is on record, and waits until it is. Where the process that
// forked it is killed meanwhile, it tells only what is on record. So whoever is killed, a change is
// told once, or (with its teller) not at all, which the next look at the alerts finds out and says.
#include <bgt/supervise/alerts.hpp>

#include "alert_hook.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/local_time.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/name_filter.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <unistd.h>

namespace bgt::supervise {
namespace {

using core::AlertKind;
using store::KnownAlert;

std::vector<std::string> patterns_of(const KnownAlert& alert)
{
    const std::string& match = alert.is.rule.match;
    return match.empty() ? std::vector<std::string>{} : std::vector{match};
}

/// An alert, and what is found out about it.
struct Question {
    Question(KnownAlert& about, WallTime now, const core::TimeZone& zone)
        : alert(&about),
          facts(about.is.rule, now, about.known_since, zone),
          names(patterns_of(about))
    {}
    AlertKind kind() const { return alert->is.rule.when.kind; }
    bool asks_for_all() const { return alert->is.rule.match.empty(); }

    KnownAlert* alert;
    core::AlertFacts facts;
    store::NameFilter names;
};

bool bears_on(const AlertOccasion& what, const KnownAlert& alert)
{
    const AlertKind kind = alert.is.rule.when.kind;
    switch (what.what) {
    case AlertOccasion::What::any: return true;
    case AlertOccasion::What::ended: return store::NameFilter(patterns_of(alert)).fits(what.name);
    case AlertOccasion::What::queue: return kind == AlertKind::wait || kind == AlertKind::active;
    case AlertOccasion::What::clock: return core::changes_without_end(kind);
    }
    return true;
}

bool concerns(const AlertOccasion& what, const store::AlertBook& book)
{
    return std::ranges::any_of(book.alerts,
                               [&](const KnownAlert& one) { return bears_on(what, one); });
}

bool is_any(const std::vector<Question>& all, bool (*asks)(AlertKind))
{
    return std::ranges::any_of(all, [&](const Question& one) { return asks(one.kind()); });
}

/// Who has ended, by the history.
Result<void> ask_history(const store::Root& root, std::vector<Question>& all)
{
    if (!is_any(all, core::asks_history)) return {};
    const auto read = store::read_history(root, [&](const core::PastRun& run) {
        for (Question& one : all)
            if (core::asks_history(one.kind()) && one.names.fits(run.name)) one.facts.add(run);
    });
    return read ? Result<void>() : read.error();
}

/// Who has not.
Result<void> ask_active(const store::Root& root, std::vector<Question>& all)
{
    const auto asks = [](AlertKind kind) {
        return kind == AlertKind::active || kind == AlertKind::did_not_run_by;
    };
    if (!is_any(all, asks)) return {};
    const bool asks_for_names = std::ranges::any_of(all, [&](const Question& one) {
        return one.kind() == AlertKind::did_not_run_by ||
               (one.kind() == AlertKind::active && !one.asks_for_all());
    });
    BGT_TRY_ASSIGN(const auto active, root.active_ids());
    for (const store::TaskId id : active) {
        std::string name;
        std::optional<WallTime> started;
        if (asks_for_names) {
            const auto task = root.open_task(id);
            const auto status =
                task ? store::read_status(task->fd()) : Result<store::Status>(task.error());
            if (!status) continue; // it is just being made, or goes
            name = status->name;
            started = status->started;
        }
        for (Question& one : all)
            if (asks(one.kind()) && (!asks_for_names || one.names.fits(name)))
                one.facts.add_active(started);
    }
    return {};
}

/// The tasks of a range were submitted at once, and ids ascend with the time of that: of those that
/// have no time of their own, the first that fits has waited for longest.
std::optional<WallTime> waiting_since(Question& one, const store::QueueView& view, WallTime now)
{
    std::optional<WallTime> oldest;
    bool is_first_found = false;
    for (const core::WaitingTasks& item : view.state().waiting()) {
        if (item.held || (item.not_before && *item.not_before > now)) continue;
        if (is_first_found && !item.not_before) continue;
        std::optional<WallTime> since = item.not_before;
        if (!since || !one.asks_for_all()) {
            const auto task = view.describe(store::TaskId{item.first});
            if (!task || !one.names.fits(task->spec.name)) continue;
            if (!since) since = task->spec.created;
        }
        is_first_found = is_first_found || !item.not_before;
        oldest = std::min(oldest.value_or(*since), *since);
    }
    return oldest;
}

/// Who waits in queues. When the answer changes by itself goes into `round`.
Result<void> ask_queue(const store::Root& root, std::vector<Question>& all,
                       const store::QueueView* view, WallTime now, AlertRound& round)
{
    const auto asks = [](AlertKind kind) { return kind == AlertKind::wait; };
    if (!is_any(all, asks)) return {};
    std::optional<store::QueueView> own;
    if (!view && store::QueueFile::is_there(root)) {
        BGT_TRY_ASSIGN(own, store::QueueView::load(root, os::boot_id()));
        own->advance(now);
        view = &*own;
    }
    if (!view) return {};
    for (Question& one : all) {
        if (one.kind() != AlertKind::wait) continue;
        const auto since = waiting_since(one, *view, now);
        if (!since) continue;
        one.facts.add_waiting(*since);
        // A moment more than the limit is "longer".
        const WallTime due =
            *since + one.alert->is.rule.when.duration + std::chrono::milliseconds(1);
        if (due > now) round.next = std::min(round.next.value_or(due), due);
    }
    return {};
}

Result<void> ask(const store::Root& root, std::vector<Question>& all, const AlertOccasion& what,
                 WallTime now, AlertRound& round)
{
    BGT_TRY(ask_history(root, all));
    BGT_TRY(ask_active(root, all));
    return ask_queue(root, all, what.queue, now, round);
}

/// When which of them are to be looked at again.
void plan_ahead(const store::AlertBook& book, WallTime now, const core::TimeZone& zone,
                AlertRound& round)
{
    for (const KnownAlert& alert : book.alerts) {
        const core::AlertCondition& when = alert.is.rule.when;
        round.follows_queue =
            round.follows_queue || when.kind == AlertKind::active || when.kind == AlertKind::wait;
        if (when.kind != AlertKind::did_not_run_by) continue;
        const WallTime due = core::next_deadline(when.duration, now, zone);
        round.next = std::min(round.next.value_or(due), due);
    }
}

void put_on_record(const store::Root& root, std::int64_t number, const ProcessKey& teller,
                   const AlertHookEnd& end)
{
    const auto lock = store::AlertLock::take(root);
    auto book = lock ? store::read_alerts(root) : Result<store::AlertBook>(lock.error());
    KnownAlert* alert = book ? book->find(number) : nullptr;
    if (!alert || !alert->told || alert->told->teller != teller) return;
    alert->told->is_done = true;
    alert->told->code = end.code;
    alert->told->error = end.error;
    alert->told->output = end.output;
    static_cast<void>(lock->write(root, *book));
}

/// Whether the change is on record: the one who puts it there says so, if it lives.
bool is_on_record(const store::Root& root, std::int64_t number, const ProcessKey& teller, int go)
{
    char word = 0;
    if (retry_on_eintr([&] { return ::read(go, &word, 1); }) == 1) return true;
    auto book = store::read_alerts(root);
    const KnownAlert* alert = book ? book->find(number) : nullptr;
    return alert && alert->told && alert->told->teller == teller;
}

/// In a process of its own. Its exit code says nothing of the hook, which is no hook of the task.
int tell(const store::Root& root, const KnownAlert& alert, store::TaskId task, int go)
{
    const ProcessKey self = os::own_key();
    if (!is_on_record(root, alert.number, self, go)) return 0;
    const store::AlertTold& told = *alert.told;
    const AlertHookEnd end =
        run_alert_hook(root.path(), alert, {core::to_string(told.what), told.at, told.value, task});
    tell_hook_end(root, alert, end, task);
    put_on_record(root, alert.number, self, end);
    return 0;
}

/// What changes. Each that has a hook gets its teller.
class Changes {
public:
    Changes(const store::Root& root, const AlertOccasion& what, WallTime now)
        : root_(root), what_(what), now_(now)
    {}
    Result<void> take(Question&, AlertRound&);
    /// True: the book is to be written.
    bool is_any() const { return is_any_; }
    void note_interrupted(store::AlertBook&);
    /// Once it is written.
    void tell_all();

private:
    /// With whose end it came.
    store::TaskId task_of(const KnownAlert& alert) const
    {
        return bears_on(what_, alert) ? what_.task : store::TaskId{};
    }
    Result<ProcessKey> start_teller(const KnownAlert&, AlertRound&);

    const store::Root& root_;
    const AlertOccasion& what_;
    WallTime now_;
    Pipe go_;
    bool is_any_ = false;
    std::size_t tellers_ = 0;
    std::vector<const KnownAlert*> told_;
};

Result<ProcessKey> Changes::start_teller(const KnownAlert& alert, AlertRound& round)
{
    if (!go_.reader) { BGT_TRY_ASSIGN(go_, make_pipe("a pipe for the hooks of alerts")); }
    const int go = go_.reader.get();
    const auto pid = os::fork_helper({root_.fd(), go}, true,
                                     [&] { return tell(root_, alert, task_of(alert), go); });
    if (!pid) return pid.error();
    round.tellers.push_back(*pid);
    ++tellers_;
    const auto stat = os::read_stat(*pid);
    if (!stat) return Error::failed("the process for the hook was killed");
    return stat->key;
}

Result<void> Changes::take(Question& one, AlertRound& round)
{
    KnownAlert& alert = *one.alert;
    const core::AlertFinding finding = one.facts.finding();
    round.findings.emplace_back(alert.number, finding);
    const core::AlertStep step = core::decide(alert.state, finding, now_);
    if (step.state == alert.state) return {};
    is_any_ = true;
    alert.state = step.state;
    if (step.tell == core::AlertChange::none) return {};
    store::AlertTold& told = alert.told.emplace();
    told.what = step.tell;
    told.at = now_;
    told.value = finding.value;
    told.is_done = !has_hook(alert);
    if (!told.is_done) {
        const auto teller = start_teller(alert, round);
        if (teller) {
            told.teller = *teller;
        } else {
            told.is_done = true;
            told.error = teller.error().message;
        }
    }
    told_.push_back(&alert);
    return {};
}

/// Those whose teller was killed.
void Changes::note_interrupted(store::AlertBook& book)
{
    for (KnownAlert& alert : book.alerts) {
        if (!alert.told || alert.told->is_done || os::is_alive(alert.told->teller)) continue;
        alert.told->is_done = true;
        alert.told->error = "its hook was interrupted: the process that ran it was killed";
        is_any_ = true;
    }
}

void Changes::tell_all()
{
    if (tellers_ > 0) static_cast<void>(write_all(go_.writer.get(), std::string(tellers_, '.')));
    for (const KnownAlert* alert : told_)
        tell_alert(root_, *alert,
                   {core::to_string(alert->told->what), now_, alert->told->value, task_of(*alert)});
}

} // namespace

Result<AlertRound> look_at_alerts(const store::Root& root, const AlertOccasion& what)
{
    AlertRound round;
    {
        BGT_TRY_ASSIGN(const store::AlertBook known, store::read_alerts(root));
        if (!concerns(what, known)) return round;
    }
    std::optional<store::AlertLock> lock;
    if (what.wants_findings) {
        BGT_TRY_ASSIGN(lock, store::AlertLock::take(root));
    } else {
        BGT_TRY_ASSIGN(lock, store::AlertLock::take_to_look(root));
    }
    if (!lock) return round; // the other one sees what this one would
    BGT_TRY_ASSIGN(store::AlertBook book, store::read_alerts(root));
    const WallTime now = os::wall_now();
    const os::OwnZone zone;
    plan_ahead(book, now, zone, round);
    std::vector<Question> questions;
    // At the end of a task all: others that ended meanwhile leave theirs to this process.
    for (KnownAlert& alert : book.alerts)
        if (what.what == AlertOccasion::What::ended || bears_on(what, alert))
            questions.emplace_back(alert, now, zone);
    BGT_TRY(ask(root, questions, what, now, round));
    Changes changes(root, what, now);
    changes.note_interrupted(book);
    for (Question& one : questions) BGT_TRY(changes.take(one, round));
    if (changes.is_any()) BGT_TRY(lock->write(root, book));
    changes.tell_all();
    return round;
}

Result<pid_t> look_at_alerts_apart(const store::Root& root, const AlertOccasion& what)
{
    BGT_TRY_ASSIGN(const store::AlertBook known, store::read_alerts(root));
    if (!concerns(what, known)) return pid_t{0};
    return os::fork_helper({root.fd()}, true, [&] {
        const Result<AlertRound> round = look_at_alerts(root, what);
        if (!round) return 1;
        for (const pid_t teller : round->tellers) os::reap(teller);
        return 0;
    });
}

Result<AlertHookEnd> test_alert(const store::Root& root, const KnownAlert& alert)
{
    if (!has_hook(alert)) return Error::usage("it has no `run` and no `webhook`");
    BGT_TRY_ASSIGN(Pipe answer, make_pipe("a pipe for the end of the hook"));
    const int writer = answer.writer.get();
    const auto pid = os::fork_helper({root.fd(), writer}, false, [&] {
        const AlertHookEnd end =
            run_alert_hook(root.path(), alert, {"test", os::wall_now(), "a test", {}});
        boost::json::object told{
            {"fine", end.is_fine}, {"error", end.error}, {"output", end.output}};
        if (end.code) told["code"] = *end.code;
        static_cast<void>(write_all(writer, boost::json::serialize(told)));
        return 0;
    });
    if (!pid) return pid.error();
    answer.writer.reset();
    std::string text;
    while (true) {
        const std::string part = read_packet(answer.reader.get());
        if (part.empty()) break;
        text += part;
    }
    os::reap(*pid);
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true;
    boost::system::error_code ec;
    const auto told = boost::json::parse(text, ec, {}, options);
    if (ec || !told.is_object()) return Error::failed("the process that ran the hook was killed");
    const auto& fields = told.get_object();
    AlertHookEnd end;
    end.is_fine = fields.at("fine").get_bool();
    end.error = std::string(fields.at("error").get_string());
    end.output = std::string(fields.at("output").get_string());
    if (const auto* code = fields.if_contains("code"))
        end.code = static_cast<int>(code->get_int64());
    return end;
}

} // namespace bgt::supervise
