#pragma once
/// Numbers with a fraction, counted in whole units without floating point.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bgt {

/// `12`, `1.5`: digits, and after a point at least one more.
struct Decimal {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0; ///< its first 18 digits; those beyond are dropped
    std::uint64_t scale = 1;    ///< power of ten by which `fraction` is divided
    std::size_t length = 0;     ///< characters read

    /// This many times `unit`, rounded down; nullopt above `most`.
    std::optional<std::uint64_t> times(std::uint64_t unit, std::uint64_t most) const;
};

/// The number that `text` begins with; nullopt if it begins with none, or with one above 2^64.
std::optional<Decimal> read_decimal(std::string_view text);

} // namespace bgt
