#pragma once
/// Output as a person would see it: carriage returns and backspaces overwrite, ANSI sequences (man
/// 4 console_codes: CSI, OSC, DCS, charset) vanish, other control characters are dropped, tabs
/// stay.
///
/// Of the sequences that move within a line, those of progress bars are obeyed: `ESC[K` and `ESC[J`
/// erase, `ESC[G`, `ESC[C` and `ESC[D` move. What goes to other lines (cursor up, home) is passed
/// over. A UTF-8 character counts as one column, a tab too.
///
/// Hazard: the input is whatever a program writes. A sequence that never ends is given up at a
/// newline or after 64 KiB, no sequence moves to the right of column 1024 (else a few bytes would
/// make lines of 64 KiB, and so an output of gigabytes), and the result is always valid UTF-8
/// without ESC, C0 (but newline and tab), DEL or C1.
#include <array>
#include <string>
#include <string_view>

namespace bgt {

/// Turns a byte stream into rendered lines, in constant memory: a line that grows beyond
/// `line_limit` bytes is given out in pieces of at most that size, without a newline between.
class LineRenderer {
public:
    explicit LineRenderer(std::size_t line_limit = 64 * 1024)
        : limit_(line_limit < 8 ? 8 : line_limit)
    {}
    /// Appends to `out` the lines that `bytes` completed, each with its newline.
    void feed(std::string_view bytes, std::string& out);
    /// Appends the unfinished last line (without a newline); true when there was one. Then all is
    /// as at the start.
    bool flush(std::string& out);

private:
    enum class Mode : unsigned char { text, escape, csi, string, string_escape, charset };
    std::size_t feed_plain(std::string_view bytes, std::string& out);
    void take(unsigned char c, std::string& out);
    void take_text(unsigned char c, std::string& out);
    void take_utf8(unsigned char c, std::string& out);
    void take_control(unsigned char c, std::string& out);
    void take_c1(unsigned char c);
    void take_escape(unsigned char c, std::string& out);
    void take_csi(unsigned char c, std::string& out);
    void take_string(unsigned char c, std::string& out);
    void enter(Mode mode);
    void end_csi(char final);
    void put(std::string_view character, std::string& out);
    void give_out(std::string& out);
    void erase(std::size_t how);
    void move_to(std::size_t column);
    void move_right(std::size_t columns);
    void move_left(std::size_t columns);
    std::size_t column() const;

    std::size_t limit_;
    std::string line_;
    std::size_t at_ =
        0; ///< byte position in line_ where the next character goes; always between two characters
    std::size_t beyond_ =
        0; ///< columns that the cursor stands beyond the end of line_; at_ is then its size
    Mode mode_ = Mode::text;
    std::string params_;         ///< of the CSI sequence under way, bounded
    std::size_t taken_ = 0;      ///< bytes of the sequence under way
    std::array<char, 4> utf8_{}; ///< the character under way
    std::size_t utf8_have_ = 0;
    std::size_t utf8_need_ = 0;
};

/// One line of output (without its newline) for a terminal, behind a prefix that it must not touch:
/// colours (SGR) stay and are reset at the end, a carriage return begins the line anew, a backspace
/// takes a character back; every other sequence and control character is left out, and what changes
/// the writing direction is shown as `?`. Valid UTF-8.
std::string confined_line(std::string_view bytes);

/// The last rendered line of `tail` that is not blank, as one printable line without blanks at its
/// end.
std::string last_line(std::string_view tail);

} // namespace bgt
