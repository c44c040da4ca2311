#include "utf8.hpp"

#include <utf8proc.h>

namespace bgt {

namespace {

/// The vowels and finals after the first consonant of a Hangul syllable: a terminal draws them in
/// the two columns of that consonant.
bool joins_hangul(char32_t c)
{
    return (c >= 0x1160 && c <= 0x11FF) || (c >= 0xD7B0 && c <= 0xD7FF);
}

bool has_no_width(utf8proc_category_t category)
{
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
           category == UTF8PROC_CATEGORY_CF;
}

} // namespace

// The libc's wcwidth knows only the characters of its locale.
int column_width(char32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return 0;
    if (c < 0x300) return 1;
    const auto point = static_cast<utf8proc_int32_t>(c);
    if (has_no_width(utf8proc_category(point)) || joins_hangul(c)) return 0;
    // utf8proc calls spacing marks and characters not yet assigned 0 wide as well; a terminal gives
    // them a column.
    return utf8proc_charwidth(point) == 2 ? 2 : 1;
}

} // namespace bgt
