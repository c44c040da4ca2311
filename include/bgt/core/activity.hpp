#pragma once
/// Signs of life of a tree, told apart: what it used between two samples, and what that says of it.
/// Pure: a sample is data.
#include <bgt/base/time.hpp>
#include <bgt/core/policy.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace bgt::core {

/// What a sleeping process waits for, as far as it matters here.
enum class WaitsFor : std::uint8_t {
    other,       ///< anything else, or not known
    input,       ///< it reads a terminal, or the stdin that `bgt send` writes to
    maybe_input, ///< it polls several descriptors, a terminal or that stdin among them
    sleep,       ///< the end of a time, and nothing else
};

/// One process of the tree at one moment.
struct ProcessSample {
    std::int32_t pid = 0;
    std::uint64_t start = 0; ///< with pid the key: a later process with the same pid has another
    std::int32_t ppid = 0;
    char state = '?';      ///< of man 5 proc: R S D Z T t X I
    Duration cpu{};        ///< its own, since it started
    Duration reaped_cpu{}; ///< of its children that have ended and were waited for, and of theirs
    std::uint64_t reaped_faults =
        0; ///< page faults of its children that were waited for: whether there were any
    std::uint64_t disk_bytes = 0; ///< read from and written to storage or files (see os/sample.hpp)
    /// Through read(2), write(2) and their like, from and to whatever, its reaped children's with
    /// it. Bytes that came by recv(2) or went by send(2) are not counted.
    std::uint64_t read_bytes = 0, written_bytes = 0;
    WaitsFor waits_for = WaitsFor::other;
    bool stopped_for_terminal =
        false; ///< state T, with SIGTTIN or SIGTTOU as the cause as far as can be told
    std::int32_t threads = 1;
    /// How long its threads have waited for a CPU since they started, the sum. Absent: not read, or
    /// the kernel does not count it (man 5 proc: schedstat).
    std::optional<Duration> cpu_wait{};
};

struct SocketSample {
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0; ///< received and sent since it was made
};

struct Sample {
    Instant at{};
    std::uint64_t start_now = 0; ///< `at` in the unit of ProcessSample::start
    std::vector<ProcessSample> processes;
    Duration reaped_cpu{}; ///< of orphans that the supervisor itself has waited for
    std::vector<SocketSample> sockets;
    std::uint64_t output_bytes = 0; ///< that the task has printed so far
    bool sockets_known = false;     ///< sockets are listed only where the rest does not say `busy`
};

/// What was used between two samples.
struct Used {
    Duration span{};
    Duration cpu{};
    std::uint64_t disk_bytes = 0;
    std::uint64_t net_bytes = 0;
    std::uint64_t written_bytes =
        0; ///< into pipes, local sockets and files, and no output of the task
    std::uint64_t read_bytes = 0; ///< of the same
};

/// Sums of differences by process, never differences of sums: a process that ends takes nothing
/// away; its CPU shows in the reaped_cpu of whoever waited for it, from which what was counted of
/// it before is taken off. A process that started after `before` counts with all it used; one that
/// was only not seen before (it is older) begins to count now. No counter that runs backwards
/// counts (pid reuse, a damaged /proc).
///
/// `cpu` is at most what was used, with two exceptions: what the counters had not yet shown at
/// `before` (man 5 proc counts whole ticks, of each counter) shows when the process has ended, and
/// one that ended without having been seen in `before` counts with its history, as nothing tells
/// how long it was. It is less where nobody waited for a process (SIGCHLD ignored: its end is lost,
/// and what was counted of it may hide as much of its siblings), and by what an older process did
/// before it was first seen. written_bytes is what each process wrote beyond what the task printed
/// meanwhile, as every byte of output is written once by each process that hands it on. read_bytes
/// leaves out who sleeps between its reads, and who waited for a child, as the start of a program
/// is a read too. disk_bytes and net_bytes of a process or socket that ended are lost; a socket
/// that is new in `now` counts whole, as its age is not known.
Used compare(const Sample& before, const Sample& now);

/// How long a process could have run since `before` and got no CPU; at most that span. A kernel
/// counts a wait when it is over: who was runnable at both looks, and has counted nothing, waited
/// all the time. absent: not known.
std::optional<Duration> waited_for_cpu(const Sample& before, const ProcessSample& now,
                                       Duration span);
/// The share of a span from which on such a wait is work that a loaded machine does not let go on.
inline constexpr double starved_share = 0.5;

inline constexpr double busy_cpu = 0.01; ///< of one core
/// And no less than this between two samples that are close together: CPU is counted in ticks of 10
/// ms as a rule, and a loop that forks a `sleep` now and then must not seem busy because a tick
/// fell into it.
inline constexpr Duration min_busy_cpu = std::chrono::milliseconds(25);
inline constexpr double busy_disk = 4096; ///< bytes a second
inline constexpr double busy_net = 1024;
/// As much as a network's is work. Reads count for less: who polls reads the same again and again.
inline constexpr double busy_written = 1024;
inline constexpr double busy_read = 8192;

/// The verdict. `unfinished_line`: the output ends in the middle of a line (a prompt), which makes
/// `maybe_input` waiting_input. busy comes before all else, and is also who waits for a CPU
/// (starved_share); waiting_input, stopped (every living
/// process), unkillable (one process in D in both samples and nothing used), zombie (no other
/// process) before trickle and blocked. unknown: there is no process. Hazard: CPU is counted in
/// ticks of 10 ms, so samples less than 2 s apart take a single tick for `busy`.
Activity classify(const Used&, const Sample& before, const Sample& now, bool unfinished_line);

} // namespace bgt::core
