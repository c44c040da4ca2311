#pragma once
/// What the parts of diagnose() share: an index of the evidence, what is found of one process, and
/// its words.
#include <bgt/core/diagnosis.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace bgt::core::detail {

class Facts;

/// What is said of one process alone.
struct Finding {
    Verdict verdict = Verdict::blocked;
    std::string sentence;
    std::string hint;
    std::int32_t pid = 0;
    /// Processes of the tree of which one must move before this one can. Not empty: they are to
    /// blame, not this one.
    std::vector<std::int32_t> waits_for;
    /// Others of the tree of which one might end its wait, as one of several things that it waits
    /// for.
    std::vector<std::int32_t> may_wait_for{};
    std::string doubt{}; ///< why it may be otherwise; empty: it is sure
    bool timed =
        false; ///< it has set itself a time, after which it looks again: no part of a deadlock
    bool known = false;   ///< although it is `blocked`, what it waits for is known
    bool at_rest = false; ///< an event loop that only its own program wakes: no work of its own
};

/// One list of those who wait and whom they wait for. The end of the longest chain from the main
/// process tells: one process that waits for nobody of the tree, or several that wait for each
/// other in a circle.
class Graph {
public:
    Graph(const Facts&, std::vector<Finding>);
    Finding cause() const;
    /// How the main process comes to wait for `pid`, one line a process.
    std::vector<std::string> chain_to(std::int32_t pid) const;

private:
    std::size_t index_of(std::int32_t pid) const;
    bool ends_a_chain(std::size_t) const;
    bool is_in_circle(std::size_t) const;
    Finding circle_of(std::size_t) const;
    Finding best_of(const std::vector<std::size_t>&) const;
    std::optional<Finding> held_by(const Finding& best, std::size_t at) const;
    std::optional<Finding> kept_open_by(const Finding& best, std::size_t at) const;

    const Facts& facts_;
    std::vector<Finding> findings_;
    std::vector<std::vector<std::size_t>> edges_;
    std::vector<std::vector<bool>> reaches_; ///< over all edges
    std::vector<std::vector<bool>> needs_; ///< over those to processes without which it can't go on
};

/// True when `a` says more than `b`: the verdicts are in the order of how sure and how telling they
/// are.
inline bool says_more(Verdict a, Verdict b)
{
    if (a == Verdict::unknown || b == Verdict::unknown) return b == Verdict::unknown && a != b;
    return a < b;
}

class Facts {
public:
    explicit Facts(const Evidence& evidence);
    const Evidence& evidence() const { return evidence_; }
    /// nullptr: not in the tree.
    const ProcessEvidence* process(std::int32_t pid) const;
    /// Of these, the ones that have not ended, and those that have.
    std::vector<const ProcessEvidence*> living_children(const ProcessEvidence&) const;
    std::vector<const ProcessEvidence*> zombies_of(const ProcessEvidence&) const;
    const PipeEvidence* pipe(const Handle&) const;
    /// Both sides of the pseudoterminal that this handle is a side of.
    const PipeEvidence* terminal(const Handle&) const;
    const SocketEvidence* socket(const Handle&) const;
    const LockEvidence* lock_of(std::int32_t waiter) const;

private:
    const Evidence& evidence_;
    std::unordered_map<std::int32_t, const ProcessEvidence*> processes_;
    std::unordered_map<std::int32_t, std::vector<const ProcessEvidence*>> children_;
    std::unordered_map<std::uint64_t, const PipeEvidence*> pipes_;
    std::unordered_map<std::int32_t, const PipeEvidence*> terminals_;
    std::unordered_map<std::uint64_t, const SocketEvidence*> sockets_;
};

inline constexpr Duration much_cpu =
    std::chrono::milliseconds(20); ///< two ticks: a single one may be anything's

bool is_zombie(const ProcessEvidence&);
bool is_stopped(const ProcessEvidence&);
/// Its end may be a matter of this moment, which its parent takes note of as soon as it runs.
bool has_just_ended(const ProcessEvidence&);
/// It runs, or one of its threads does.
bool is_awake(const ProcessEvidence&);
/// For most of the time since the look before it waited for a CPU, and for nothing else.
bool is_starved(const Evidence&, const ProcessEvidence&);

Finding find_of(const Facts&, const ProcessEvidence&);
Finding find_pipe(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_socket(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_lock(const Facts&, const ProcessEvidence&, const ThreadEvidence&);
Finding find_poll(const Facts&, const ProcessEvidence&, const ThreadEvidence&);
Finding find_input(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_futex(const Facts&, const ProcessEvidence&);
/// Threads that wait for each other's mutexes, by what the C library notes in these.
std::optional<Finding> find_mutex_circle(const Facts&, const ProcessEvidence&);
/// A wait with a date and for nothing else: a sleep, or a look again and again.
Finding find_sleep(const Facts&, const ProcessEvidence&, const ThreadEvidence&);
/// Whether a wait with this date is one of many: the process has been without a sign of life for
/// much longer.
bool comes_again(const Evidence&, const ProcessEvidence&, Duration limit);
/// Threads that a runtime has for itself: they sleep and wake whatever the program does.
bool is_runtime_thread(const ThreadEvidence&);
/// What the stack dump of the process says of a deadlock; nullopt: there is none that tells.
std::optional<bool> dump_of_locks(const Evidence&, const ProcessEvidence&);
/// A program of Go: its runtime has a thread that wakes by itself each minute, and handlers for all
/// signals.
bool is_of_go(const ProcessEvidence&);
/// Whether only the program itself can make this descriptor ready: event counters, self-pipes,
/// socket pairs.
bool wakes_itself(const Facts&, const ProcessEvidence&, const Handle&);
bool waits_for_child(const ProcessEvidence&);
std::vector<std::int32_t> pids_of(const std::vector<const ProcessEvidence*>&);

/// "cargo build (pid 56)".
std::string name_of(const ProcessEvidence&);
/// "python3 (pid 9)", who holds that lock.
std::string holder_name(const LockEvidence&);
/// The name by which the program of that command line is known: "python3".
std::string_view program_of(std::string_view command);
/// How long ago CPU was last used; nullopt where only the time since the first look is known.
std::optional<Duration> cpu_age(const Evidence&);
/// ", no CPU for 4m12s"; empty where not known.
std::string without_cpu(const Evidence&);
/// How long a sleep is: "1s", "80ms", "1h".
std::string nap_words(Duration);
/// "; last text: Ok to proceed? (y)"; empty where there is none.
std::string last_text(const Evidence&);
/// What the last lines say of a peer that can't be reached: "connection refused"; empty: nothing.
std::string trouble_in(const Evidence&);
/// Since nothing new was written, else since nothing at all.
std::optional<Duration> silence(const Evidence&);
/// Where the listening sockets of the tree are, ":5173, :80"; empty: none.
std::string listening_on(const Evidence&);
/// What to do about it: `next` of a Diagnosis.
std::string next_command(const Facts&, const Finding&);

} // namespace bgt::core::detail
