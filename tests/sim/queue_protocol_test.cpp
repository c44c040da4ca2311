// How waiting tasks start and end, in all orders in which the steps of the processes can follow
// each other, with a kill of any of them between any two steps. No task may be executed twice, none
// may be forgotten, and no more may run than there are slots.
//
// The protocol:
// - Only the dispatcher starts tasks. A standby takes its place when it is killed; when both are,
//   the next verb puts one there.
// - To claim a task, the dispatcher takes the task's lock, then puts its marker into active/, then
//   forks its supervisor, which inherits the lock.
// - The supervisor writes `starting` and forks the child, which inherits the lock, too.
// - The child writes `running` and then executes the command; that closes the lock. Writing
//   `running` commits the start.
// - The supervisor waits for the end of the command, writes the end, then removes the marker, then
//   gives the lock up.
// - A marker whose lock is free belongs to a task that nobody looks after. Without `running` it was
//   never started: it waits again. With `running` it is adopted when its command lives, else lost.
//   The record is written first, then the marker is removed.
// - A dispatcher that begins looks at all markers before it starts anything. It goes when nothing
//   waits and it holds no slot. It looks and goes under the journal's lock, so that nothing is
//   submitted in between.
// - Who submits a task appends it to the journal under that lock, and then starts a dispatcher
//   where there is none. A submit that is killed in between has not told anybody that the task
//   waits; the next verb finds it.
#include "queue_protocol_state.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

using namespace bgt::queue_protocol;

namespace {

/// All states that can be reached, each once, those with the fewest steps first.
class Search {
public:
    explicit Search(const Setup& setup) : setup_(setup) {}

    Outcome run()
    {
        State first;
        first.kills = setup_.kills;
        first.verbs = setup_.verbs;
        for (std::size_t i = setup_.tasks - setup_.submitted_later; i < setup_.tasks; ++i)
            first.tasks[i] = {.record = Record::not_submitted, .submitter = Submitter::appends};
        reach(first);
        for (; !open_.empty() && outcome_.wrong.empty(); open_.pop_front()) {
            from_ = open_.front();
            const State state = unpack(from_);
            check(state);
            steps_ = 0;
            dispatcher_steps(state);
            for (std::size_t i = 0; i < setup_.tasks; ++i) task_steps(state, i);
            if (steps_ == 0) check_last(state);
            if (state.kills > 0) kill(state);
        }
        outcome_.states = before_.size();
        return outcome_;
    }

private:
    bool is(Mutant mutant) const { return setup_.mutant == mutant; }
    static bool does_wait(const Task& task) { return task.record == Record::queued; }
    static bool is_over(const Task& task)
    {
        return task.record == Record::ended || task.record == Record::lost ||
               task.record == Record::not_submitted;
    }

    bool is_locked(const State& state, std::size_t i) const
    {
        const bool by_dispatcher = state.dispatcher == Dispatcher::puts_marker ||
                                   state.dispatcher == Dispatcher::forks_supervisor;
        if (by_dispatcher && state.at == i) return true;
        const Task& task = state.tasks[i];
        return task.supervisor != Supervisor::none ||
               (task.child != Child::none && !is(Mutant::child_without_lock));
    }

    void reach(const State& state)
    {
        ++steps_;
        const Packed packed = pack(state);
        if (before_.emplace(packed, from_).second) open_.push_back(packed);
    }
    /// A step that changes one task.
    void reach(State state, std::size_t i, const std::function<void(Task&)>& change)
    {
        change(state.tasks[i]);
        reach(state);
    }

    void dispatcher_steps(const State& state)
    {
        switch (state.dispatcher) {
        case Dispatcher::gone: return replace_dispatcher(state);
        case Dispatcher::looks_at_markers: return look_at_marker(state);
        case Dispatcher::removes_marker:
        case Dispatcher::removes_marker_of_ended: return finish_recovery(state);
        case Dispatcher::chooses: return choose(state);
        case Dispatcher::puts_marker:
        case Dispatcher::forks_supervisor: return claim(state);
        case Dispatcher::goes: return go(state);
        }
    }

