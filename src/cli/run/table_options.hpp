#pragma once
/// A table of a bgt.toml that describes a command, as options: [task.NAME], [schedule.NAME].
#include "queue_table.hpp"
#include "run_options.hpp"

#include <bgt/config/rule.hpp>
#include <map>
#include <string>
#include <vector>

namespace bgt::cli {

struct TableOptions {
    RunOptions run;
    QueueOptions queue;
    bool waits = false;                        ///< an option of `bgt submit` was said
    std::map<std::string, std::string> hashes; ///< of each key, of its value
};

/// How messages call it.
struct TableNouns {
    const char* table; ///< "a task of a project"
    const char* takes; ///< besides the options of `bgt run`
};

/// A mistake in a file. `place`: "FILE:LINE" or "FILE:LINE:COLUMN".
Error error_at(const std::string& place, const std::string& text);

/// `command`, and the keys of the options of `bgt submit` that a table may have.
const std::vector<std::string>& queue_keys();
/// One key of it. `folder` is that of the file: where relative paths begin. `own_keys` are those
/// that are no options of `bgt run`, to be near to what was written. Error (usage): with the place.
Result<void> take_entry(TableOptions&, const config::Entry&, const std::string& folder,
                        const TableNouns&, const std::vector<std::string>& own_keys);

} // namespace bgt::cli
