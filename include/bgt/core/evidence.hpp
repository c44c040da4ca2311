#pragma once
/// What a tree was doing at one moment, as far as it can be seen from outside: the facts of a hang
/// report. Data only; who gathers it is no matter here (os/evidence.hpp), what it means is
/// diagnosis.hpp.
///
/// Every text may come from a hostile program. It is valid UTF-8 without control characters once it
/// is in here (the gatherer's duty), and every list is bounded (the constants below); what did not
/// fit is counted.
#include <bgt/base/time.hpp>
#include <bgt/core/policy.hpp>
#include <bgt/core/task.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

inline constexpr std::size_t max_processes_shown = 64;
inline constexpr std::size_t max_threads_shown = 32; ///< of each process
inline constexpr std::size_t max_handles_shown = 8;  ///< of each thread
inline constexpr std::size_t max_ends_shown = 8;     ///< processes at one side of a pipe
inline constexpr std::size_t max_sockets_shown = 64;
inline constexpr std::size_t max_waits_shown = 32; ///< locks, and pipes
inline constexpr std::size_t max_lines_shown = 40;
inline constexpr std::size_t max_line_columns = 200;

/// Families of system calls in which a thread can wait.
enum class Call : std::uint8_t {
    unknown, ///< not to be read (another user's process), or none of these
    running, ///< in no system call
    read,    ///< read, readv, pread
    write,   ///< write, writev, sendfile, splice
    receive, ///< recvfrom, recvmsg
    send,    ///< sendto, sendmsg
    connect,
    accept,
    poll,       ///< poll, select, epoll: several descriptors at once
    futex,      ///< a mutex, a condition or the end of a thread
    wait_child, ///< wait4, waitid
    sleep,
    lock,   ///< flock, fcntl with F_SETLKW
    open,   ///< open, openat: a FIFO without its other end, or a file system that does not answer
    signal, ///< pause, sigsuspend, sigtimedwait
    ipc,    ///< System V and POSIX queues and semaphores
    sync,   ///< fsync and the like
};

/// What a descriptor is.
enum class HandleKind : std::uint8_t {
    other,
    terminal,
    pipe,
    fifo,
    socket,
    file,
    device,
    master,  ///< the side of a pseudoterminal from which the programs in it are driven: no terminal
             ///< to type at
    event,   ///< eventfd: the threads of one program wake each other with it
    timer,   ///< timerfd
    signals, ///< signalfd
    watch,   ///< inotify or fanotify: changes of files
    process, ///< pidfd: the end of a process
};

/// A descriptor that a thread waits for.
struct Handle {
    std::int32_t fd = -1; ///< -1: not open yet (Call::open)
    HandleKind kind = HandleKind::other;
    std::string text; ///< "/dev/pts/3", "pipe:[123]", "/tmp/queue"
    std::uint64_t inode = 0;
    bool task_stdin = false; ///< a FIFO of the task that is read for input only (os::StdinFifo)
    std::int32_t number =
        -1; ///< terminal and master: of the pseudoterminal (N of /dev/pts/N); process: its pid
    bool raw = false; ///< terminal: gives each key at once, as menus and editors want it
    bool operator==(const Handle&) const = default;
};

struct ThreadEvidence {
    std::int32_t tid = 0;
    std::string name;
    char state = '?';  ///< of man 5 proc
    std::string wchan; ///< where in the kernel; empty: not known
    Call call = Call::unknown;
    std::string call_name; ///< "recvfrom"; empty: not known
    std::vector<Handle> handles;
    bool writes_wanted = false; ///< Call::open: for writing, so that a reader is waited for
    std::uint64_t futex = 0;    ///< its address; Call::ipc: the id of the queue or the semaphores
    bool futex_shared = false;  ///< another process might wake it
    /// The thread that holds the mutex there, as the C library notes it in the mutex; 0: no mutex,
    /// or not known.
    std::int32_t futex_owner = 0;
    std::optional<Duration> timeout; ///< of the call; absent: none, or not known
    bool operator==(const ThreadEvidence&) const = default;
};

struct ProcessEvidence {
    std::int32_t pid = 0;
    std::int32_t ppid = 0;
    std::string comm;
    std::string command; ///< its command line
    char state = '?';
    Duration age{};
    Duration cpu{}; ///< since its start
    std::optional<Duration>
        recent_cpu; ///< within Evidence::recent_span; absent: it was not looked at before
    std::int32_t stop_signal = 0; ///< state T: what stopped it; 0: not known
    std::vector<ThreadEvidence> threads;
    std::uint32_t thread_count = 0; ///< more than `threads` holds where some did not fit
    std::vector<std::string> stdio; ///< what descriptors 0 to 2 are
    std::int32_t tracer = 0;        ///< its debugger; 0: none
    std::string tracer_comm;
    /// "go": its program was made by Go, whose runtime has threads that wait with dates of their
    /// own; empty: not known.
    std::string runtime;
    std::vector<std::int32_t> catches; ///< signals for which it has a handler, of 1 to 31; looked
                                       ///< for where threads wait in futexes
    /// Bytes that it read and wrote within Evidence::recent_span, from whatever and to whatever.
    std::optional<std::uint64_t> recent_read, recent_written;
    /// How long it could have run within Evidence::recent_span and got no CPU; absent: not known.
    std::optional<Duration> recent_wait{};
    std::int32_t nice = 0; ///< -20 to 19; the higher, the less CPU it gets
    /// State Z: it ended at least this long ago; absent: it was not looked at before.
    std::optional<Duration> ended_for{};
    bool operator==(const ProcessEvidence&) const = default;
};

