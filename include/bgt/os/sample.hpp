#pragma once
/// Looking at a tree for its signs of life (core/activity.hpp). Cheap: stat and io of each process,
/// what a sleeping one waits for by /proc/PID/syscall; sockets only when asked for.
#include <bgt/core/activity.hpp>
#include <bgt/os/proc.hpp>
#include <optional>
#include <span>

namespace bgt::os {

/// The FIFOs of the task that a process reads only if it wants input: its stdin, and its output, as
/// an editor whose stdin is at its end turns to stderr. By these a read is told from a read of any
/// other pipe; zeros: there is none.
struct StdinFifo {
    std::uint64_t dev = 0, ino = 0;
    std::uint64_t out = 0, err = 0; ///< inodes, of the same folder

    bool is(std::uint64_t other_dev, std::uint64_t other_ino) const
    {
        return other_ino != 0 && other_dev == dev &&
               (other_ino == ino || other_ino == out || other_ino == err);
    }
};

/// One look at these processes (members of a tree, as os::descendants_of or find_marked gives them)
/// and at children of their main threads that are not among them (zombies). What may not be read
/// counts as nothing. Reads of pages and writes to storage are /proc/PID/io's read_bytes +
/// write_bytes; where these stay 0 (tmpfs) rchar + wchar of regular files can't be told apart from
/// pipes, and do not count. reaped_cpu is that of all children that this very process has waited
/// for (getrusage), helpers of its own as well: two looks that are compared have to be taken by one
/// process, and what helpers used is for it to take off. Cost: some 40 microseconds a process.
core::Sample take_sample(std::span<const ProcStat> members, const StdinFifo&);

/// Adds how long processes have waited for a CPU: of those that are runnable now or were so
/// `before`, and of those with several threads that have used CPU since. Costs nothing for the
/// others.
void add_cpu_waits(core::Sample&, const core::Sample* before);
/// The same of one process, of all its threads (some hundreds at most); nullopt: the kernel does
/// not tell.
std::optional<Duration> cpu_wait_of(std::int32_t pid);

/// Adds the bytes of the tree's TCP sockets (sock_diag, INET_DIAG_INFO: tcpi_bytes_received,
/// tcpi_bytes_acked), those of this network namespace. sockets_known stays false where the kernel
/// refuses. Cost: a readlink for each descriptor of each process; where there is a socket among
/// them, a dump of all the machine's.
void add_sockets(core::Sample&, std::span<const ProcStat> members);

} // namespace bgt::os
