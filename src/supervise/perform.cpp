// What a supervisor does when the core says so.
#include "spawn_main.hpp"

#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/supervisor.hpp>

#include <boost/asio/post.hpp>
#include <csignal>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// Every this many tasks the folder is tidied; each tidying reads the whole folder.
constexpr std::int64_t prune_every = 64;
constexpr std::size_t max_survivors = 16;
constexpr int max_pause_passes = 10;

/// As the events of an ended task and of an ended attempt tell it.
std::vector<store::EventField> fields_of(const core::Outcome& outcome)
{
    return {{"outcome", std::string(core::to_string(outcome.kind))},
            {"code", std::int64_t{outcome.code}},
            {"signal", std::int64_t{outcome.signal}},
            {"reason", std::string(core::to_string(outcome.reason))},
            {"exit_code", std::int64_t{core::exit_code(outcome)}}};
}

} // namespace

void Supervisor::sweep(int signal, std::deque<core::Event>& events)
{
    const std::vector<os::ProcStat> members = tree_->members();
    signal_all(members, signal);
    signal_all(members, SIGCONT); // a stopped process would never see the first
    events.push_back(core::Swept{static_cast<std::uint32_t>(members.size())});
}

void Supervisor::kill_sweep(std::deque<core::Event>& events)
{
    const std::vector<os::ProcStat> members = tree_->members();
    signal_all(members, SIGKILL);
    still_there_.clear();
    for (const os::ProcStat& member : members) {
        hit_by_kill_.insert(member.key);
        if (still_there_.size() < max_survivors) still_there_.push_back(member.key.pid);
    }
    events.push_back(core::Swept{static_cast<std::uint32_t>(hit_by_kill_.size())});
    look(events);
}

/// A process that was forked between the look and its parent's stop is met by the next look.
void Supervisor::pause()
{
    for (int pass = 0; pass < max_pause_passes; ++pass) {
        std::vector<os::ProcStat> going = tree_->members();
        std::erase_if(going, [](const os::ProcStat& member) { return member.state == 'T' || member.state == 't'; });
        if (going.empty()) return;
        signal_all(going, SIGSTOP);
    }
}

/// The tree is empty (or what is left is left alone): the log is complete by construction once the FIFO is.
void Supervisor::drain()
{
    const auto* ended = std::get_if<core::Ended>(&state_.phase); // or an attempt has, and not the task
    const bool still_written = ended && ended->tree_lives;
    for (os::LogPump* pump : pumps())
        while (take_output(*pump).more && !still_written) {}
}

void Supervisor::finish()
{
    drain();
    store::Status& status = resources_.recorder.status();
    status.ended = os::wall_now();
    status.ended_at = os::now();
    status.survivors.clear();
    resources_.recorder.save(state_);
    resources_.recorder.event("ended", fields_of(status.outcome));
}

void Supervisor::release()
{
    end_ready_watch();
    drain(); // what kept leftovers wrote last
    for (os::LogPump* pump : pumps()) end_stage(*pump); // their keepers hold the task's lock
    close_stdin();                                      // kept leftovers have nobody who could send them more
    const store::TaskId id = resources_.task.id();
    // What could not be removed is found by its marker, at the next pruning.
    if (resources_.task.remove_channels()) static_cast<void>(resources_.root.unmark_active(id));
    if (resources_.spec.remove_when_ended) static_cast<void>(resources_.root.remove_task(id));
    if (id.value % prune_every == 0) {
        resources_.retention.thorough = false; // `bgt gc` looks for what a crash left, too
        resources_.task.unlock();              // so that the task counts as ended
        // In a process of its own: some wait for the end of this one.
        if (fork() == 0) {
            static_cast<void>(store::prune(resources_.root, resources_.retention, os::wall_now()));
            _exit(0);
        }
    }
    io_.stop();
}

core::Liveness Supervisor::take_liveness()
{
    // What waits in the FIFO has come already.
    for (os::LogPump* pump : pumps()) take_output(*pump);
    const core::Liveness liveness = observer_.look(tree_->members(), os::now());
    if (const auto progress = observer_.take_progress(); progress && put_progress(*progress)) resources_.recorder.save();
    os::give_back_memory(); // the next look may be a minute away
    return liveness;
}

/// The tree is empty, and the core wants another attempt.
void Supervisor::end_attempt(const core::Outcome& outcome)
{
    end_ready_watch();
    drain();
    hit_by_kill_.clear();
    store::Status& status = resources_.recorder.status();
    const Duration lived = status.attempt_started ? os::wall_now() - *status.attempt_started : Duration::zero();
    std::vector<store::EventField> fields = fields_of(outcome);
    fields.push_back({"attempt", std::int64_t{status.attempt}});
    fields.push_back({"started_at", format_rfc3339(status.attempt_started.value_or(os::wall_now()))});
    fields.push_back({"lived_ms", std::chrono::duration_cast<std::chrono::milliseconds>(lived).count()});
    fields.push_back({"log_from", static_cast<std::int64_t>(attempt_from_.first)});
    fields.push_back({"log_to", static_cast<std::int64_t>(resources_.out.log_bytes())});
    if (resources_.err) {
        fields.push_back({"err_from", static_cast<std::int64_t>(attempt_from_.second)});
        fields.push_back({"err_to", static_cast<std::int64_t>(resources_.err->log_bytes())});
    }
    resources_.recorder.event("attempt-ended", std::move(fields));
    status.progress.reset();
    status.step.clear();
    status.total_steps = 0;
    status.text.clear();
    status.survivors.clear();
}

void Supervisor::start_again(std::deque<core::Event>& events)
{
    attempt_from_ = {resources_.out.log_bytes(), resources_.err ? resources_.err->log_bytes() : 0};
    const store::Status& status = resources_.recorder.status();
    const Result<void> started = spawn_main(resources_, state_.attempts.number);
    if (!started) {
        resources_.recorder.event("start-failed", {{"error", started.error().message}});
        events.push_back(core::StartFailed{started.error().kind == ErrorKind::no_command ? 127 : 126});
        return;
    }
    const std::int32_t pid = status.main_process.pid;
    static_cast<OwnTree&>(*tree_).new_main_process(pid); // one that took over starts nothing
    observer_.begin(os::now());
    resources_.recorder.event("started", {{"pid", std::int64_t{pid}}, {"attempt", std::int64_t{state_.attempts.number}}});
    events.push_back(core::Started{});
    boost::asio::post(io_, [this] { watch_readiness(); }); // once the core knows that it runs
}

void Supervisor::note(const core::Note& what)
{
    std::vector<store::EventField> fields;
    if (what.reason != core::Reason::self) fields.push_back({"reason", std::string(core::to_string(what.reason))});
    // They were given their time: what a first SIGKILL hits is no survivor yet. The record is saved next.
    if (what.what == "survivors") resources_.recorder.status().survivors = still_there_;
    if (what.signal != 0) fields.push_back({"signal", std::int64_t{what.signal}});
    if (what.count != 0) fields.push_back({"count", std::int64_t{what.count}});
    resources_.recorder.event(what.what, std::move(fields));
}

} // namespace bgt::supervise
