#pragma once
/// Whether output says something new: a spinner, a progress bar that stands still, or the same line
/// with another number is none.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::core {

/// The line with every run of digits as one `#`, braille and other spinner characters (`|/-\` alone
/// between blanks, U+2800.. U+28FF, U+25D0..U+25D3, moon and clock faces) as one `*` a run, blanks
/// squeezed and trimmed. Digits are 0 to 9. The result is valid UTF-8, whatever was given.
std::string mask_line(std::string_view rendered);

/// Remembers the last 64 different masked lines, in constant memory: a line that comes again is the
/// last one then, so what is repainted for ever is never forgotten. (By a hash of 64 bits, not by
/// the text.)
class NewText {
public:
    /// Takes a rendered line (unfinished ones too); true: no line like it is among the last 64.
    /// Blank lines are never new.
    bool take(std::string_view rendered_line);

private:
    std::array<std::uint64_t, 64> seen_{}; ///< the first count_ of them, the last seen at the end
    std::size_t count_ = 0;
};

} // namespace bgt::core
