#pragma once
#include <bgt/store/retention.hpp>
#include <bgt/store/root.hpp>
#include <string>
#include <vector>

namespace bgt::supervise {

struct StartRequest {
    store::TaskSpec spec;              ///< id and cookie are filled in by start()
    std::vector<std::string> env;      ///< K=V of the command's environment, without bgt's own additions
    store::Retention retention;        ///< for pruning in passing, after the start
};

enum class IfNameTaken : std::uint8_t { fail, use_it, replace };

struct StartResult {
    store::TaskId id;
    bool was_there = false; ///< use_it: a living task bears the name, nothing was started
};

/// Starts the command as a task: folder, supervisor, command. Returns once the command has been exec'd; on an error
/// (no_command 127, cannot_exec 126, failed 125) nothing is left of the attempt, and its id is not used again.
/// Hazard: forks. The caller must be single-threaded, and holds nothing the supervisor needs.
Result<StartResult> start(store::Root&, StartRequest, IfNameTaken);

} // namespace bgt::supervise
