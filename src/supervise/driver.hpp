#pragma once
/// core::step at work: an event goes in, the actions that it answers are performed. It decides
/// nothing itself, and knows the world by its collaborators only.
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <deque>
#include <set>

namespace bgt::supervise {

class Driver {
public:
    /// All outlive the driver.
    struct Collaborators {
        Recorder& recorder;
        Tree& tree;
        Clock& clock;
        Spawner& spawner;
        LifeSigns& signs;
        HangReporter& reports;
        TaskOutput& output;
        AttemptHooks& hooks;
    };
    Driver(const core::Policy&, core::State, Collaborators);

    /// Passes an event to the core, performs what it answers and whatever follows from that, and
    /// sets the timer. What ended meanwhile is told first.
    void dispatch(core::Event);
    const core::State& state() const { return state_; }

private:
    using Events = std::deque<core::Event>;
    void poll_tree(Events&);
    void perform(const core::Action&, Events&);
    void save_state();
    void sweep(const core::SignalTree&, Events&);
    void kill_sweep(Events&);
    void pause();
    core::Liveness take_sample();
    void keep_outcome(const core::Outcome&);
    void drain();
    void end_attempt(const core::Outcome&);
    void start_again(Events&);
    void finish();
    void tell_decision(const core::Event&, const std::vector<core::Action>&);
    void note(const core::Note&);

    const core::Policy& policy_;
    core::State state_;
    Collaborators with_;
    std::set<ProcessKey> hit_by_kill_;      ///< distinct processes that SIGKILL was sent to
    std::vector<std::int32_t> still_there_; ///< pids that the last SIGKILL was sent to
};

} // namespace bgt::supervise
