#pragma once
/// Stacks out of the runtimes that can write them, into the output of the task.
#include <bgt/core/evidence.hpp>
#include <bgt/os/proc.hpp>
#include <optional>
#include <string_view>

namespace bgt::os {

/// Which signal makes a runtime write its stacks.
struct DumpSignal {
    const char* runtime; ///< "java"
    int signal;
    bool ends_it;        ///< the process ends by it
};

/// What is known of a process, for the choice of the signal.
struct RuntimeMarks {
    std::string_view program;      ///< base name of /proc/PID/exe
    std::string_view command_line; ///< arguments, each ended by a NUL
    std::string_view environment;  ///< the same of its variables, as at its start
    std::uint64_t caught = 0;      ///< SigCgt of /proc/PID/status
    bool is_go = false;            ///< the executable was built by Go
};

/// Only signals that the process has a handler for. Java: SIGQUIT prints all threads (man 1 java). Node with
/// --report-on-signal: SIGUSR2. Go: SIGQUIT, and it ends. Python with PYTHONFAULTHANDLER or -X faulthandler: SIGABRT, and
/// it ends. nullopt: none.
std::optional<DumpSignal> dump_signal(const RuntimeMarks&);

/// Sends that signal where one fits; what was sent, or nullopt. Never one that ends the process unless SIGKILL is what
/// comes next anyway: before that it has its grace.
/// Hazard: the runtime writes when it gets to it: read the log a moment later.
std::optional<core::DumpAsked> dump_stacks(const ProcStat&, bool going_to_be_killed);

} // namespace bgt::os
