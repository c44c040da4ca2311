#pragma once
/// What came of a task's hooks, for a person and for a program.
#include <bgt/ops/hooks.hpp>
#include <boost/json/fwd.hpp>

namespace bgt::render {

/// "on-fail exit 7 after 120ms: curl -f https://example.org"; printable.
std::string hook_words(const ops::HookRun&);
/// The last of the lines that it wrote, printable; of one that did what it was to do, and is no
/// on-hang, none.
std::vector<std::string> hook_output(const ops::HookRun&);
boost::json::array hooks_json(const std::vector<ops::HookRun>&);

} // namespace bgt::render
