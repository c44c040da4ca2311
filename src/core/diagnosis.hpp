#pragma once
/// What the parts of diagnose() share: an index of the evidence, what is found of one process, and its words.
#include <bgt/core/diagnosis.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace bgt::core::detail {

/// What is said of one process alone.
struct Finding {
    Verdict verdict = Verdict::blocked;
    std::string sentence;
    std::string hint;
    std::int32_t pid = 0;
    /// Processes of the tree of which one must move before this one can. Not empty: they are to blame, not this one.
    std::vector<std::int32_t> waits_for;
};

/// True when `a` says more than `b`: the verdicts are in the order of how sure and how telling they are.
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
    const SocketEvidence* socket(const Handle&) const;
    const LockEvidence* lock_of(std::int32_t waiter) const;

private:
    const Evidence& evidence_;
    std::unordered_map<std::int32_t, const ProcessEvidence*> processes_;
    std::unordered_map<std::int32_t, std::vector<const ProcessEvidence*>> children_;
    std::unordered_map<std::uint64_t, const PipeEvidence*> pipes_;
    std::unordered_map<std::uint64_t, const SocketEvidence*> sockets_;
};

bool is_zombie(const ProcessEvidence&);
bool is_stopped(const ProcessEvidence&);

Finding find_of(const Facts&, const ProcessEvidence&);
Finding find_pipe(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_socket(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_lock(const Facts&, const ProcessEvidence&, const ThreadEvidence&);
Finding find_poll(const Facts&, const ProcessEvidence&, const ThreadEvidence&);
Finding find_input(const Facts&, const ProcessEvidence&, const ThreadEvidence&, const Handle&);
Finding find_futex(const Facts&, const ProcessEvidence&);

/// "cargo build (pid 56)".
std::string name_of(const ProcessEvidence&);
/// ", no CPU for 4m12s"; empty where not known.
std::string without_cpu(const Evidence&);
/// How long a sleep is: "1s", "80ms", "1h".
std::string nap_words(Duration);
/// "; last text: Ok to proceed? (y)"; empty where there is none.
std::string last_text(const Evidence&);
/// Since nothing new was written, else since nothing at all.
std::optional<Duration> silence(const Evidence&);
/// Where the listening sockets of the tree are, ":5173, :80"; empty: none.
std::string listening_on(const Evidence&);
/// What to do about it: `next` of a Diagnosis.
std::string next_command(const Evidence&, Verdict);

} // namespace bgt::core::detail
