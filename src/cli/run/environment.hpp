#pragma once
/// What the options of `bgt run` need of this machine. Errors name their option.
#include "run_options.hpp"

namespace bgt::cli {

/// The physical path of --cwd, or of this folder.
Result<std::string> working_folder(const std::optional<std::string>& asked);
/// `null`, `pipe` or a readable file.
Result<void> set_stdin(store::TaskSpec&, const std::string& from);
/// A living process.
Result<void> set_owner(store::TaskSpec&, const std::string& pid);
/// The caller's environment, the files, the single variables; each variable once.
Result<std::vector<std::string>> environment(const RunOptions&);

} // namespace bgt::cli
