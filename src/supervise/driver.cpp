#include "driver.hpp"

#include <bgt/base/overload.hpp>
#include <bgt/core/step_words.hpp>

#include <algorithm>
#include <csignal>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_survivors = 16;
constexpr int max_pause_passes = 10;

} // namespace

Driver::Driver(const core::Policy& policy, core::State state, Collaborators with)
    : policy_(policy), state_(std::move(state)), with_(with)
{}

void Driver::dispatch(core::Event first)
{
    Events events;
    poll_tree(events);
    events.push_back(std::move(first));
    while (!events.empty()) {
        const core::Event event = std::move(events.front());
        events.pop_front();
        core::StepResult result = core::step(policy_, std::move(state_), event, with_.clock.now());
        state_ = std::move(result.state);
        if (with_.recorder.is_debugging()) tell_decision(event, result.actions);
        for (const core::Action& action : result.actions) perform(action, events);
    }
    const std::optional<Instant> deadline = core::next_deadline(policy_, state_);
    with_.clock.wake_at(deadline);
}

void Driver::tell_decision(const core::Event& event, const std::vector<core::Action>& actions)
{
    if (actions.empty() && std::holds_alternative<core::Tick>(event)) return;
    with_.recorder.tell(
        "decision", with_.clock.wall_now(),
        {{"event", std::string(core::word_of(event))}, {"actions", core::words_of(actions)}});
}

void Driver::poll_tree(Events& events)
{
    const Tree::Changes changes = with_.tree.poll();
    with_.signs.leave_out(changes.helpers_cpu);
    if (changes.main_end) events.push_back(core::MainEnded{*changes.main_end});
    if (changes.empty) events.push_back(core::TreeEmpty{});
}

void Driver::perform(const core::Action& action, Events& events)
{
    std::visit(
        Overload{
            [&](const core::SaveStatus&) { save_state(); },
            [&](const core::CheckTree&) {
                const std::size_t before = events.size();
                poll_tree(events);
                if (events.size() == before)
                    events.push_back(
                        core::TreeLives{static_cast<std::uint32_t>(with_.tree.members().size())});
            },
            [&](const core::SignalTree& what) { sweep(what, events); },
            [&](const core::KillTree&) { kill_sweep(events); },
            [&](const core::PauseTree&) { pause(); },
            [&](const core::ResumeTree&) { with_.tree.signal(with_.tree.members(), SIGCONT); },
            [&](const core::TakeSample&) { events.push_back(core::Sampled{take_sample()}); },
            [&](const core::GatherReport& what) { with_.reports.report(what.rule); },
            [&](const core::RunHook& what) { with_.reports.run_hook(what.rule); },
            [&](const core::EndAttempt& what) { end_attempt(what.outcome); },
            [&](const core::StartAgain&) { start_again(events); },
            [&](const core::Finish&) { finish(); },
            [&](const core::Release&) { with_.hooks.release(); },
            [&](const core::Note& what) { note(what); },
        },
        action);
}

void Driver::save_state()
{
    store::Status& status = with_.recorder.status();
    const auto* waiting = std::get_if<core::BackingOff>(&state_.phase);
    status.next_attempt.reset();
    if (waiting && waiting->until)
        status.next_attempt =
            with_.clock.wall_now() +
            std::max<Duration>(*waiting->until - with_.clock.now(), Duration::zero());
    if (state_.hang_state.ready && !status.ready_at) status.ready_at = with_.clock.wall_now();
    if (!state_.hang_state.ready) status.ready_at.reset();
    with_.recorder.save(state_);
}

void Driver::sweep(const core::SignalTree& what, Events& events)
{
    const std::vector<os::ProcStat> members = with_.tree.members();
    std::vector<os::ProcStat> targets = members;
    if (what.main_only)
        std::erase_if(targets, [&](const auto& member) {
            return member.key != with_.recorder.status().main_process;
        });
    with_.tree.signal(targets.empty() ? members : targets,
                      what.signal);      // without it nobody else would end them
    with_.tree.signal(members, SIGCONT); // a stopped process would never see the first
    events.push_back(core::Swept{static_cast<std::uint32_t>(members.size())});
}

void Driver::kill_sweep(Events& events)
{
    const std::vector<os::ProcStat> members = with_.tree.members();
    with_.tree.signal(members, SIGKILL);
    still_there_.clear();
    for (const os::ProcStat& member : members) {
        hit_by_kill_.insert(member.key);
        if (still_there_.size() < max_survivors) still_there_.push_back(member.key.pid);
    }
    events.push_back(core::Swept{static_cast<std::uint32_t>(hit_by_kill_.size())});
    poll_tree(events);
}

/// A process that was forked between the listing and its parent's stop is met by the next pass.
void Driver::pause()
{
    for (int pass = 0; pass < max_pause_passes; ++pass) {
        std::vector<os::ProcStat> going = with_.tree.members();
        std::erase_if(going, [](const os::ProcStat& member) {
            return member.state == 'T' || member.state == 't';
        });
        if (going.empty()) return;
        with_.tree.signal(going, SIGSTOP);
    }
}