    void claim(State state)
    {
        Task& task = state.tasks[state.at];
        if (state.dispatcher == Dispatcher::puts_marker) {
            task.marker = task.marker || !is(Mutant::no_marker);
            state.dispatcher = Dispatcher::forks_supervisor;
        } else {
            task.supervisor = Supervisor::writes_starting;
            state.dispatcher = Dispatcher::chooses;
            state.at = 0;
        }
        reach(state);
    }

    /// By the standby, which gets a new one; or by a verb that comes upon unfinished tasks.
    void replace_dispatcher(State state)
    {
        const auto tasks = std::span(state.tasks).first(setup_.tasks);
        if (!state.standby) {
            if (state.verbs == 0 || std::ranges::all_of(tasks, is_over)) return;
            --state.verbs;
        }
        begin_dispatcher(state);
        reach(state);
    }

    void look_at_marker(State state)
    {
        const std::size_t i = state.at;
        if (i == setup_.tasks) {
            state.dispatcher = Dispatcher::chooses;
            state.at = 0;
            return reach(state);
        }
        ++state.at;
        if (!state.tasks[i].marker) return reach(state);
        if (!is_locked(state, i)) {
            state.at = static_cast<std::uint8_t>(i);
            return recover(state, i);
        }
        state.take_slot(i);
        reach(state);
    }

    void choose(State state)
    {
        bool is_woken = false;
        for (std::size_t i = 0; i < setup_.tasks; ++i) {
            if (!state.holds_slot(i) || (state.tasks[i].marker && is_locked(state, i))) continue;
            is_woken = true;
            if (state.tasks[i].marker) {
                recover(state, i);
                continue;
            }
            State then = state;
            then.free_slot(i);
            reach(then);
        }
        if (is_woken) return;
        std::size_t next = 0;
        while (next < setup_.tasks && (!does_wait(state.tasks[next]) || state.holds_slot(next)))
            ++next;
        if (next == setup_.tasks) {
            if (state.slots != 0 && !is(Mutant::dispatcher_goes_too_early)) return;
            if (!is(Mutant::dispatcher_goes_unlocked)) return go(state);
            state.dispatcher = Dispatcher::goes;
            return reach(state);
        }
        if (std::popcount(state.slots) >= setup_.slots) return;
        state.take_slot(next);
        state.dispatcher = Dispatcher::puts_marker;
        state.at = static_cast<std::uint8_t>(next);
        reach(state);
    }

    void go(State state)
    {
        state.dispatcher = Dispatcher::gone;
        state.standby = false;
        state.slots = 0;
        reach(state);
    }

    /// A task with a marker whose lock is free: its record says what to do. Then the marker goes.
    void recover(State state, std::size_t i)
    {
        Task& task = state.tasks[i];
        const bool is_beginning = state.dispatcher == Dispatcher::looks_at_markers;
        const bool counts_as_running =
            task.record == Record::running || is(Mutant::supervisor_writes_running);
        if (!is_over(task) && task.command_lives && counts_as_running) {
            task.supervisor = Supervisor::waits_for_adopted;
            state.take_slot(i);
            if (is_beginning) ++state.at;
            return reach(state);
        }
        if (is(Mutant::marker_removed_first)) task.marker = false;
        else write_recovered(task);
        state.dispatcher =
            is_beginning ? Dispatcher::removes_marker : Dispatcher::removes_marker_of_ended;
        state.at = static_cast<std::uint8_t>(i);
        reach(state);
    }

    static void write_recovered(Task& task)
    {
        if (task.record == Record::running) task.record = Record::lost;
        if (task.record == Record::starting) task.record = Record::queued;
    }

    void finish_recovery(State state)
    {
        Task& task = state.tasks[state.at];
        if (is(Mutant::marker_removed_first)) write_recovered(task);
        task.marker = false;
        state.free_slot(state.at);
        const bool is_beginning = state.dispatcher == Dispatcher::removes_marker;
        state.dispatcher = is_beginning ? Dispatcher::looks_at_markers : Dispatcher::chooses;
        state.at = static_cast<std::uint8_t>(is_beginning ? state.at + 1 : 0);
        reach(state);
    }

