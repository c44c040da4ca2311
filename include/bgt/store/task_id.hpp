#pragma once
#include <bgt/base/result.hpp>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::store {

/// A task's number: 1 or more, never used twice in one state root.
struct TaskId {
    std::int64_t value = 0;
    auto operator<=>(const TaskId&) const = default;
};

inline std::string to_string(TaskId id)
{
    return std::to_string(id.value);
}
/// Digits alone, 1 to 2^53 (so that JSON readers keep it exact). Error (usage) otherwise.
Result<TaskId> parse_task_id(std::string_view text);

/// What stands between the project and the name in the name of a task of `bgt up`.
inline constexpr char project_separator = ':';

/// Names as a user gives them: 1 to 64 of letters, digits, `.`, `_`, `-`, the first a letter or `_`
/// (so a name is never an id, an option or a path). Error (usage) says which rule was broken.
Result<void> check_plain_name(std::string_view name);

/// The names that there are: a plain one, or PROJECT:NAME of two plain ones, of 64 bytes together.
Result<void> check_name(std::string_view name);

} // namespace bgt::store
