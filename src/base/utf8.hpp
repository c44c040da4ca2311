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

/// What the (not empty) text begins with. Overlong forms, surrogates and values above U+10FFFF are invalid.
CodePoint first_code_point(std::string_view bytes);

/// 0, 1 or 2 terminal columns; 0 for control characters.
int column_width(char32_t c);

} // namespace bgt