    void task_steps(const State& state, std::size_t i)
    {
        supervisor_step(state, i);
        submitter_step(state, i);
        switch (state.tasks[i].child) {
        case Child::none: break;
        case Child::writes_running:
            reach(state, i, [&](Task& task) {
                if (!is(Mutant::supervisor_writes_running)) task.record = Record::running;
                task.child = Child::executes;
            });
            break;
        case Child::executes:
            reach(state, i, [](Task& task) {
                ++task.executed;
                task.command_lives = true;
                task.child = Child::none;
            });
        }
        if (state.tasks[i].command_lives)
            reach(state, i, [](Task& task) { task.command_lives = false; });
    }

    void submitter_step(State state, std::size_t i)
    {
        Task& task = state.tasks[i];
        if (task.submitter == Submitter::none) return;
        if (task.submitter == Submitter::appends) {
            task.record = Record::queued;
            task.submitter = Submitter::starts_dispatcher;
            return reach(state);
        }
        task.submitter = Submitter::none;
        if (state.dispatcher == Dispatcher::gone) begin_dispatcher(state);
        reach(state);
    }

    static void begin_dispatcher(State& state)
    {
        state.standby = true;
        state.dispatcher = Dispatcher::looks_at_markers;
        state.at = 0;
        state.slots = 0;
    }

    void supervisor_step(const State& state, std::size_t i)
    {
        const Task& now = state.tasks[i];
        switch (now.supervisor) {
        case Supervisor::none: return;
        case Supervisor::writes_starting:
            return reach(state, i, [](Task& task) {
                task.record = Record::starting;
                task.supervisor = Supervisor::forks_child;
            });
        case Supervisor::forks_child:
            return reach(state, i, [](Task& task) {
                task.child = Child::writes_running;
                task.supervisor = Supervisor::waits_for_end;
            });
        case Supervisor::waits_for_end:
            if (now.child != Child::none) return;
            if (is(Mutant::supervisor_writes_running) && now.record == Record::starting &&
                now.command_lives)
                return reach(state, i, [](Task& task) { task.record = Record::running; });
            if (!now.command_lives) end_task(state, i, Record::ended);
            return;
        case Supervisor::waits_for_adopted:
            if (!now.command_lives) end_task(state, i, Record::lost);
            return;
        case Supervisor::removes_marker:
            return reach(state, i, [&](Task& task) {
                if (is(Mutant::marker_removed_before_end)) task.record = Record::ended;
                else task.marker = false;
                task.supervisor = Supervisor::gives_up_lock;
            });
        case Supervisor::gives_up_lock:
            return reach(state, i, [](Task& task) { task.supervisor = Supervisor::none; });
        }
    }

    void end_task(const State& state, std::size_t i, Record end)
    {
        reach(state, i, [&](Task& task) {
            if (is(Mutant::marker_removed_before_end) && end == Record::ended) task.marker = false;
            else task.record = end;
            task.supervisor = Supervisor::removes_marker;
        });
    }

    /// Each process that is there, one at a time.
    void kill(State state)
    {
        --state.kills;
        if (state.dispatcher != Dispatcher::gone) {
            State then = state;
            then.dispatcher = Dispatcher::gone;
            then.at = 0;
            then.slots = 0;
            reach(then);
        }
        if (state.standby) {
            State then = state;
            then.standby = false;
            reach(then);
        }
        for (std::size_t i = 0; i < setup_.tasks; ++i) {
            if (state.tasks[i].supervisor != Supervisor::none)
                reach(state, i, [](Task& task) { task.supervisor = Supervisor::none; });
            if (state.tasks[i].submitter != Submitter::none)
                reach(state, i, [](Task& task) { task.submitter = Submitter::none; });
            if (state.tasks[i].child != Child::none)
                reach(state, i, [](Task& task) { task.child = Child::none; });
        }
    }

