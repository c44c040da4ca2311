#pragma once
/// What several verbs answer alike.
#include <bgt/cli/context.hpp>
#include <bgt/cli/select.hpp>
#include <bgt/supervise/snapshot.hpp>
#include <functional>
#include <vector>

namespace bgt::cli {

/// {"schema":1,"tasks":[...]} of these tasks, as they are now, on stdout.
void print_tasks_json(Context&, store::Root&, const std::vector<store::TaskId>&);
void print_snapshots_json(Context&, const std::vector<supervise::Snapshot>&);

/// Does `act` for each; an error is told and the others go on. The exit code of the first error, those of the selection before
/// all others, or 0.
int for_each_task(Context&, const Selected&, const std::function<Result<void>(store::TaskId)>& act);

/// Removes an ended task with its log, or one whose record is damaged, and returns the disk space given back, in bytes.
/// Waits up to 2 s for its supervisor to let go of it.
/// Error: it is not ended, or somebody holds its lock (and says what to do).
Result<std::uint64_t> remove_ended(store::Root&, store::TaskId);

/// Nothing of it runs any more: ended, and no leftover was kept.
bool is_gone(const store::Status&);
/// SIGKILL was sent and has not ended all of it.
bool has_survivors(const store::Status&);

/// "exit 0", "SIGTERM", "lost", "failed to start": how a task ended.
std::string end_in_words(const store::Status&);
/// "7 web", or "7" for a task without a name.
std::string label(store::TaskId, const store::Status&);
/// "1 process", "5 processes".
std::string counted(std::size_t n, std::string_view one, std::string_view many);

} // namespace bgt::cli
