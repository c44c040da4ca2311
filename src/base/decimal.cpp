#include "decimal.hpp"

#include <charconv>

namespace bgt {

namespace {

__extension__ using Wide = unsigned __int128;
constexpr int max_fraction_digits = 18;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

} // namespace

std::optional<std::uint64_t> Decimal::times(std::uint64_t unit, std::uint64_t most) const
{
    const Wide product = Wide{whole} * unit + Wide{fraction} * unit / scale;
    if (product > most) return std::nullopt;
    return static_cast<std::uint64_t>(product);
}

std::optional<Decimal> read_decimal(std::string_view text)
{
    Decimal number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.whole);
    if (error != std::errc{}) return std::nullopt;
    number.length = static_cast<std::size_t>(end - text.data());
    if (number.length == text.size() || text[number.length] != '.') return number;
    std::size_t at = number.length + 1;
    for (int digits = 0; at < text.size() && is_digit(text[at]); ++at, ++digits) {
        if (digits >= max_fraction_digits) continue;
        number.fraction = number.fraction * 10 + static_cast<std::uint64_t>(text[at] - '0');
        number.scale *= 10;
    }
    if (at == number.length + 1) return std::nullopt;
    number.length = at;
    return number;
}

} // namespace bgt
