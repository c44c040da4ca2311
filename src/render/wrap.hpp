#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace bgt::render {

/// Text over several lines of that width, broken at blanks; those after the first begin with
/// `indent` of them.
std::vector<std::string> wrapped(const std::string& text, std::size_t width, std::size_t indent);

} // namespace bgt::render
