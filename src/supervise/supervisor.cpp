#include <bgt/supervise/supervisor.hpp>

#include <bgt/base/overload.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/status_of.hpp>

#include <boost/asio/post.hpp>
#include <csignal>
#include <malloc.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// Every this many tasks the folder is tidied; each tidying reads the whole folder.
constexpr std::int64_t prune_every = 64;
constexpr std::size_t most_survivors = 16;
constexpr int most_messages = 64;
constexpr int most_pause_passes = 10;
constexpr auto owner_look = std::chrono::seconds(1);

} // namespace

Supervisor::Supervisor(Charge charge, std::int32_t root_pid)
    : charge_(std::move(charge)), adopted_(false), tree_(std::make_unique<OwnTree>(root_pid)), signals_(io_), out_(io_),
      err_(io_), control_(io_), owner_(io_), timer_(io_), owner_timer_(io_)
{
    state_.phase = core::Running{*charge_.recorder.status().started_at};
}

Supervisor::Supervisor(Charge charge, Adopt, os::TreeMarks marks)
    : charge_(std::move(charge)), adopted_(true), signals_(io_), out_(io_), err_(io_), control_(io_), owner_(io_), timer_(io_), owner_timer_(io_)
{
    const store::Status& status = charge_.recorder.status();
    const bool root_end_known = status.outcome.kind != core::OutcomeKind::none;
    tree_ = std::make_unique<AdoptedTree>(io_, std::move(marks), root_end_known, [this] { dispatch(core::Tick{}); });
    state_ = state_of(status, os::now());
}

int Supervisor::run()
{
    watch_signals();
    out_.assign(charge_.out.fifo());
    watch_output(out_, charge_.out);
    if (charge_.err) {
        err_.assign(charge_.err->fifo());
        watch_output(err_, *charge_.err);
    }
    control_.assign(charge_.control.fd());
    watch_control();
    watch_owner();
    dispatch(core::Tick{}); // arms the timer, and sees what ended meanwhile
    malloc_trim(0);         // gives back what the caller of fork() had allocated
    io_.run();
    // These belong to others.
    for (Stream* stream : {&out_, &err_, &control_})
        if (stream->is_open()) stream->release();
    return 0;
}

void Supervisor::watch_signals()
{
    if (!signals_.is_open()) signals_.assign(os::signal_descriptor());
    signals_.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        on_signals();
        watch_signals();
    });
}

void Supervisor::on_signals()
{
    bool told_to_end = false;
    signalfd_siginfo info{};
    while (read(signals_.native_handle(), &info, sizeof info) == sizeof info)
        told_to_end |= info.ssi_signo == SIGTERM;
    if (told_to_end && adopted_) {
        // Its tree are not our children: they lose nothing with us, and the next verb takes over again.
        io_.stop();
        return;
    }
    if (told_to_end) dispatch(core::StopRequested{core::Reason::shutdown, false, std::nullopt});
    else dispatch(core::Tick{});
}

void Supervisor::watch_output(Stream& stream, os::LogPump& pump)
{
    stream.async_wait(Stream::wait_read, [this, &stream, &pump](auto error) {
        if (error) return;
        on_output(pump);
        watch_output(stream, pump);
    });
}

void Supervisor::on_output(os::LogPump& pump)
{
    account(pump.pump(os::wall_now()));
}

void Supervisor::account(const os::LogPump::Moved& moved)
{
    if (moved.dropped == 0 && !moved.freed) return;
    store::Status& status = charge_.recorder.status();
    status.dropped_bytes += moved.dropped;
    status.freed_bytes = charge_.out.freed_bytes();
    if (charge_.err) status.freed_err_bytes = charge_.err->freed_bytes();
    charge_.recorder.save();
}

void Supervisor::watch_control()
{
    control_.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        // A bound, so that a flood of messages keeps neither output nor timers waiting.
        for (int i = 0; i < most_messages; ++i) {
            const std::optional<os::Datagram> message = charge_.control.receive();
            if (!message) break;
            // Anybody who finds the socket can write to it; only this user and root are heard.
            if (message->uid != geteuid() && message->uid != 0) continue;
            if (!message->bytes.starts_with('{')) continue; // sd_notify text
            const Result<Request> request = decode_request(message->bytes);
            const Answer reply = request ? answer(*request) : Answer{request.error().message, 0};
            charge_.control.reply(*message, encode_answer(reply));
        }
        watch_control();
    });
}

void Supervisor::watch_owner()
{
    if (!charge_.spec.owner) return;
    std::optional<Fd> owner = os::open_pidfd(*charge_.spec.owner);
    const auto gone = [this] { dispatch(core::StopRequested{core::Reason::owner_gone, false, std::nullopt}); };
    if (!owner && os::is_alive(*charge_.spec.owner)) {
        // No pidfd to be had: a sandbox, or no descriptor left.
        owner_timer_.expires_after(owner_look);
        owner_timer_.async_wait([this](auto error) {
            if (!error) watch_owner();
        });
        return;
    }
    if (!owner) {
        boost::asio::post(io_, gone);
        return;
    }
    owner_.assign(owner->release());
    owner_.async_wait(Stream::wait_read, [gone](auto error) {
        if (!error) gone();
    });
}

