#include <bgt/store/log_lines.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace bgt::store {

namespace {

bool is_plain_byte(char c)
{
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
}

/// True when each of the eight bytes is one of ' ' to '~': none has its top bit set, none gets it
/// by 1, by less 32.
bool is_printable(std::uint64_t word)
{
    constexpr std::uint64_t each = 0x0101010101010101;
    return ((word | (word + each) | ((word - 0x20 * each) & ~word)) & (0x80 * each)) == 0;
}

/// How much of `text` is no longer than `limit`, without a part of a character.
std::size_t fitting(std::string_view text, std::size_t limit)
{
    if (text.size() <= limit) return text.size();
    std::size_t size = limit;
    while (size > 0 && limit - size < 3 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
        --size;
    return size > 0 ? size : limit;
}

} // namespace

bool is_plain(std::string_view bytes)
{
    for (std::uint64_t word = 0; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
        std::memcpy(&word, bytes.data(), sizeof word);
        if (!is_printable(word) &&
            !std::ranges::all_of(bytes.substr(0, sizeof word), is_plain_byte))
            return false;
    }
    return std::ranges::all_of(bytes, is_plain_byte);
}

void LineCutter::feed(std::string_view bytes, std::uint64_t offset, const PieceSink& sink)
{
    while (!bytes.empty()) {
        const std::size_t newline = bytes.find('\n');
        const bool ended = newline != std::string_view::npos;
        const std::string_view segment = bytes.substr(0, ended ? newline : bytes.size());
        const std::size_t used = segment.size() + (ended ? 1 : 0);
        if (at_raw_start_) line_at_ = offset;
        if (text_ == LineText::raw) feed_raw(segment, ended, sink);
        else feed_rendered(segment, ended, sink);
        at_raw_start_ = ended;
        offset += used;
        bytes.remove_prefix(used);
    }
}

void LineCutter::feed_raw(std::string_view segment, bool ended, const PieceSink& sink)
{
    while (held_.size() + segment.size() > limit_) {
        const std::size_t room = limit_ - held_.size();
        held_.append(segment.substr(0, room));
        segment.remove_prefix(room);
        give(held_, false, sink, true);
        held_.clear();
    }
    if (ended && held_.empty()) {
        give(segment, true, sink);
        return;
    }
    held_.append(segment);
    if (!ended) return;
    give(held_, true, sink);
    held_.clear();
}

void LineCutter::feed_rendered(std::string_view segment, bool ended, const PieceSink& sink)
{
    if (clean_ && ended && !mid_ && segment.size() <= limit_ && is_plain(segment)) {
        give(segment, true, sink);
        return;
    }
    rendered_.clear();
    renderer_.feed(segment, rendered_);
    if (ended) renderer_.feed("\n", rendered_);
    clean_ = ended && rendered_.ends_with('\n');
    std::string_view rest = rendered_;
    while (!rest.empty()) {
        const std::size_t newline = rest.find('\n');
        const std::string_view line = rest.substr(0, newline);
        const std::size_t size = fitting(line, limit_);
        const bool ends = newline != std::string_view::npos && size == line.size();
        give(line.substr(0, size), ends, sink, !ends);
        rest.remove_prefix(ends ? newline + 1 : size);
    }
}

void LineCutter::give(std::string_view text, bool ends, const PieceSink& sink, bool goes_on)
{
    sink({text, line_at_, !mid_, ends, goes_on});
    mid_ = !ends;
}

void LineCutter::flush(const PieceSink& sink)
{
    if (text_ == LineText::rendered) {
        rendered_.clear();
        if (renderer_.flush(rendered_) && !rendered_.empty()) give(rendered_, false, sink);
    } else if (!held_.empty()) {
        give(held_, false, sink);
        held_.clear();
    }
}

std::string LineCutter::unfinished() const
{
    if (text_ == LineText::raw) return held_;
    std::string text;
    if (clean_) return text;
    LineRenderer copy = renderer_;
    copy.flush(text);
    return text;
}

} // namespace bgt::store
