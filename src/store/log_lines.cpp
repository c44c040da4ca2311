#include <bgt/store/log_lines.hpp>

namespace bgt::store {

bool is_plain(std::string_view bytes)
{
    unsigned odd = 0;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        odd |= static_cast<unsigned>(byte < 0x20 && byte != '\n' && byte != '\t') | static_cast<unsigned>(byte >= 0x7f);
    }
    return odd == 0;
}

void LineCutter::feed(std::string_view bytes, std::uint64_t offset, const PieceSink& sink)
{
    while (!bytes.empty()) {
        const std::size_t newline = bytes.find('\n');
        const bool ended = newline != std::string_view::npos;
        const std::string_view segment = bytes.substr(0, ended ? newline : bytes.size());
        const std::size_t used = segment.size() + (ended ? 1 : 0);
        if (at_raw_start_) line_at_ = offset;
        if (text_ == LineText::raw)
            feed_raw(segment, ended, sink);
        else
            feed_rendered(segment, ended, sink);
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
        give(held_, false, sink);
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
        const bool whole = newline != std::string_view::npos;
        give(rest.substr(0, newline), whole, sink);
        rest.remove_prefix(whole ? newline + 1 : rest.size());
    }
}

void LineCutter::give(std::string_view text, bool ends, const PieceSink& sink)
{
    sink({text, line_at_, !mid_, ends});
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
