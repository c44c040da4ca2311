#pragma once
/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step. It was a fifth of a
/// long list of tasks before the processor's own instruction did it; the tables are for processors
/// without.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#if __has_include(                                                                                 \
    <sys/platform/x86.h>) && !defined(__clang__) // which finds no _Bool for it in strict C++
#include <sys/platform/x86.h>
#endif

namespace bgt::store::detail {

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables()
{
    CrcTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0x82F63B78u : 0u);
        tables[0][byte] = crc;
    }
    for (std::size_t t = 1; t < 8; ++t)
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[t - 1][byte];
            tables[t][byte] = (before >> 8) ^ tables[0][before & 0xffu];
        }
    return tables;
}

inline constexpr CrcTables crc_tables = make_crc_tables();

inline std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes)
{
    static_assert(std::endian::native == std::endian::little,
                  "the eight-byte step reads little-endian words");
    const auto& t = crc_tables;
    std::uint32_t crc = ~0u;
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        word ^= crc;
        crc = 0;
#pragma GCC unroll 8
        for (std::size_t i = 0; i < 8; ++i) crc ^= t[7 - i][(word >> (8 * i)) & 0xffu];
        bytes = bytes.subspan(8);
    }
    for (const std::byte b : bytes)
        crc = (crc >> 8) ^ t[0][(crc ^ static_cast<std::uint32_t>(b)) & 0xffu];
    return ~crc;
}

#ifdef CPU_FEATURE_ACTIVE

__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_by_instruction(
    std::span<const std::byte> bytes)
{
    std::uint64_t crc = ~0u;
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        crc = __builtin_ia32_crc32di(crc, word);
        bytes = bytes.subspan(8);
    }
    auto rest = static_cast<std::uint32_t>(crc);
    for (const std::byte b : bytes)
        rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(b));
    return ~rest;
}

/// The C library has asked the processor already: asking again is a trap into the host on a virtual
/// machine.
inline std::uint32_t crc32c(std::span<const std::byte> bytes)
{
    return CPU_FEATURE_ACTIVE(SSE4_2) ? crc32c_by_instruction(bytes) : crc32c_by_tables(bytes);
}

#else

inline std::uint32_t crc32c(std::span<const std::byte> bytes)
{
    return crc32c_by_tables(bytes);
}

#endif

} // namespace bgt::store::detail
