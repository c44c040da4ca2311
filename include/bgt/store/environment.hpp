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

} // namespace bgt::store
