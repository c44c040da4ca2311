#pragma once
/// A configuration file as plain data: nothing but file.cpp and toml.cpp knows where it comes from.
#include <bgt/base/result.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bgt::config {

/// The file as it was found. At most one of `text` and `warning` says something.
struct File {
    bool there = false;
    std::string text;
    std::string warning; ///< it is there, and not to be trusted: why
};

/// Reads the whole file if it and the link that leads to it belong to `uid` or root and nobody else may write it.
/// Error: ours, and not readable, not a regular file, or above 1 MiB.
Result<File> read_trusted(const std::string& path, unsigned uid);

/// One `key = value` at the top level.
struct Entry {
    std::string key;
    std::variant<std::string, long long> value;
    std::string key_at;   ///< "FILE:LINE:COLUMN"
    std::string value_at;
    std::string line_at;  ///< "FILE:LINE"
};

/// Error (usage): not TOML, or a value that is neither a string nor a whole number; with file, line and column.
Result<std::vector<Entry>> parse_toml(std::string_view text, const std::string& path);

} // namespace bgt::config
