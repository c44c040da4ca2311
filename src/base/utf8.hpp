#pragma once
/// One step through bytes that may be UTF-8.
#include <cstddef>
#include <string_view>

namespace bgt {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 1; ///< bytes; 1 where invalid
    bool valid = false;
};

/// What the (not empty) text begins with. Overlong forms, surrogates and values above U+10FFFF are
/// invalid.
CodePoint first_code_point(std::string_view bytes);

/// Line and paragraph separators, and what changes the writing direction of the text around it.
bool rearranges(char32_t c);
/// Characters that are not seen: format characters, fillers and tags. Two texts that differ only in
/// them look the same. Variation selectors are not among them, as emoji need those.
bool is_invisible(char32_t c);

/// 0, 1 or 2 terminal columns; 0 for control characters.
int column_width(char32_t c);

} // namespace bgt
