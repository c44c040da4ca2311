#pragma once
/// Output as a person would see it: carriage returns and backspaces overwrite, ANSI sequences (man 4 console_codes:
/// CSI, OSC, DCS, charset) vanish, other control characters are dropped, tabs stay.
#include <string>
#include <string_view>

namespace bgt::render {

/// Turns a byte stream into rendered lines, in constant memory: a line that grows beyond `line_limit` bytes is given
/// out in pieces of that size, without a newline between.
class LineRenderer {
public:
    explicit LineRenderer(std::size_t line_limit = 64 * 1024) : limit_(line_limit) {}
    /// Appends to `out` the lines that `bytes` completed, each with its newline.
    void feed(std::string_view bytes, std::string& out);
    /// Appends the unfinished last line (without a newline); true when there was one.
    bool flush(std::string& out);

private:
    void put(char c, std::string& out);
    enum class Mode : unsigned char { text, escape, csi, string, string_escape, charset };
    std::size_t limit_;
    std::string line_;
    std::size_t column_ = 0; ///< byte position in line_ where the next character goes
    Mode mode_ = Mode::text;
    std::string params_;     ///< of the CSI sequence under way
};

/// The last non-empty rendered line of `tail`, as one printable line.
std::string last_line(std::string_view tail);

} // namespace bgt::render
