#pragma once
/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a keyed hash for short
/// messages. Who does not know the key can't tell its output from random bits; who knows one
/// message with its hash can't find a key that gives it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bgt {

using HashKey = std::array<std::uint8_t, 16>;
using KeyedHash = std::array<std::uint8_t, 16>;

KeyedHash siphash(const HashKey&, std::span<const std::uint8_t> message);

} // namespace bgt
