#pragma once
#include <bgt/base/time.hpp>
#include <bgt/core/event_table.hpp>
#include <bgt/store/root.hpp>

namespace bgt::store {

struct Retention {
    std::size_t keep_ended = 1000;                   ///< the newest ended tasks that stay
    std::optional<Duration> keep_age = std::nullopt; ///< ended longer ago: removed
    /// Also look at every task and name for what a crash left: some milliseconds for a thousand
    /// tasks. False for pruning in passing, which lists two folders and reads only what it is about
    /// to remove.
    bool thorough = true;
    std::size_t history_max = 100'000; ///< records of the history that stay; 0: there is none
    /// Of what a task does, the event stream gets what is at least as severe.
    core::EventLevel log_level = core::EventLevel::info;
};

struct Pruned {
    std::size_t removed = 0;
    std::uint64_t bytes = 0;           ///< disk space given back
    std::vector<std::string> problems; ///< one message for each task that could not be removed
    std::vector<TaskId> ids;           ///< removed (or that would be, with dry_run)
};

/// Removes ended tasks beyond what is to be kept, the oldest first. A task that is not ended, is
/// locked by a supervisor, or can't be read is left alone. Also clears what a crash left: names and
/// markers without a task, folders that were never started and are not locked. Several at once do
/// no harm. The queues are told of each end before (EndTeller), for which `boot` is that of now.
Result<Pruned> prune(Root&, const Retention&, WallTime now, bool dry_run = false,
                     const BootId& boot = {});

} // namespace bgt::store
