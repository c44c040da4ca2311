#pragma once
/// What can be kept of a damaged queue/journal or queue/settings.
#include <bgt/base/process_key.hpp>
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::store {

struct Repair {
    std::size_t waiting = 0;      ///< tasks that wait now; all of them are held
    std::size_t schedules = 0;    ///< all of them are paused
    std::size_t places = 0;       ///< of the journal that could not be read
    std::uint64_t lost_bytes = 0; ///< in them
    /// Its head is so damaged that nobody can tell whether it was written for this state root: what
    /// it holds may have been started in another one.
    bool is_of_unknown_root = false;
    std::size_t lost_tasks = 0; ///< and schedules, of which nobody knows what they were to run
    std::vector<TaskId> without_dependency; ///< that wait for a lost one: to be released by hand
    std::vector<std::string> kept; ///< paths of the damaged files, which have another name now
};

/// Puts a journal in the place of a damaged one that holds every record of it that can be read, and
/// moves damaged settings away. Among what can't be read may be that a task was cancelled, held or
/// started: so all that wait are held, and one with a folder counts as started. What waits for a
/// lost task is held as well, and not dropped: whether that ran nobody knows. Nothing is damaged:
/// does nothing. Error: a newer bgt wrote the journal, or for another folder; the disk is full.
Result<Repair> repair_queues(const Root&, const BootId& boot);

} // namespace bgt::store
