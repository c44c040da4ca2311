#pragma once
/// `[[rule]]` of a file: options of `bgt run` for the commands that match. Here they are words;
/// what an option means, and whether there is one of that name, is known to the command line.
#include <bgt/core/alert.hpp>
#include <bgt/core/pattern.hpp>
#include <string>
#include <variant>
#include <vector>

namespace bgt::config {

enum class Origin : unsigned char { built_in, user_file, project_file, environment };

/// One `key = value`.
struct Entry {
    std::string key;
    std::variant<std::string, long long, bool, std::vector<std::string>> value;
    std::string key_at; ///< "FILE:LINE:COLUMN"
    std::string value_at;
    std::string line_at; ///< "FILE:LINE"
};

struct Rule {
    std::string match;          ///< a regex, searched in the command line; as it was written
    std::string match_at;       ///< "FILE:LINE:COLUMN"
    std::vector<Entry> entries; ///< all but `match`
    Origin origin = Origin::project_file;
    std::string where;  ///< "FILE:LINE" of its `[[rule]]`
    std::string folder; ///< of the file: where relative paths in it begin
};

/// `[task.NAME]` of a bgt.toml: a command that `bgt up` starts, with options of `bgt run` and `bgt
/// submit`. The same holds for them as for those of a rule. Or `[schedule.NAME]`, which has those
/// of `bgt schedule add`.
struct TaskTable {
    std::string name;
    std::vector<Entry> entries; ///< in the order of the file
    std::string at;             ///< "FILE:LINE:COLUMN"
};

/// `[[alert]]` of a file: whom to tell once many tasks are not as they should be.
struct Alert {
    core::AlertRule rule;
    std::string run;     ///< for /bin/sh -c; empty: none
    std::string webhook; ///< http:// or https://; empty: none
    Origin origin = Origin::project_file;
    std::string file;   ///< that it stands in
    std::string where;  ///< "FILE:LINE"
    std::string folder; ///< of the file
};

/// The regex of a rule, ready to search. Not done by load(): only who starts a task pays for it,
/// and a mistake in it keeps nobody from ending one. Error (usage): what is wrong with it, with its
/// place.
Result<core::Pattern> compile(const Rule&);

} // namespace bgt::config
