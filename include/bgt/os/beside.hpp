#pragma once
/// Processes that do not belong to the tree of the one that makes them.
#include <bgt/base/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bgt::os {

/// Forks a process that is a child of the caller's parent (man 2 clone, CLONE_PARENT), and so no
/// descendant of the caller, also where that is a child subreaper. It runs `body` and ends. Error:
/// no process could be made. Hazards: the caller must be single-threaded, and does not reap it;
/// `body` must do little but fork, as the C library takes its thread for the caller's.
Result<void> fork_beside(const std::function<void()>& body);

/// The nearest process above that one which supervises a task (it calls itself `bgt:ID`): the pid;
/// nullopt: there is none, or /proc can't be read.
std::optional<std::int32_t> supervisor_above(std::int32_t pid);

/// By what of two processes one is confined or privileged and the other is not: user, groups,
/// capabilities, no_new_privs, seccomp, namespaces, root folder, security label. In words, as in
/// "no_new_privs"; nullopt: by nothing that can be seen.
std::optional<std::string> confined_otherwise(std::int32_t one, std::int32_t other);

/// Overwrites a variable in what /proc/PID/environ shows of this process. Only while the
/// environment is where execve(2) has put it.
void hide_variable(const char* name);

} // namespace bgt::os
