#pragma once
/// How a wait ended: the answers of `bgt wait --json`, `bgt run --wait` and `--wait-ready`.
#include <bgt/ops/wait.hpp>
#include <bgt/render/task_fields.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::render {

/// What the verb that waited makes of it.
struct WaitTold {
    int code = 0;                    ///< its exit code
    std::string reason;              ///< in words
    std::optional<std::string> tail; ///< the last lines of the task, where they are to be told
};

/// {"schema":1,"tasks":[...],"wait":{...}} and a newline: the tasks, and how the wait ended.
std::string wait_json(const std::vector<ops::Snapshot>& tasks, const ops::WaitRequest&,
                      const ops::WaitAnswer&, const WaitTold&, const TaskFields& = {});
/// The same where the end of tasks was waited for and nothing else; `has_ended`: it has come.
std::string end_wait_json(const std::vector<ops::Snapshot>& tasks, bool has_ended, const WaitTold&,
                          const TaskFields& = {});

} // namespace bgt::render
