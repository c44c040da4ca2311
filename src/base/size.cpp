#include <bgt/base/size.hpp>

#include "decimal.hpp"
#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <cctype>

namespace bgt {

namespace {

constexpr std::string_view prefixes = "KMGTPE"; // each 1024 times the one before

Error bad_size(std::string_view text, std::string_view why)
{
    return Error::usage(fmt::format("bad size {}: {}; write e.g. 4096, 64K, 256MiB, 1.5G",
                                    shell_quote(fit(printable(text), 40)), why));
}

/// The power of 1024 that a unit stands for, or -1.
int power_of(std::string_view unit)
{
    if (unit.empty() || unit == "B") return 0;
    const auto power =
        prefixes.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front()))));
    const auto rest = unit.substr(1);
    // Not "KB": to some it is 1000 bytes.
    if (power == prefixes.npos || !(rest.empty() || rest == "iB" || rest == "ib")) return -1;
    return static_cast<int>(power) + 1;
}

} // namespace

Result<std::uint64_t> parse_size(std::string_view text)
{
    if (text.empty()) return bad_size(text, "it is empty");
    if (text.front() == '-') return bad_size(text, "it is negative");
    const auto number = read_decimal(text);
    if (!number) return bad_size(text, "it needs a number");
    const int power = power_of(text.substr(number->length));
    if (power < 0)
        return bad_size(text, "the units are K, M, G, T, P or KiB, MiB, ... (powers of 1024)");
    if (power == 0 && number->scale != 1) return bad_size(text, "half a byte");
    const auto size = number->times(std::uint64_t{1} << (10 * power), std::uint64_t{1} << 62);
    if (!size) return bad_size(text, "it is above 2^62 bytes");
    return *size;
}

std::string format_size(std::uint64_t bytes)
{
    if (bytes < 1024) return fmt::format("{} B", bytes);
    for (std::size_t power = 1;; ++power) {
        // In tenths, rounded; 1000 KiB and more are told in the next unit, to stay within 7
        // characters.
        const std::uint64_t unit = std::uint64_t{1} << (10 * power);
        const std::uint64_t tenths =
            bytes / unit * 10 + (bytes % unit / 16 * 10 + unit / 32) / (unit / 16);
        if (tenths >= 9995 && power < prefixes.size()) continue;
        const char prefix = prefixes[power - 1];
        if (tenths >= 100) return fmt::format("{} {}iB", (tenths + 5) / 10, prefix);
        if (tenths % 10 == 0) return fmt::format("{} {}iB", tenths / 10, prefix);
        return fmt::format("{}.{} {}iB", tenths / 10, tenths % 10, prefix);
    }
}

std::string format_size_exact(std::uint64_t bytes)
{
    for (std::size_t power = prefixes.size(); power > 0; --power) {
        const std::uint64_t unit = std::uint64_t{1} << (10 * power);
        if (bytes != 0 && bytes % unit == 0)
            return fmt::format("{}{}iB", bytes / unit, prefixes[power - 1]);
    }
    return std::to_string(bytes);
}

} // namespace bgt
