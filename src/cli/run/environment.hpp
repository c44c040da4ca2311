#pragma once
/// What the options of `bgt run` need of this machine. Errors name their option.
#include "run_options.hpp"

#include <bgt/base/fd.hpp>

namespace bgt::cli {

/// The physical path of --cwd, or of this folder.
Result<std::string> working_folder(const std::optional<std::string>& asked);
/// `null`, `pipe`, `-` or a readable file.
Result<void> set_stdin(store::TaskSpec&, const std::string& from);
/// A copy of stdin for the command (`--stdin -`). `stays`: with --wait, so that nobody else reads a
/// terminal meanwhile.
Result<Fd> caller_stdin(bool stays);
/// A living process.
Result<void> set_owner(store::TaskSpec&, const std::string& pid);
/// The caller's environment, the files, the single variables; each variable once.
Result<std::vector<std::string>> environment(const RunOptions&);

} // namespace bgt::cli
