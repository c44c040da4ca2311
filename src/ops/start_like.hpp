#pragma once
#include <bgt/ops/start.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// What starts another task like this one: the same command, folder and options, without an owner
/// that has ended. Its environment is the kept one where options gave it some, else `env`. Error:
/// the task is damaged.
Result<StartRequest> like(const store::TaskDir&, const std::vector<std::string>& env,
                          const store::Retention&);

} // namespace bgt::ops
