#pragma once
/// The text of a configuration file as plain data: nothing but toml.cpp knows TOML.
#include <bgt/base/result.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bgt::config {

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
