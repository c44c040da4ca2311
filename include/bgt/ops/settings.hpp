#pragma once
/// The settings in force for this user, in this folder, with this environment.
#include <bgt/config/settings.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

struct NamedFile {
    std::string path; ///< absolute; empty: none is named
    std::string by;   ///< "--config"
};

/// BGT_*, the nearest bgt.toml above `cwd` (empty: there is none), the user's file, built in. A
/// file that somebody else may write is passed over with a warning; of a bgt.toml, `trust` decides
/// what counts (none: it is not trusted). A named file takes the place of the bgt.toml. Error
/// (usage): a file or a variable makes no sense, with its place, unless such mistakes are passed
/// over.
Result<config::Loaded> load_settings(const std::string& cwd, config::TrustCheck trust = {},
                                     config::Mistakes = config::Mistakes::refuse,
                                     const NamedFile& = {});

/// This bgt.toml alone (absolute), as it is where nothing is trusted. Error besides: it is not
/// there, or can't be read.
Result<config::Loaded> load_project_file(const std::string& file);

/// Where the user's own file of settings is, or would be; empty: that is not known.
std::string user_settings_file();

/// A file of this user (os::read_trusted).
Result<config::File> read_own_file(const std::string& path);

/// Every key there is.
std::vector<std::string> setting_keys();

} // namespace bgt::ops
