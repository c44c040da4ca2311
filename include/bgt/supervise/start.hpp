#pragma once
#include <bgt/store/retention.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::supervise {

struct StartRequest {
    store::TaskSpec spec;         ///< id and cookie are filled in by start()
    std::vector<std::string> env; ///< K=V of the command's environment, without bgt's own additions
    store::Retention retention;   ///< for pruning in passing, after the start
    bool keep_env =
        false;       ///< options gave it some of its environment: it is kept in the task's folder
    Fd caller_stdin; ///< with StdinFrom::caller
};

/// What to do where a running task has the name. use_it and replace refuse a task of another
/// folder, and use_it one with another command: it is somebody else's. The last two do not look.
enum class IfNameTaken : std::uint8_t { fail, use_it, replace, use_any, replace_any };

struct StartResult {
    store::TaskId id;
    bool was_there = false; ///< use_it, use_any: a running task has the name, nothing was started
};

/// A task that exists and has not been launched: its folder holds the specification and the record
/// `starting`, its name is claimed, and it is marked active.
struct Created {
    store::TaskDir task; ///< with its lock
    std::optional<store::TaskId>
        was_there; ///< use_it: a running task has the name, nothing was made
    std::optional<store::TaskId> name_before; ///< who had the name until now
};

/// Takes an id and makes the task. Fills in the id, the date and the marks of the specification.
/// `env` is where a command is looked for before the task with the name is replaced;
/// `keep_env`: it is also written into the folder. Error: nothing is left of the attempt. Hazard:
/// files are made with the caller's umask; see start().
Result<Created> create(store::Root&, store::TaskSpec&, const std::vector<std::string>& env,
                       IfNameTaken, bool keep_env);

struct LaunchRequest {
    store::TaskSpec spec;         ///< as create() has written it
    std::vector<std::string> env; ///< K=V of the command's environment, without bgt's own additions
    store::Retention retention;
    Fd caller_stdin = {};               ///< with StdinFrom::caller
    std::function<void()> prepare = {}; ///< called in the supervisor before anything else: what of
                                        ///< this process is not the caller's
};

/// Executes the command of a task that create() has made: takes its lock, unless `task` has it, and
/// forks a supervisor. Returns once the command has been exec'd. On an error it was not, and the
/// record says so: `starting` with a free lock, or failed-to-start. Hazards: as of start().
Result<void> launch(store::Root&, store::TaskDir, LaunchRequest);

/// Whether a task keeps its name from others: it runs, is being made, or waits in a queue.
bool is_used(const store::Root&, store::TaskId);

/// The folder of a task that waited in a queue, where nobody finds it yet: its id is in the
/// specification, and its name, if it has one, is claimed already. Fills in the marks. `kept_env`:
/// what is to be kept of its environment, or null. Error: nothing is left of it.
Result<store::TaskDir> begin_waiting(store::Root&, store::TaskSpec&,
                                     const std::vector<std::string>* kept_env);
/// Puts it in its place, marked as active. Error: it is where it was before.
Result<void> publish_waiting(store::Root&, const store::TaskDir&);
/// Forks the supervisor of a task that has its lock, and does not wait for what comes of it: the
/// record tells (starting with a free lock: the command was not executed). Returns the supervisor's
/// pid, which the caller reaps.
Result<pid_t> launch_detached(store::Root&, store::TaskDir, LaunchRequest);
/// The folder of a task that will never start: it has ended as not-started for that reason. Does
/// nothing where it is there.
Result<void> record_not_started(store::Root&, store::TaskSpec, core::Reason,
                                const std::vector<std::string>* kept_env);

/// What every supervisor that comes of this process does when its task has ended, right before its
/// own end: it must not throw. There is one for the whole program, as a supervisor may come of any
/// verb that recovers a task.
using EndHook = void (*)(const store::Root&);
void on_every_end(EndHook);
void run_end_hook(const store::Root&);

/// create() and launch(): folder, supervisor, command. Returns once the command has been exec'd; on
/// an error (no_command 127, cannot_exec 126, failed 125) nothing is left of the attempt, and its
/// id is not used again. Hazard: forks. The caller must be single-threaded, and holds nothing the
/// supervisor needs.
Result<StartResult> start(store::Root&, StartRequest, IfNameTaken);

} // namespace bgt::supervise
