#pragma once
/// What `bgt submit` reads: lines for --each, JSON for --batch. `-` is stdin.
#include <bgt/ops/submit.hpp>
#include <string>
#include <vector>

namespace bgt::cli {

/// Without empty lines. Error (usage): it can't be read, or is larger than 256 MiB.
Result<std::vector<std::string>> read_each(const std::string& file, bool nul_terminated);
/// A line an object: command (list) or shell (text), and id (by which others of the batch name it),
/// name, after, priority, key, tags, cwd. Error (usage): with the line.
Result<std::vector<ops::BatchItem>> read_batch(const std::string& file);

} // namespace bgt::cli
