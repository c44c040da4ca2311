#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bgt::core {

/// The port of which a program says that it is in use ("listen EADDRINUSE: address already in use
/// :::3000"), in the newest of these lines that says so; 0: it does not say which. nullopt: no line
/// says so.
std::optional<std::uint16_t> port_in_use(const std::vector<std::string>& lines);

} // namespace bgt::core
