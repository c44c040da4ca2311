#include "utf8.hpp"

#include <algorithm>
#include <iterator>

namespace bgt {

namespace {

struct Range {
    char32_t first;
    char32_t last;
};

/// Default_Ignorable_Code_Point of Unicode 14.0.0 but the variation selectors FE00 to FE0F, and the
/// annotations FFF9 to FFFB.
constexpr Range invisible[] = {
    {0xAD, 0xAD},     {0x34F, 0x34F},     {0x61C, 0x61C},     {0x115F, 0x1160},
    {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

} // namespace

bool rearranges(char32_t c)
{
    if (c == 0x61c || c == 0x200e || c == 0x200f) return true; // marks
    return (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool is_invisible(char32_t c)
{
    const auto is_before = [](char32_t value, const Range& range) { return value < range.first; };
    const auto* after = std::upper_bound(std::begin(invisible), std::end(invisible), c, is_before);
    return after != std::begin(invisible) && c <= std::prev(after)->last;
}

} // namespace bgt