core::Liveness Driver::take_sample()
{
    with_.output.take_all(); // what waits has come already
    const core::Liveness liveness = with_.signs.sample(with_.tree.members(), with_.clock.now());
    if (const auto progress = with_.signs.take_progress();
        progress && with_.recorder.put(*progress))
        with_.recorder.save();
    if (with_.recorder.is_debugging())
        with_.recorder.tell("sample", with_.clock.wall_now(),
                            {{"activity", std::string(core::to_string(liveness.activity))}});
    return liveness;
}

/// A supervisor that is killed from here on does not take with it how the main process ended. What
/// follows may take long: output on its way to a slow disk, artifacts on another machine.
void Driver::keep_outcome(const core::Outcome& outcome)
{
    const bool was_seen =
        outcome.kind == core::OutcomeKind::exited || outcome.kind == core::OutcomeKind::signaled;
    if (!was_seen || with_.recorder.status().outcome == outcome) return;
    with_.recorder.status().outcome = outcome;
    with_.recorder.save();
}

/// The tree is empty (or what is left is left alone): the log is complete by construction once the
/// FIFO is.
void Driver::drain()
{
    const auto* ended =
        std::get_if<core::Ended>(&state_.phase); // or an attempt has, and not the task
    with_.output.drain(ended && ended->tree_lives);
}

void Driver::finish()
{
    if (const auto* ended = std::get_if<core::Ended>(&state_.phase)) keep_outcome(ended->outcome);
    drain();
    with_.hooks.task_ends();
    store::Status& status = with_.recorder.status();
    status.ended = with_.clock.wall_now();
    status.ended_at = with_.clock.now();
    status.survivors.clear();
    with_.recorder.save(state_);
    std::vector<store::EventField> fields = outcome_fields(status.outcome);
    if (core::exit_code(status.outcome) != 0) with_.hooks.tell_of_kernel(fields);
    with_.recorder.event("ended", std::move(fields));
    with_.hooks.task_ended();
}

/// The tree is empty, and the core wants another attempt.
void Driver::end_attempt(const core::Outcome& outcome)
{
    with_.hooks.attempt_ended();
    keep_outcome(outcome);
    drain();
    hit_by_kill_.clear();
    store::Status& status = with_.recorder.status();
    const WallTime now = with_.clock.wall_now();
    const Duration lived =
        status.attempt_started ? now - *status.attempt_started : Duration::zero();
    const auto [out, err] = with_.output.attempt_ranges();
    std::vector<store::EventField> fields = outcome_fields(outcome);
    fields.push_back({"attempt", std::int64_t{status.attempt}});
    fields.push_back({"started_at", format_rfc3339(status.attempt_started.value_or(now))});
    fields.push_back(
        {"lived_ms", std::chrono::duration_cast<std::chrono::milliseconds>(lived).count()});
    fields.push_back({"log_from", static_cast<std::int64_t>(out.from)});
    fields.push_back({"log_to", static_cast<std::int64_t>(out.to)});
    if (err) {
        fields.push_back({"err_from", static_cast<std::int64_t>(err->from)});
        fields.push_back({"err_to", static_cast<std::int64_t>(err->to)});
    }
    with_.hooks.tell_of_kernel(fields);
    with_.recorder.event("attempt-ended", std::move(fields));
    status.progress.reset();
    status.step.clear();
    status.total_steps = 0;
    status.text.clear();
    status.survivors.clear();
}

void Driver::start_again(Events& events)
{
    with_.output.begin_attempt();
    const std::uint32_t attempt = state_.attempts.number;
    const Result<ProcessKey> main_process = with_.spawner.spawn(attempt);
    if (!main_process) {
        with_.recorder.event("start-failed", {{"error", main_process.error().message}});
        events.push_back(
            core::StartFailed{main_process.error().kind == ErrorKind::no_command ? 127 : 126});
        return;
    }
    with_.tree.new_main_process(main_process->pid);
    with_.signs.begin(with_.clock.now());
    with_.recorder.event(
        "started", {{"pid", std::int64_t{main_process->pid}}, {"attempt", std::int64_t{attempt}}});
    events.push_back(core::Started{});
    with_.hooks.attempt_started();
}

void Driver::note(const core::Note& what)
{
    std::vector<store::EventField> fields;
    if (what.reason != core::Reason::self)
        fields.push_back({"reason", std::string(core::to_string(what.reason))});
    // They were given their time: what a first SIGKILL hits is no survivor yet. The record is saved
    // next.
    if (what.what == core::Happening::survivors) with_.recorder.status().survivors = still_there_;
    if (what.signal != 0) fields.push_back({"signal", std::int64_t{what.signal}});
    if (what.count != 0) fields.push_back({"count", std::int64_t{what.count}});
    with_.recorder.event(core::to_string(what.what), std::move(fields));
}

} // namespace bgt::supervise
