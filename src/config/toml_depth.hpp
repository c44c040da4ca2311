#pragma once
/// How deep a text nests tables: known before toml++ sees it, which has no bound for the parts of a
/// key (a.b.c).
#include <cstddef>
#include <string_view>

namespace bgt::config {

inline constexpr std::size_t max_key_parts = 16;

/// The number of the first line with a key or table name of more than max_key_parts parts; 0: there
/// is none. In a text that is not TOML it says something only about the part before the first
/// mistake.
std::size_t find_deep_key(std::string_view text);

} // namespace bgt::config
