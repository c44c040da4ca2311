#include <bgt/base/terminal_text.hpp>

#include "utf8.hpp"

namespace bgt {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view reset = "\x1b[0m";
constexpr std::size_t max_colors = 256; ///< bytes of colours that are kept over a carriage return

bool is_final(char c)
{
    return c >= 0x40 && c <= 0x7e;
}

/// The bytes of the sequence that `text` begins with (ESC is its first byte).
std::size_t sequence_length(std::string_view text)
{
    if (text.size() < 2) return text.size();
    const char kind = text[1];
    if (kind == '[') {
        std::size_t end = 2;
        while (end < text.size() && text[end] >= ' ' && !is_final(text[end])) ++end;
        return end + (end < text.size() && is_final(text[end]) ? 1 : 0);
    }
    if (std::string_view("]PX^_").find(kind) != std::string_view::npos) { // a string
        const std::size_t end = text.find_first_of("\x07\x1b", 2);
        if (end == std::string_view::npos) return text.size();
        return end + (text.substr(end).starts_with("\x1b\\") ? 2 : text[end] == '\x07' ? 1 : 0);
    }
    std::size_t length = 1;
    while (length < text.size() && text[length] >= ' ' && text[length] <= '/') ++length;
    return length < text.size() && text[length] > '/' && text[length] < 0x7f ? length + 1 : length;
}

bool is_color(std::string_view sequence)
{
    if (!sequence.starts_with("\x1b[") || !sequence.ends_with('m')) return false;
    const std::string_view params = sequence.substr(2, sequence.size() - 3);
    return params.find_first_not_of("0123456789;:") == std::string_view::npos;
}

class ConfinedLine {
public:
    std::string render(std::string_view bytes)
    {
        while (!bytes.empty()) bytes.remove_prefix(take(bytes));
        if (has_color_) out_ += reset;
        return std::move(out_);
    }

private:
    /// How many bytes were taken.
    std::size_t take(std::string_view bytes)
    {
        if (bytes.front() == '\x1b') {
            const std::size_t length = sequence_length(bytes);
            if (is_color(bytes.substr(0, length))) add_color(bytes.substr(0, length));
            return length;
        }
        const CodePoint point = first_code_point(bytes);
        if (point.value == '\r' && point.valid) starts_anew_ = true;
        else if (point.value == '\b' && point.valid) take_back();
        else if (!point.valid) add(replacement);
        else if (rearranges(point.value)) add("?");
        else if (!is_dropped(point.value)) add(bytes.substr(0, point.length));
        return point.length;
    }

    static bool is_dropped(char32_t c) { return (c < ' ' && c != '\t') || (c >= 0x7f && c < 0xa0); }

    void add(std::string_view text)
    {
        if (starts_anew_) out_ = colors_;
        if (starts_anew_) text_begin_ = out_.size();
        starts_anew_ = false;
        out_ += text;
    }

    void add_color(std::string_view sequence)
    {
        if (sequence == reset || sequence == "\x1b[m") colors_.clear();
        if (colors_.size() + sequence.size() > max_colors) colors_.clear();
        if (sequence.size() <= max_colors) colors_ += sequence;
        has_color_ = true;
        if (starts_anew_) return; // comes with the next character
        out_ += sequence;
        text_begin_ = out_.size();
    }

    void take_back()
    {
        if (starts_anew_ || out_.size() <= text_begin_) return;
        std::size_t at = out_.size() - 1;
        while (at > text_begin_ && (static_cast<unsigned char>(out_[at]) & 0xc0u) == 0x80) --at;
        out_.resize(at);
    }

    std::string out_;
    std::string colors_;         ///< in force
    std::size_t text_begin_ = 0; ///< what a backspace can take back begins there
    bool starts_anew_ = false;   ///< the next character begins the line
    bool has_color_ = false;
};

} // namespace

std::string confined_line(std::string_view bytes)
{
    return ConfinedLine().render(bytes);
}

} // namespace bgt
