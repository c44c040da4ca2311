#pragma once
/// The processes of a project as its files describe them, made into what ops::up() takes.
#include <bgt/cli/context.hpp>
#include <bgt/ops/up.hpp>
#include <string>
#include <vector>

namespace bgt::cli {

/// Where they are described.
struct ProjectTables {
    std::string folder; ///< absolute
    std::string file;
    std::vector<config::TaskTable> tasks;
};

/// The [task.NAME] of the bgt.toml; where there are none, the nearest Procfile in the working
/// folder or above it, but not above that of the bgt.toml. Error (not_found): there is neither.
Result<ProjectTables> find_tables(const Context&);
/// The folder in which find_tables() would find them, without a look at what they say; where there
/// are none, that of the project that the working folder is in. Empty: there is none.
std::string project_folder(const Context&, const store::Root&);

/// Reads all tables. The working folder must be the project's: relative paths count from there.
/// Error (usage): one message for the first thing that makes no sense, with its place.
Result<std::vector<ops::UpTask>> read_tables(const ProjectTables&, const config::Settings&);

} // namespace bgt::cli
