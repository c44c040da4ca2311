#pragma once
/// Starting the command of a task.
///
/// Why not a launcher of Boost.Process here: those of 1.81 neither start a session nor reset
/// signals, run Asio's fork hooks in the child, and end a failed exec with exit(3), which prints
/// buffered output twice. Here every microsecond of `bgt run` is spent; vfork(2) spares the copy of
/// the page tables.
#include <array>
#include <bgt/base/process_key.hpp>
#include <bgt/base/resource_limit.hpp>
#include <bgt/base/result.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

/// What is put on record by the new process itself, so that nobody who dies meanwhile leaves it
/// open whether the command was executed. Hazard: called in the child of vfork(2), where nothing
/// may allocate, lock or throw. What it changes in memory, the parent sees.
class StartLog {
public:
    virtual ~StartLog() = default;
    /// Right before the command is executed. `start_ticks` is 0 where /proc can't be read. 0, or
    /// the errno for which it must not be executed.
    virtual int about_to_exec(std::int32_t pid, std::uint64_t start_ticks) noexcept = 0;
    /// It could not be executed after all.
    virtual void exec_failed() noexcept = 0;
};

struct SpawnRequest {
    const std::vector<std::string>& argv;
    const std::vector<std::string>& env; ///< K=V; its PATH is searched for argv[0] (man 3 execvp)
    std::string cwd;
    int stdin_fd = -1; ///< become 0, 1 and 2 of the command
    int stdout_fd = -1;
    int stderr_fd = -1;
    /// Paths of FIFOs that the command holds open for reading, each by a descriptor with a high
    /// number, so that writing to them neither fails nor raises SIGPIPE after the death of their
    /// reader. Null: none.
    std::array<const char*, 2> held_fifos{};
    mode_t umask = 022;
    std::optional<int> nice;
    const std::vector<ResourceLimit>& limits;
    StartLog* log = nullptr;
};

/// Starts it in a session of its own, with default signal dispositions and an empty signal mask,
/// and no descriptor beyond 0-2 and those of held_fifos (all others of the caller must be
/// close-on-exec). Returns once exec has succeeded or failed. The start time in its key is 0 where
/// /proc can't be read. Error: no_command (127), cannot_exec (126: not executable, a folder, not a
/// program), failed (125: working directory, limit, no process or memory left, the log refused).
/// Hazard: the calling thread sleeps until the exec (man 2 vfork).
Result<ProcessKey> spawn(const SpawnRequest&);

/// Whether spawn() would find the command, as far as that can be told beforehand. Error: as spawn()
/// would give it; failed (125): the file system could not be asked.
Result<void> check_command(const std::string& argv0, const std::vector<std::string>& env,
                           const std::string& cwd);

/// The number of a limit's name as `--limit` takes it ("nofile" -> RLIMIT_NOFILE); nullopt: no such
/// limit.
std::optional<int> resource_of(std::string_view name);

} // namespace bgt::os