    void check(const State& state)
    {
        int running = 0;
        for (const Task& task : state.tasks) {
            if (task.executed > 1) say("a task was executed twice");
            if (task.command_lives || task.child != Child::none) ++running;
        }
        if (running > setup_.slots) say("more tasks run than there are slots");
    }

    void check_last(const State& state)
    {
        ++outcome_.last_states;
        const auto tasks = std::span(state.tasks).first(setup_.tasks);
        if (!std::ranges::all_of(tasks, is_over)) say("a task is forgotten");
        const auto ran_once = [](const Task& task) {
            return task.record == Record::ended && task.executed == 1;
        };
        if (state.kills == setup_.kills && !std::ranges::all_of(tasks, ran_once))
            say("a task did not run, though nothing was killed");
    }

    void say(const std::string& what)
    {
        std::string way;
        for (Packed at = from_; at != start; at = before_.at(at))
            way = "  " + describe(unpack(at)) + "\n" + way;
        outcome_.wrong.push_back(what + ":\n" + way);
    }

    static constexpr Packed start = ~Packed{0}; ///< no state: where the first one comes from
    Setup setup_;
    Packed from_ = start;
    std::size_t steps_ = 0; ///< that lead on from there
    std::unordered_map<Packed, Packed> before_;
    std::deque<Packed> open_;
    Outcome outcome_;
};

void check_holds(const Setup& setup)
{
    const Outcome outcome = Search(setup).run();
    INFO(outcome.states << " states");
    for (const std::string& wrong : outcome.wrong) FAIL_CHECK(wrong);
    CHECK(outcome.last_states > 0);
}

void check_is_caught(const Setup& setup, const std::string& what)
{
    const Outcome outcome = Search(setup).run();
    INFO(outcome.states << " states");
    REQUIRE_FALSE(outcome.wrong.empty());
    CHECK(outcome.wrong.front().substr(0, what.size()) == what);
}

} // namespace

TEST_CASE("queue protocol: after one kill all tasks run by themselves, once each")
{
    check_holds({3, 2, 1, 0});
}

TEST_CASE("queue protocol: after more kills they run with the next verb")
{
    check_holds({3, 2, 2, 3});
    check_holds({3, 1, 3, 4});
}

TEST_CASE("queue protocol: what is submitted while the dispatcher goes is not forgotten")
{
    check_holds({.tasks = 3, .slots = 2, .submitted_later = 2});
    check_holds({.tasks = 3, .slots = 2, .kills = 2, .verbs = 3, .submitted_later = 2});
    check_is_caught(
        {.tasks = 2, .slots = 1, .mutant = Mutant::dispatcher_goes_unlocked, .submitted_later = 1},
        "a task is forgotten");
}

TEST_CASE("queue protocol: the child must hold the lock until it executes the command")
{
    check_is_caught({3, 2, 2, 3, Mutant::child_without_lock}, "a task was executed twice");
}

TEST_CASE("queue protocol: the child itself must write `running`, before it executes the command")
{
    check_is_caught({3, 2, 2, 3, Mutant::supervisor_writes_running}, "a task was executed twice");
}

TEST_CASE("queue protocol: a claim must put a marker")
{
    check_is_caught({2, 1, 1, 1, Mutant::no_marker}, "more tasks run than there are slots");
}

TEST_CASE("queue protocol: the end must be written before the marker is removed")
{
    check_is_caught({3, 2, 1, 0, Mutant::marker_removed_before_end}, "a task is forgotten");
    check_is_caught({3, 2, 2, 3, Mutant::marker_removed_before_end}, "a task is forgotten");
    check_is_caught({3, 2, 2, 3, Mutant::marker_removed_first}, "a task is forgotten");
}

TEST_CASE("queue protocol: the dispatcher must stay while it holds a slot")
{
    check_is_caught({3, 2, 2, 3, Mutant::dispatcher_goes_too_early}, "a task is forgotten");
}
