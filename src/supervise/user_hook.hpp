#pragma once
/// A command of the user's beside a task: `--on-hang exec:`, `--on-end`, `--on-fail`.
#include "hook_command.hpp"
#include <bgt/store/spec.hpp>
#include <bgt/supervise/recorder.hpp>
#include <string>
#include <vector>

namespace bgt::supervise {

struct UserHook {
    std::string name;        ///< "on-end": in its events
    std::string command;     ///< for /bin/sh -c
    HookVariables variables; ///< besides BGT_TASK_ID, BGT_TASK_DIR, BGT_ROOT and BGT_HOOK
};

/// Whose hooks they are.
struct HookOwner {
    const store::TaskDir& task;
    const store::TaskSpec& spec;
    const std::string& root;             ///< the state root's path
    const std::vector<std::string>& env; ///< of the command; empty: that of this process
    Recorder& recorder;
};

/// Runs it in another process with the environment, the folder (where that is still there) and the
/// umask of the task's command, for a minute at most, and for no longer than this process lives. It
/// is no part of the tree. Its events are written by that other process: `hook`, and `hook-ended`
/// with its code, the end of what it wrote, and what went wrong. The process, whose exit code is 0
/// if nothing did; Error: there is none, which is an event too.
Result<pid_t> start_user_hook(const HookOwner&, const UserHook&);

/// Until these children of this process have ended; SIGTERM to this process, which is taken from
/// `signals`, stops them. False: something went wrong with one of them. Those that were reaped
/// elsewhere are passed over.
bool await_user_hooks(std::vector<pid_t> hooks, int signals);

} // namespace bgt::supervise
