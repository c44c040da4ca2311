#include <bgt/ops/log_printer.hpp>

#include <bgt/os/local_time.hpp>

namespace bgt::ops {
namespace {

constexpr std::string_view unknown_time = "-                       "; // as wide as a time
constexpr std::string_view cut_line = " [cut: with a pattern, 1MiB of a line is read]";
static_assert(store::max_line == 1u << 20);

/// Into a time of RFC 3339.
void put_milliseconds(std::string& stamp, Duration fraction)
{
    constexpr std::size_t place = std::string_view("2026-01-31T12:00:00.").size();
    const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(fraction).count();
    for (const auto& [at, unit] : {std::pair{0, 100}, {1, 10}, {2, 1}})
        stamp[place + static_cast<std::size_t>(at)] = static_cast<char>('0' + count / unit % 10);
}

} // namespace

bool matches_rendered(const core::Pattern& pattern, const store::LinePiece& piece,
                      store::LineText text)
{
    if (text == store::LineText::rendered || store::is_plain(piece.text))
        return pattern.matches(piece.text);
    LineRenderer renderer(piece.text.size() + 1);
    std::string line;
    renderer.feed(piece.text, line);
    renderer.flush(line);
    return pattern.matches(line);
}

void LogPrinter::feed(std::string_view bytes, std::uint64_t offset, std::string& out)
{
    if (!decorated() && style_.text == store::LineText::raw) {
        put_bytes(bytes, out);
        return;
    }
    if (style_.grep == nullptr &&
        cutter_.at_line_start()) { // whole lines without control characters need no rendering
        const std::size_t whole = bytes.rfind('\n') + 1;
        if (whole > 0 && store::is_plain(bytes.substr(0, whole))) {
            if (decorated()) put_lines(bytes.substr(0, whole), offset, out);
            else put_bytes(bytes.substr(0, whole), out);
            bytes.remove_prefix(whole);
            offset += whole;
        }
    }
    cutter_.feed(bytes, offset, [&](const store::LinePiece& piece) { put(piece, out); });
}

void LogPrinter::finish(std::string& out)
{
    cutter_.flush([&](const store::LinePiece& piece) { put(piece, out); });
    if (style_.ends_lines && screen_.mid_line && screen_.owner == this) put_bytes("\n", out);
}

/// With a pattern, the first piece of a line stands for it, whoever reads it and whenever.
void LogPrinter::put(const store::LinePiece& piece, std::string& out)
{
    if (piece.begins)
        chosen_ = style_.grep == nullptr || matches_rendered(*style_.grep, piece, style_.text);
    if (!chosen_ || (style_.grep != nullptr && !piece.begins)) return;
    const bool is_cut = style_.grep != nullptr && piece.goes_on;
    if (unfinished_ && piece.begins) {
        put_over(shown_text(piece.text), piece.offset, out);
        unfinished_.reset();
    } else {
        if (piece.begins || (screen_.owner != this && screen_.owner != nullptr))
            begin_line(piece.offset, out);
        if (is_altered(piece.text)) out.append(confined_line(piece.text));
        else out.append(piece.text);
    }
    if (is_cut) out.append(cut_line);
    if (piece.ends || is_cut) out.push_back('\n');
    screen_ = {this, !piece.ends && !is_cut};
}

bool LogPrinter::hides_unfinished() const
{
    if (!style_.live || !decorated() || style_.grep != nullptr || cutter_.is_beyond_limit())
        return false;
    const std::string text = cutter_.unfinished();
    return !text.empty() && shown_text(text) != unfinished_;
}

void LogPrinter::show_unfinished(std::string& out)
{
    if (!hides_unfinished()) return;
    std::string text = shown_text(cutter_.unfinished());
    put_over(text, cutter_.line_offset(), out);
    unfinished_ = std::move(text);
    screen_ = {this, true};
}

bool LogPrinter::is_altered(std::string_view text) const
{
    return style_.confined && !store::is_plain(text);
}

std::string LogPrinter::shown_text(std::string_view text) const
{
    return is_altered(text) ? confined_line(text) : std::string(text);
}

/// Goes on with the unfinished line that is on the screen, or, where it has become another, prints
/// it anew in its place.
void LogPrinter::put_over(std::string_view text, std::uint64_t offset, std::string& out)
{
    const bool stands = unfinished_ && screen_.owner == this && screen_.mid_line;
    if (stands && text.starts_with(*unfinished_)) {
        out.append(text.substr(unfinished_->size()));
        return;
    }
    if (stands) out.append("\r\x1b[2K");
    begin_line(offset, out);
    out.append(text);
}

void LogPrinter::put_bytes(std::string_view bytes, std::string& out)
{
    if (bytes.empty()) return;
    out.append(bytes);
    screen_ = {this, bytes.back() != '\n'};
}

/// Whole lines, as they stand.
void LogPrinter::put_lines(std::string_view lines, std::uint64_t offset, std::string& out)
{
    while (!lines.empty()) {
        const std::size_t size = lines.find('\n') + 1;
        begin_line(offset, out);
        out.append(lines.substr(0, size));
        screen_ = {this, false};
        lines.remove_prefix(size);
        offset += size;
    }
}

void LogPrinter::begin_line(std::uint64_t offset, std::string& out)
{
    if (screen_.mid_line && screen_.owner != this) out.push_back('\n');
    out.append(style_.prefix);
    if (style_.timestamps) put_time(offset, out);
}

/// Most lines came at the time of the one before, or in the same second.
void LogPrinter::put_time(std::uint64_t offset, std::string& out)
{
    const std::optional<WallTime> at = times_ ? times_->time_of(offset) : std::nullopt;
    if (stamp_.empty() || at != stamped_) {
        const auto second = [](WallTime time) {
            return std::chrono::floor<std::chrono::seconds>(time);
        };
        if (!at) stamp_ = std::string(unknown_time);
        else if (!stamped_ || second(*at) != second(*stamped_))
            stamp_ = style_.local_time ? os::format_local(*at) : format_rfc3339(*at);
        else put_milliseconds(stamp_, *at - second(*at));
        stamped_ = at;
    }
    out.append(stamp_);
    out.push_back(' ');
}

} // namespace bgt::ops
