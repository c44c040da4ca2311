#pragma once
/// `--env-file`: one K=V a line, as Docker and dotenv files have it in their simple form.
#include <bgt/base/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::cli {

/// The assignments as "K=V", in their order. Empty lines and lines that begin with `#` are passed
/// over, and so is an `export ` before the name. A value may be 'quoted' (taken as it stands) or
/// "quoted" (\n \r \t \" \\ \$ are read); without quotes it ends at ` #` and loses blanks at its
/// end. Nothing is expanded. Error (usage): "FILE:LINE: what is wrong".
Result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& file);

/// Reads at most 1 MiB from the file.
Result<std::vector<std::string>> read_env_file(const std::string& path);

/// What this process was started with, as KEY=VALUE.
std::vector<std::string> caller_environment();

/// Whether an environment variable can have this name: not empty, no `=`, no NUL.
bool is_variable_name(std::string_view name);

} // namespace bgt::cli
