#pragma once
/// The answer of `bgt wait --json`.
#include <bgt/ops/wait.hpp>
#include <string>
#include <vector>

namespace bgt::render {

/// {"schema":1,"tasks":[...],"wait":{...}} and a newline: the tasks, and how the wait ended.
std::string wait_json(const std::vector<ops::Snapshot>& tasks, const ops::WaitRequest&,
                      const ops::WaitAnswer&);

} // namespace bgt::render