struct SocketEvidence {
    std::int32_t pid = 0;
    std::int32_t fd = -1;
    std::uint64_t inode = 0;
    std::string kind;                     ///< "tcp", "udp", "unix"
    std::string local;                    ///< "10.0.0.2:51234", "[::1]:80", "/run/x.sock"
    std::string peer;                     ///< empty: none
    std::string state;                    ///< "ESTABLISHED", "SYN-SENT", "LISTEN", "CLOSE-WAIT"
    std::uint64_t receive_queue = 0;      ///< bytes that came and were not read
    std::uint64_t send_queue = 0;         ///< bytes that the peer has not confirmed
    std::optional<Duration> received_ago; ///< since the last data came; TCP only
    std::int32_t peer_pid = 0;            ///< unix: who holds the other end, where that can be told
    std::string peer_comm;
    std::string peer_command{}; ///< of a process outside of the tree for which a thread waits;
                                ///< empty: not known
    std::optional<double> peer_share{}; ///< of a core, that it used while the report was made
    std::uint64_t received = 0;         ///< bytes that have come since it was connected; TCP only
    bool peer_unseen = false;           ///< not every process was looked at for the other end
    bool operator==(const SocketEvidence&) const = default;
};

struct LockEvidence {
    std::int32_t waiter = 0;
    std::int32_t holder = 0; ///< 0: not found
    std::string holder_command;
    std::string kind; ///< "flock", "fcntl", "ofd", "semaphore"
    std::string path; ///< empty: not found
    /// The waiter is in no call for the lock: it sleeps now and then, and has open what another has
    /// locked.
    bool polled = false;
    bool operator==(const LockEvidence&) const = default;
};

/// A process that has one side of a pipe open.
struct PipeEnd {
    std::int32_t pid = 0;
    std::string comm;
    bool inside = false; ///< belongs to the tree
    bool operator==(const PipeEnd&) const = default;
};

/// A pipe, FIFO or pseudoterminal on which somebody waits, with both its sides. Of a pseudoterminal
/// the readers hold the master, and the writers the terminal.
struct PipeEvidence {
    std::uint64_t inode = 0;
    std::string text;         ///< as in Handle
    bool task_output = false; ///< the FIFO that the supervisor drains
    std::vector<PipeEnd> readers;
    std::vector<PipeEnd> writers;
    std::int32_t terminal = -1; ///< N of /dev/pts/N; -1: no pseudoterminal
    bool all_seen = true;       ///< false: processes outside of the tree were not all looked at
    bool operator==(const PipeEvidence&) const = default;
};

struct MachineEvidence {
    std::optional<double> load; ///< mean of one minute
    std::uint32_t cores = 0;
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::uint64_t> memory_free;     ///< what programs could still get
    std::optional<std::uint64_t> disk_free;       ///< where the task works
    std::optional<std::uint64_t> state_disk_free; ///< where its log is written
    bool operator==(const MachineEvidence&) const = default;
};

/// A signal by which a runtime was asked to write its stacks to the task's output.
struct DumpAsked {
    std::int32_t pid = 0;
    std::string comm;
    std::string runtime;     ///< "java"
    std::int32_t signal = 0; ///< 0: it was asked in another way, and wrote nothing to the output
    std::optional<bool> deadlock; ///< whether the dump tells of one; absent: it doesn't say, or was
                                  ///< not seen in time
    bool operator==(const DumpAsked&) const = default;
};

/// How long ago; absent: never, or not looked at.
struct Ages {
    std::optional<Duration> byte, text, cpu, io, heartbeat;
    /// Between the look that found them and the one before: CPU was last used between `cpu` and
    /// `cpu + cpu_span` ago.
    std::optional<Duration> cpu_span, io_span;
    bool operator==(const Ages&) const = default;
};

struct Evidence {
    // Of the world:
    WallTime at{};
    std::vector<ProcessEvidence> processes; ///< parents before children
    std::uint32_t more_processes = 0;       ///< that did not fit
    std::optional<Duration> recent_span;    ///< between the look before and this one
    std::vector<SocketEvidence> sockets;
    std::vector<LockEvidence> locks;
    std::vector<PipeEvidence> pipes;
    MachineEvidence machine;
    std::vector<std::string> output; ///< its last lines as a person would see them
    bool unfinished_line = false;    ///< the last of them has no newline: perhaps a prompt
    std::vector<DumpAsked> dumps;
    bool complete = true; ///< false: the time for gathering was over first
    std::vector<std::string>
        unseen; ///< pieces that did not come in their time: "sockets", "process 812"

    // Of the task, which its supervisor knows:
    std::int64_t task_id = 0;
    std::string task_name;
    Kind kind = Kind::job;
    std::optional<Reason> rule;    ///< that fired; none: a notice, or a person asked
    std::optional<Duration> limit; ///< of that rule
    Activity activity = Activity::unknown;
    bool paused = false;                ///< by `bgt pause`
    bool takes_input = false;           ///< `bgt send` reaches its stdin
    std::vector<std::string> not_ready; ///< conditions of its readiness that do not hold, each with
                                        ///< what is there instead
    Ages ages;
    bool operator==(const Evidence&) const = default;
};

/// Whether an age of Ages is one: where the look before was long ago, only the time since the last
/// one is known.
bool is_exact(const std::optional<Duration>& age, const std::optional<Duration>& span);

std::string_view to_string(Call);       ///< "wait-child"
std::string_view to_string(HandleKind); ///< "terminal"

} // namespace bgt::core
