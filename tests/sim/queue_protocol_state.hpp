#pragma once
/// Waiting tasks and all processes that have to do with them, small enough to look at millions of
/// states.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::queue_protocol {

constexpr std::size_t max_tasks = 3;

enum class Record : std::uint8_t { queued, starting, running, ended, lost, not_submitted };
enum class Submitter : std::uint8_t { none, appends, starts_dispatcher };
enum class Dispatcher : std::uint8_t {
    gone,
    looks_at_markers,
    removes_marker, ///< of what it looked at: the record is written
    chooses,
    removes_marker_of_ended, ///< the same of one that it has started
    puts_marker,
    forks_supervisor,
    goes, ///< only a mutant does so in a step of its own
};
enum class Supervisor : std::uint8_t {
    none,
    writes_starting,
    forks_child,
    waits_for_end,
    removes_marker, ///< or what a mutant does in its place
    gives_up_lock,
    waits_for_adopted,
};
enum class Child : std::uint8_t { none, writes_running, executes };

struct Task {
    Record record = Record::queued;
    bool marker = false;
    std::uint8_t executed = 0; ///< times
    bool command_lives = false;
    Supervisor supervisor = Supervisor::none;
    Child child = Child::none;
    Submitter submitter = Submitter::none;
};

struct State {
    std::array<Task, max_tasks> tasks;
    Dispatcher dispatcher = Dispatcher::looks_at_markers;
    std::uint8_t at =
        0; ///< the task that the dispatcher is at, where it looks at markers or claims
    std::uint8_t slots = 0; ///< the tasks for which it counts a slot, a bit each
    bool standby = true;
    std::uint8_t kills = 0; ///< that may still happen
    std::uint8_t verbs = 0;

    bool holds_slot(std::size_t task) const { return (slots >> task & 1) != 0; }
    void take_slot(std::size_t task) { slots = static_cast<std::uint8_t>(slots | 1u << task); }
    void free_slot(std::size_t task) { slots = static_cast<std::uint8_t>(slots & ~(1u << task)); }
};

using Packed = std::uint64_t;

template <class Value>
void put(Packed& packed, Value value, unsigned bits)
{
    packed = packed << bits | static_cast<Packed>(value);
}

template <class Value>
void take(Packed& packed, Value& value, unsigned bits)
{
    value = static_cast<Value>(packed & ((Packed{1} << bits) - 1));
    packed >>= bits;
}

inline Packed pack(const State& state)
{
    Packed packed = 0;
    for (const Task& task : state.tasks) {
        put(packed, task.record, 3);
        put(packed, task.marker, 1);
        put(packed, task.executed, 2);
        put(packed, task.command_lives, 1);
        put(packed, task.supervisor, 3);
        put(packed, task.child, 2);
        put(packed, task.submitter, 2);
    }
    put(packed, state.dispatcher, 3);
    put(packed, state.at, 2);
    put(packed, state.slots, 3);
    put(packed, state.standby, 1);
    put(packed, state.kills, 3);
    put(packed, state.verbs, 3);
    return packed;
}

inline State unpack(Packed packed)
{
    State state;
    take(packed, state.verbs, 3);
    take(packed, state.kills, 3);
    take(packed, state.standby, 1);
    take(packed, state.slots, 3);
    take(packed, state.at, 2);
    take(packed, state.dispatcher, 3);
    for (auto task = state.tasks.rbegin(); task != state.tasks.rend(); ++task) {
        take(packed, task->submitter, 2);
        take(packed, task->child, 2);
        take(packed, task->supervisor, 3);
        take(packed, task->command_lives, 1);
        take(packed, task->executed, 2);
        take(packed, task->marker, 1);
        take(packed, task->record, 3);
    }
    return state;
}

inline std::string describe(const State& state)
{
    static constexpr std::array records{"queued", "starting", "running",
                                        "ended",  "lost",     "not submitted"};
    static constexpr std::array dispatchers{"gone",
                                            "looks at markers",
                                            "removes marker",
                                            "chooses",
                                            "removes marker of ended",
                                            "puts marker",
                                            "forks supervisor",
                                            "goes"};
    static constexpr std::array submitters{"none", "appends", "starts dispatcher"};
    static constexpr std::array supervisors{
        "none",           "writes starting", "forks child",      "waits for end",
        "removes marker", "gives up lock",   "waits for adopted"};
    static constexpr std::array children{"none", "writes running", "executes"};
    std::string text = std::string("dispatcher ") +
                       dispatchers[static_cast<std::size_t>(state.dispatcher)] + " at " +
                       std::to_string(state.at) + ", slots " + std::to_string(state.slots) +
                       (state.standby ? ", standby" : "");
    for (const Task& task : state.tasks)
        text += std::string("; ") + records[static_cast<std::size_t>(task.record)] +
                (task.marker ? " marked" : "") + (task.command_lives ? " lives" : "") +
                " executed " + std::to_string(task.executed) + ", supervisor " +
                supervisors[static_cast<std::size_t>(task.supervisor)] + ", child " +
                children[static_cast<std::size_t>(task.child)] + ", submitter " +
                submitters[static_cast<std::size_t>(task.submitter)];
    return text;
}

/// What is done wrong, to see that it is noticed.
enum class Mutant {
    none,
    child_without_lock,        ///< the lock does not reach the child
    supervisor_writes_running, ///< once the command was executed
    no_marker,                 ///< the claim does not put one
    marker_removed_before_end, ///< before the end is written
    marker_removed_first, ///< by a dispatcher that recovers a task, before it writes the record
    dispatcher_goes_too_early, ///< when nothing waits, though it still holds slots
    dispatcher_goes_unlocked,  ///< it looks whether something waits, and goes in a later step
};

struct Setup {
    std::size_t tasks = 0;
    int slots = 0;
    std::uint8_t kills = 0;
    std::uint8_t verbs = 0;
    Mutant mutant = Mutant::none;
    std::size_t submitted_later = 0; ///< the last ones; the others wait when it begins
};

struct Outcome {
    std::size_t states = 0;
    std::size_t last_states = 0;    ///< in which nothing happens any more unless somebody kills
    std::vector<std::string> wrong; ///< each with how it came to it
};

} // namespace bgt::queue_protocol
