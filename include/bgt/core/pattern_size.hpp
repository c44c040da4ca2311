#pragma once
#include <cstddef>
#include <optional>
#include <string>

namespace bgt::core {

/// The instructions that a regular expression has once it is compiled: they take the time and the
/// memory, and a repetition of a large class (`\pL{99}`) has a thousand times as many as its text
/// has bytes. nullopt: more than `most`; finding that out costs no more than these. One that is
/// wrong counts as 0: Pattern::compile() says why.
std::optional<std::size_t> compiled_size(const std::string& regex, std::size_t most);

} // namespace bgt::core
