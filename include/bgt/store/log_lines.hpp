#pragma once
/// A stream of bytes cut into lines, in constant memory.
#include <bgt/base/terminal_text.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bgt::store {

/// Of a longer line, what searches in logs, now or while they grow, reads the first so many bytes,
/// as rendered.
constexpr std::size_t max_line = std::size_t{1} << 20;

enum class LineText : std::uint8_t {
    rendered, ///< as a person would see it: carriage returns and ANSI sequences carried out
    raw,      ///< the bytes as they were written
};

/// A line, or a part of one that is longer than the limit.
struct LinePiece {
    std::string_view text;    ///< without the newline; valid during the call only
    std::uint64_t offset = 0; ///< where in the log the line begins
    bool begins = true;       ///< the first piece of its line
    bool ends = true;         ///< the last one: its newline has come
    bool goes_on = false;     ///< the line is longer than the limit: more of it has come
};
using PieceSink = std::function<void(const LinePiece&)>;

class LineCutter {
public:
    /// A line longer than `limit` comes in pieces. The first one is of that size, less a character
    /// that it would cut, in whatever blocks the line came; the others are no longer than that.
    explicit LineCutter(LineText text, std::size_t limit = max_line)
        : text_(text), limit_(limit), renderer_(limit + max_character_size)
    {}

    /// Takes the bytes at `offset` of the log and gives out the lines that they complete.
    void feed(std::string_view bytes, std::uint64_t offset, const PieceSink&);
    /// Gives out the unfinished last line, if there is one, as a piece that does not end.
    void flush(const PieceSink&);
    /// The unfinished last line as it looks now; it stays.
    std::string unfinished() const;
    /// Where the line under way begins.
    std::uint64_t line_offset() const { return line_at_; }
    /// True between two lines.
    bool at_line_start() const { return clean_ && held_.empty() && !mid_; }
    /// True when the line under way is longer than the limit: its first piece was given out.
    bool is_beyond_limit() const { return mid_; }

private:
    void feed_raw(std::string_view segment, bool ended, const PieceSink&);
    void feed_rendered(std::string_view segment, bool ended, const PieceSink&);
    void give(std::string_view text, bool ends, const PieceSink&, bool goes_on = false);

    static constexpr std::size_t max_character_size = 4; ///< bytes of UTF-8
    LineText text_;
    std::size_t limit_;
    LineRenderer renderer_;
    std::string held_;          ///< raw: the part of a line that has come
    std::string rendered_;      ///< what the renderer gave out
    std::uint64_t line_at_ = 0; ///< offset of the line under way
    bool at_raw_start_ = true;  ///< the next byte begins a line of the log
    bool clean_ = true;         ///< the renderer holds nothing
    bool mid_ = false;          ///< a piece that did not end was given out
};

/// True when nothing in it would be changed by rendering: ASCII without control characters but
/// newline and tab.
bool is_plain(std::string_view bytes);

} // namespace bgt::store
