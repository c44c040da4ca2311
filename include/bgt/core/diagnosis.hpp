#pragma once
/// What the evidence means, in one sentence. Pure: the same evidence gives the same words.
#include <bgt/core/evidence.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::core {

/// Why a tree makes no progress, or that it works.
enum class Verdict : std::uint8_t {
    unknown,           ///< nothing could be seen
    waiting_input,     ///< reads a terminal or its stdin, or was stopped because it wanted to
    stopped,           ///< by a signal
    deadlock,          ///< all threads wait for each other, or processes do in a circle
    unkillable,        ///< waits in the kernel for a device or a file system
    waits_lock,        ///< for a file lock that another holds
    waits_pipe_reader, ///< writes into a pipe that nobody drains
    connecting,        ///< to a peer that does not answer
    waits_network,     ///< for data of a peer
    waits_peer,        ///< for another process of this machine, by a socket
    waits_pipe_writer, ///< reads a pipe or FIFO into which nobody writes
    waits_file,        ///< for a change of a file (inotify)
    zombie_parent,     ///< does not take note of a child that has ended
    waits_child,       ///< for a child of which nothing more can be said
    polling,           ///< looks again and again, with sleeps between
    sleeping,          ///< in one long sleep
    spinning,          ///< uses CPU or writes, and says nothing new
    idle,              ///< waits for connections, as a server does
    busy,              ///< works
    blocked,           ///< waits, for something that can't be told
};
std::string_view to_string(Verdict); ///< "waits-network"

/// How much the evidence carries.
enum class Certainty : std::uint8_t {
    sure,   ///< the kernel itself says so
    likely, ///< nothing contradicts it, but something could not be seen or may be otherwise
    unsure, ///< something contradicts it
};
std::string_view to_string(Certainty);

struct Diagnosis {
    Verdict verdict = Verdict::unknown;
    std::string sentence; ///< "waiting for input: npx (pid 812) reads its terminal; last text: Ok
                          ///< to proceed? (y)"
    std::string next;     ///< a command to copy: "bgt send 7 y"
    std::string hint;     ///< words that go with it; may be empty
    std::int32_t pid = 0; ///< of the process that is stuck; 0: none
    Certainty certainty = Certainty::likely;
    std::string doubt; ///< what keeps it from being sure; empty where it is
    /// From the main process to the one that is stuck, each line a process and what it waits for.
    /// Empty: that is the main process itself, or no chain leads there.
    std::vector<std::string> chain;
    bool operator==(const Diagnosis&) const = default;
};

/// From the main process down through those that only wait for others, to who is really stuck.
/// Nobody is accused on thin evidence: a tree that works is `busy`, a server that waits for
/// connections is `idle`, and what can't be told is `blocked`.
Diagnosis diagnose(const Evidence&);

/// A Java machine all of whose threads wait for locks, conditions or the like: it knows itself
/// whether they wait for each other.
bool may_be_java_deadlock(const ProcessEvidence&);

/// What an earlier report of the same task knew and stays true: threads that a Java machine has
/// found to wait for each other's locks do so for the life of the process.
void recall(Evidence&, const Evidence& earlier);

/// Both together: what is stored and shown.
struct Report {
    Evidence evidence;
    Diagnosis diagnosis;
    bool operator==(const Report&) const = default;
};

/// What one thread of the process waits for, in few words for a table: "reads pipe:[12]", "futex",
/// "wait4", "sleeps 30s".
std::string wait_words(const ProcessEvidence&);

} // namespace bgt::core
