#pragma once
/// `env`: the environment of a task's command, kept (0600) where it must be known later: where
/// options gave it some. It may hold secrets: no answer shows what is in it.
#include <bgt/base/result.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::store {

/// Creates the file: each K=V, and a NUL after it. Error: exists, no space.
Result<void> write_environment(int task_dir_fd, const std::vector<std::string>&);
/// nullopt: none was kept. Error: it can't be read, is larger than 64 MiB.
Result<std::optional<std::vector<std::string>>> read_environment(int task_dir_fd);

/// The variables that a queue gives to a task that it starts.
inline constexpr const char* queue_prefix = "BGT_QUEUE=";
inline constexpr const char* slot_prefix = "BGT_SLOT=";
inline constexpr const char* resource_prefix = "BGT_RESOURCE_"; ///< NAME=UNITS follows

/// Removes what a queue gave: it holds for one task, not for those that this one starts.
void drop_queue_variables(std::vector<std::string>& env);
/// Removes what an array gave to its element: BGT_ARRAY_INDEX and BGT_ITEM.
void drop_array_variables(std::vector<std::string>& env);

} // namespace bgt::store
