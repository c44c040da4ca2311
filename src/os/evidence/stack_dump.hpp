#pragma once
/// Stacks out of the runtimes that can write them, into the output of the task.
#include <bgt/base/time.hpp>
#include <bgt/core/evidence.hpp>
#include <bgt/os/proc.hpp>
#include <optional>
#include <string_view>

namespace bgt::os {

/// Which signal makes a runtime write its stacks.
struct DumpSignal {
    const char* runtime; ///< "java"
    int signal;
};

/// What is known of a process, for the choice of the signal.
struct RuntimeMarks {
    std::string_view program;      ///< base name of /proc/PID/exe
    std::string_view command_line; ///< arguments, each ended by a NUL
    std::uint64_t caught = 0;      ///< SigCgt of /proc/PID/status
};

/// Only a signal that the process has a handler for and lives through. Java: SIGQUIT prints all
/// threads (man 1 java). Node with --report-on-signal: SIGUSR2. (Go and Python end by theirs, which
/// would take their grace.) nullopt: none.
std::optional<DumpSignal> dump_signal(const RuntimeMarks&);

/// The same of a process that lives.
std::optional<DumpSignal> stack_dump_signal(const ProcStat&);

/// Asks a Java machine (HotSpot, of the same user and with the same /tmp) whether its threads wait
/// for each other's locks, as jstack does: nothing is written to its output. nullopt: it is none,
/// or does not answer before `end`. Hazard: from then on it listens at /tmp/.java_pidN, as after
/// any jstack; one that gets to the signal only after `end` prints its stacks.
std::optional<core::DumpAsked> ask_java(const ProcStat&, Instant end);

/// Sends that signal where one fits; what was sent, or nullopt.
/// Hazard: the runtime writes when it gets to it: read the log a moment later.
std::optional<core::DumpAsked> dump_stacks(const ProcStat&);

} // namespace bgt::os
