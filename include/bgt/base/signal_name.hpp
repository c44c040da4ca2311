#pragma once
#include <bgt/base/result.hpp>
#include <string>
#include <string_view>

namespace bgt {

/// "SIGTERM" for 15, "SIGRTMIN+2" for real-time ones, "SIG99" for what has no name (man 7 signal).
std::string signal_name(int number);

/// Reads `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+2`. Error (usage): unknown, or not in 1..64.
Result<int> parse_signal(std::string_view text);

} // namespace bgt
