#pragma once
/// The settings in force for this user, in this folder, with this environment.
#include <bgt/config/settings.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// BGT_*, the nearest bgt.toml above `cwd` (empty: there is none), the user's file, built in. A
/// file that somebody else may write is passed over with a warning; of a bgt.toml, `trust` decides
/// what counts (none: it is not trusted). Error (usage): a file or a variable makes no sense, with
/// its place, unless such mistakes are passed over.
Result<config::Loaded> load_settings(const std::string& cwd, config::TrustCheck trust = {},
                                     config::Mistakes = config::Mistakes::refuse);

/// The bgt.toml nearest to this folder alone, as it is where nothing is trusted.
Result<config::Loaded> load_project(const std::string& folder);

/// A file of this user (os::read_trusted).
Result<config::File> read_own_file(const std::string& path);

/// Every key there is.
std::vector<std::string> setting_keys();

} // namespace bgt::ops
