#pragma once
#include <bgt/base/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt {

/// Reads `4096`, `64K`, `64KiB`, `256M`, `256MiB`, `1G`, `1.5GiB`, `2T`: all powers of 1024, in
/// bytes. Error (usage): empty, negative, unknown unit (`KB` too: to some it is 1000 bytes), above
/// 2^62.
Result<std::uint64_t> parse_size(std::string_view text);

/// For people, at most 7 characters: "512 B", "64 KiB", "1.5 GiB".
std::string format_size(std::uint64_t bytes);

/// Exact, in the largest unit that divides it; parse_size reads it back: "256MiB", "4097".
std::string format_size_exact(std::uint64_t bytes);

} // namespace bgt