/// Passes an event to the core, performs what it says, and whatever follows from that, until all is quiet.
void Supervisor::dispatch(core::Event first)
{
    std::deque<core::Event> events;
    look(events);
    events.push_back(std::move(first));
    while (!events.empty()) {
        const core::Event event = std::move(events.front());
        events.pop_front();
        core::StepResult result = core::step(charge_.spec.rules, std::move(state_), event, os::now());
        state_ = std::move(result.state);
        for (const core::Action& action : result.actions) perform(action, events);
    }
    arm_timer();
}

void Supervisor::look(std::deque<core::Event>& events)
{
    const Tree::Sight sight = tree_->look();
    if (sight.root_end) events.push_back(core::RootEnded{*sight.root_end});
    if (sight.empty) events.push_back(core::TreeEmpty{});
}

void Supervisor::perform(const core::Action& action, std::deque<core::Event>& events)
{
    std::visit(Overload{
                   [&](const core::SaveStatus&) { charge_.recorder.save(state_); },
                   [&](const core::LookAtTree&) {
                       const std::size_t before = events.size();
                       look(events);
                       if (events.size() == before)
                           events.push_back(core::TreeLives{static_cast<std::uint32_t>(tree_->members().size())});
                   },
                   [&](const core::SignalTree& what) { sweep(what.signal, events); },
                   [&](const core::KillTree&) { kill_sweep(events); },
                   [&](const core::PauseTree&) { pause(); },
                   [&](const core::ResumeTree&) { signal_all(tree_->members(), SIGCONT); },
                   [&](const core::Finish&) { finish(); },
                   [&](const core::Release&) { release(); },
                   [&](const core::Note& what) { note(what); },
               },
               action);
}

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
        if (still_there_.size() < most_survivors) still_there_.push_back(member.key.pid);
    }
    events.push_back(core::Swept{static_cast<std::uint32_t>(hit_by_kill_.size())});
    look(events);
}

/// A process that was forked between the look and its parent's stop is met by the next look.
void Supervisor::pause()
{
    for (int pass = 0; pass < most_pause_passes; ++pass) {
        std::vector<os::ProcStat> going = tree_->members();
        std::erase_if(going, [](const os::ProcStat& member) { return member.state == 'T' || member.state == 't'; });
        if (going.empty()) return;
        signal_all(going, SIGSTOP);
    }
}

/// The tree is empty (or what is left is left alone): the log is complete by construction once the FIFO is.
void Supervisor::drain()
{
    for (os::LogPump* pump : {&charge_.out, charge_.err ? &*charge_.err : nullptr})
        if (pump) {
            os::LogPump::Moved moved;
            do {
                moved = pump->pump(os::wall_now());
                account(moved);
            } while (moved.more && !std::get<core::Ended>(state_.phase).tree_lives);
        }
}

void Supervisor::finish()
{
    drain();
    store::Status& status = charge_.recorder.status();
    status.ended = os::wall_now();
    status.ended_at = os::now();
    status.survivors.clear();
    charge_.recorder.save(state_);
    const core::Outcome& outcome = status.outcome;
    charge_.recorder.event("ended", {{"outcome", std::string(core::to_string(outcome.kind))},
                                     {"code", std::int64_t{outcome.code}},
                                     {"signal", std::int64_t{outcome.signal}},
                                     {"reason", std::string(core::to_string(outcome.reason))},
                                     {"exit_code", std::int64_t{core::exit_code(outcome)}}});
}

void Supervisor::release()
{
    drain(); // what kept leftovers wrote last
    const store::TaskId id = charge_.task.id();
    for (const char* name : {store::file::out_fifo, store::file::err_fifo, store::file::in_fifo, store::file::control})
        unlinkat(charge_.task.fd(), name, 0); // of use to living tasks only
    static_cast<void>(charge_.root.unmark_active(id));
    if (charge_.spec.remove_when_ended) static_cast<void>(charge_.root.remove_task(id));
    if (id.value % prune_every == 0) {
        charge_.retention.thorough = false; // `bgt gc` looks for what a crash left, too
        charge_.task.unlock();              // so that the task counts as ended
        // In a process of its own: some wait for the end of this one.
        if (fork() == 0) {
            static_cast<void>(store::prune(charge_.root, charge_.retention, os::wall_now()));
            _exit(0);
        }
    }
    io_.stop();
}

void Supervisor::note(const core::Note& what)
{
    std::vector<store::EventField> fields;
    if (what.reason != core::Reason::self) fields.push_back({"reason", std::string(core::to_string(what.reason))});
    // They were given their time: what a first SIGKILL hits is no survivor yet. The record is saved next.
    if (what.what == "survivors") charge_.recorder.status().survivors = still_there_;
    if (what.signal != 0) fields.push_back({"signal", std::int64_t{what.signal}});
    if (what.count != 0) fields.push_back({"count", std::int64_t{what.count}});
    charge_.recorder.event(what.what, std::move(fields));
}

void Supervisor::arm_timer()
{
    const std::optional<Instant> deadline = core::next_deadline(charge_.spec.rules, state_);
    if (deadline == armed_) return;
    armed_ = deadline;
    timer_.cancel();
    if (!deadline) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(deadline->time_since_epoch()));
    timer_.async_wait([this](auto error) {
        if (error) return;
        armed_.reset();
        dispatch(core::Tick{});
    });
}

} // namespace bgt::supervise
