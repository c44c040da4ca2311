#pragma once
/// Whether output says something new: a spinner, a progress bar that stands still, or the same line with another number
/// is none.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::core {

/// The line with every run of digits as one `#`, braille and other spinner characters (`|/-\` alone between blanks, U+2800..
/// U+28FF, U+25D0..U+25D3, moon and clock faces) as one `*`, blanks squeezed and trimmed.
std::string mask_line(std::string_view rendered);

/// Remembers the last 64 different masked lines, in constant memory.
class NewText {
public:
    /// Takes a rendered line (unfinished ones too); true: no line like it is among the last 64. Blank lines are never new.
    bool take(std::string_view rendered_line);

private:
    std::array<std::uint64_t, 64> seen_{};
    std::size_t count_ = 0, next_ = 0;
};

} // namespace bgt::core
