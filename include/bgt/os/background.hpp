#pragma once
/// Processes that outlive their caller.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

/// Forks a process that belongs to nobody: a session of its own (no terminal, no SIGHUP), "/" as
/// its folder, /dev/null as 0, 1 and 2, none of the caller's descriptors but those in `keep`, and a
/// child subreaper (man 2 prctl, PR_SET_CHILD_SUBREAPER). SIGCHLD, TERM, INT and HUP are blocked in
/// it, to be read by signal_descriptor(); PIPE and XFSZ are ignored; its umask is 077, its
/// arguments are hidden behind `title` (bgt/os/title.hpp). It runs `body`, whose result is its exit
/// code. Returns its pid in the caller. Error: no process could be made. Hazard: the caller must be
/// single-threaded; `body` must not return into the caller's stack (it is ended by _exit).
Result<pid_t> fork_supervisor(const std::vector<int>& keep, const std::string& title,
                              const std::function<int()>& body);

/// In a process of fork_supervisor(): whether it is a child subreaper, without which daemons of the
/// task would escape it. Error: a sandbox refused it.
Result<void> check_subreaper();

/// The name of such a process (man 5 proc, comm).
inline constexpr const char* helper_name = "bgt:helper";

/// Forks a child that works for its supervisor and outlives it by nothing (PR_SET_PDEATHSIG) unless
/// `outlives`: with /dev/null as 0, 1 and 2, no descriptor but those in `keep` (never a task's
/// lock), default signal dispositions but for SIGPIPE, which is ignored, an empty signal mask and a
/// process group of its own. It runs `body`, whose result is its exit code. Hazards: as of
/// fork_supervisor; it is a child of the caller, who reaps it.
Result<pid_t> fork_helper(const std::vector<int>& keep, bool outlives,
                          const std::function<int()>& body);

/// What its descendants leave behind becomes its own (man 2 prctl, PR_SET_CHILD_SUBREAPER).
void adopt_orphans();
/// This signal comes when the parent has ended. False: it is not the parent (any more).
bool signal_at_end_of(pid_t parent, int signal);
/// Whether that process is the parent of this one, which its end changes.
bool is_parent(pid_t);

/// In a helper that outlives its supervisor: only SIGKILL ends it, as a machine that goes down
/// sends SIGTERM to everybody.
void block_signals();

/// Gives memory that was needed for a moment back to the kernel: free pages of the heap, and those
/// of the stack below the caller. For a process that is about to sleep for long.
void give_back_memory();

/// A descriptor from which the signals that fork_supervisor blocked are read; not set where it
/// can't be made (errno).
Fd signal_descriptor();
/// Takes the signals that came off such a descriptor. True: SIGTERM, the wish that this process
/// ends, is among them.
bool take_signals(int signal_descriptor);

/// A child that has been reaped (man 2 waitid).
struct Reaped {
    pid_t pid = 0;
    bool exited = false; ///< else ended by a signal
    int status = 0;      ///< exit code or signal number
    Duration cpu{};      ///< that it and those that it had waited for used
};
struct ReapResult {
    std::vector<Reaped> reaped;
    bool no_children =
        false; ///< ECHILD: nobody is left. In a subreaper this proves that no descendant lives.
};
/// Reaps every child that has ended, without waiting. The one place that reaps in a supervisor.
ReapResult reap_all();
/// CPU of all children that this process has waited for, and of theirs (man 2 getrusage,
/// RUSAGE_CHILDREN).
Duration reaped_cpu();
/// The largest memory that one of them had at a time (resident set, bytes); 0: not known. It is at
/// least that of this process when it forked.
std::uint64_t reaped_max_memory();

} // namespace bgt::os
