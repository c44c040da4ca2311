#pragma once
/// What the starts of tasks share: those of `bgt run` and those from a queue.
#include <bgt/supervise/start.hpp>

namespace bgt::supervise {

/// Writes the folder of the new task: `starting`, under a held lock. Fills in by what its tree is
/// found without a supervisor. `kept_env`: the environment that is kept with it, or null.
Result<void> write_folder(const store::TaskDir&, store::TaskSpec&,
                          const std::vector<std::string>* kept_env);
/// Takes its lock, unless it is held already. Error besides: another process has it.
Result<void> take_lock(store::TaskDir&);
/// A supervisor was killed before it could say a word. Its task's record tells whether the command
/// was executed.
Result<void> recover_launch(store::Root&, store::TaskId);
/// The supervisor's life, in the process that fork_supervisor made. `report`: where somebody waits
/// for what comes of the start (ChildReport), else empty.
int supervise_new(store::Root, store::TaskDir, LaunchRequest, Fd report);

} // namespace bgt::supervise
