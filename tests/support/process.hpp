#pragma once
/// Looks at other processes through /proc, and ends them.
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::test {

/// Whether the process is there and no zombie.
bool is_alive(pid_t pid);
/// One letter, as in /proc/PID/stat; 0: no such process.
char state_of(pid_t pid);
/// /proc/PID/environ, each entry one string; empty where it may not be read.
std::vector<std::string> environment_of(pid_t pid);
/// What the descriptors of the process are, as "3 /path".
std::vector<std::string> descriptors_of(pid_t pid);
pid_t parent_of(pid_t pid);
/// All living descendants, by the parents that /proc names.
std::vector<pid_t> descendants_of(pid_t ancestor);
/// Everybody in /proc but this process.
std::vector<pid_t> all_pids();

/// Living processes that have `mark` somewhere in their environment or in the path of an open file.
std::vector<pid_t> find_marked(const std::string& mark);
/// Living processes of a task (with BGT_COOKIE) whose environment holds `mark`: supervisors are not
/// among them.
std::vector<pid_t> find_task_members(const std::string& mark);
/// SIGKILL to all that have the mark, until nobody is left. For the end of a test.
void kill_marked(const std::string& mark);

} // namespace bgt::test
