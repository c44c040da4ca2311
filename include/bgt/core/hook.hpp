#pragma once
/// Commands of the user's that follow what happens to a task.
#include <bgt/core/task.hpp>

namespace bgt::core {

/// In the environment of such a command: which one it is ("on-end").
inline constexpr const char* hook_variable = "BGT_HOOK";

/// Whether that end is one of which `--on-fail` tells: not a success, and nobody had asked for it.
bool is_failure(const Outcome&);

} // namespace bgt::core
