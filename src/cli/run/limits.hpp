#pragma once
/// `--limit NAME=VALUE`: what setrlimit(2) knows, by the names of `ulimit` and limits.conf(5).
#include <bgt/store/spec.hpp>
#include <string>
#include <vector>

namespace bgt::cli {

/// Every name there is.
const std::vector<std::string>& limit_names();
/// Reads `nofile=1024`, `cpu=10m`, `as=2G`, `core=unlimited`. Error (usage): unknown name, bad
/// value.
Result<ResourceLimit> parse_resource_limit(const std::string& text);

} // namespace bgt::cli
