#pragma once
/// The tree of a task: every process that descends from its main process.
///
/// While its supervisor lives, that is simply every descendant of the supervisor: it is a child
/// subreaper (man 2 prctl, PR_SET_CHILD_SUBREAPER), so no double fork leads out from under it. A
/// supervisor that took over finds the members by the marks they carry.
#include <bgt/os/proc.hpp>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace bgt::os {

/// All living descendants of `ancestor` (not itself, no zombies), parents before children. Reads
/// /proc/PID/task/TID/children where the kernel has it (cost: O(tree)), else all of /proc.
/// Hazard: processes that fork and end meanwhile can be missed: look again until nothing changes;
/// proof that none is left is waitid's ECHILD in the subreaper.
std::vector<ProcStat> descendants_of(std::int32_t ancestor);

/// The same out of another folder of the form of /proc.
class ProcDir;
std::vector<ProcStat> descendants_of(const ProcDir&, std::int32_t ancestor);

/// The same at O(tree), whatever else the machine runs; none of an ancestor that is gone. nullopt:
/// the kernel lists no children (CONFIG_PROC_CHILDREN), and all of /proc has to be read: once for
/// many trees, by a ProcessTable.
std::optional<std::vector<ProcStat>> listed_descendants_of(const ProcDir&, std::int32_t ancestor);

/// `processes` without those whose pid is in `out` and without all that descends from these among
/// them.
std::vector<ProcStat> without_trees(std::vector<ProcStat> processes, std::set<std::int32_t> out);

/// All processes at one moment, for questions about many trees.
class ProcessTable {
public:
    /// Of what all_processes() read.
    ProcessTable(std::vector<ProcStat> processes);
    /// The same as the function of that name, out of this table. Cost: O(tree).
    std::vector<ProcStat> descendants_of(std::int32_t ancestor) const;

private:
    std::vector<ProcStat> processes_;
    std::unordered_map<std::int32_t, std::vector<std::size_t>>
        children_; ///< of each pid, places in processes_
};

/// What identifies a file on this machine.
struct FileId {
    std::uint64_t dev = 0, ino = 0;
    bool operator==(const FileId&) const = default;
};

/// By what the members of a tree can be told when their supervisor is dead.
struct TreeMarks {
    // Proofs. A record that is a copy, or was made up, has none that a living process carries.
    std::string cookie; ///< as in the environment variable BGT_COOKIE; empty: not looked at
    std::uint64_t mark_bits = 0; ///< of the members' RLIMIT_RTTIME (choose_mark); 0: not looked at
    std::optional<FileId>
        folder; ///< set: the cookie proves something only where BGT_TASK_DIR leads to this folder,
                ///< and the mark nothing (an older bgt chose both without regard to the folder)
    // What belongs to the task once a living process has proven that the record is its own.
    ProcessKey main_process;
    FileId fifo; ///< the task's output FIFO: who holds it open belongs to it; 0: not looked at
    std::int32_t session = 0; ///< the main process's session id, which is its pid
};
inline constexpr const char* cookie_variable = "BGT_COOKIE";
inline constexpr const char* folder_variable = "BGT_TASK_DIR";

/// A limit of RLIMIT_RTTIME (man 2 getrlimit) that ends in these bits (the 56 lowest of them), so
/// that no other task has it; 0 where this process may not set one. It is inherited over fork and
/// exec, and read by anybody in /proc/PID/limits, so it marks also daemons that wipe their
/// environment (redis, nginx: their new title is written over it), leave the session and close all
/// descriptors. It bounds the time that a real-time thread runs without sleeping, and is so large
/// (70,000 years or more) that it never does. A task inside a task gets a smaller one: a hard limit
/// can only be lowered.
std::uint64_t choose_mark(std::uint64_t bits);

/// The members of the tree that live, without `except` (the caller, supervisors), and all that
/// descends from them. Nobody is a member unless a living process proves by cookie or mark that the
/// marks are those of a task that runs. Then its main process counts too, who is of its session,
/// and who holds its output FIFO. Nothing that started before the main process counts. A session id
/// counts only together with the same user, and neither when a later process has the leader's pid
/// nor for a process with the cookie of another task (pids are reused). Only processes of the
/// caller's effective user are looked at. Root looks at all, but one of another user counts by the
/// cookie alone: everybody can read a mark and set the same. The main process counts by its mark
/// whoever owns it (su). Hazard: where /proc can't be read (no descriptor left) nothing is found;
/// can_look() tells. Cost: the environment, the limits and the descriptors of every process of this
/// user that started after it are read. Hazard: one look can miss a process that forks or execs
/// meanwhile; look until nothing new is found.
std::vector<ProcStat> find_marked(const TreeMarks&, const std::vector<std::int32_t>& except);

enum class Cookie {
    none,   ///< the environment has no BGT_COOKIE
    others, ///< it has one, without the wanted element
    ours,   ///< the wanted cookie is one of its elements
};
/// Looks into the text of /proc/PID/environ. The variable holds a colon-separated list, one cookie
/// for each task around the process; an element is matched whole.
Cookie find_cookie(std::string_view environment, std::string_view wanted);

/// CPU and memory of several processes together.
struct Usage {
    std::uint64_t cpu_ticks = 0;
    std::uint64_t rss_bytes = 0;
    std::uint32_t processes = 0;
};
Usage usage_of(const std::vector<ProcStat>&);

} // namespace bgt::os
