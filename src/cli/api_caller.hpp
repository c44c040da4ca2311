#pragma once
#include <bgt/api/caller.hpp>
#include <bgt/cli/context.hpp>
#include <string>

namespace bgt::cli {

/// This program for the operations of `api`: commands are started as `bgt run` and `bgt submit`
/// would start them in their folder. `program` and the process are the tag of what it starts.
/// Error: the scopes around it can't be read.
Result<api::Caller> make_caller(const Context&, const std::string& root, std::string_view program);

} // namespace bgt::cli
