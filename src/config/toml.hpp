#pragma once
/// The text of a configuration file as plain data: nothing but toml.cpp knows TOML.
#include <bgt/base/result.hpp>
#include <bgt/config/rule.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::config {

/// One `[[rule]]` or `[[alert]]`, not yet looked into.
struct RuleTable {
    std::string at;      ///< "FILE:LINE:COLUMN"
    std::string line_at; ///< "FILE:LINE"
    std::vector<Entry> entries;
};

struct Document {
    std::vector<Entry> entries; ///< of the top level: a string or a whole number each
    std::vector<RuleTable> rules, alerts;
    std::vector<TaskTable> tasks, schedules;
};

/// Error (usage): not TOML, a value of a type that nothing takes, a `rule` that is no `[[rule]]`
/// (the same of `alert`), a `task` or `schedule` that is no table of tables; with file, line and
/// column.
Result<Document> parse_toml(std::string_view text, const std::string& path);

} // namespace bgt::config
