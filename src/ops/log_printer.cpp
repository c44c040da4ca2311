#include <bgt/ops/log_printer.hpp>

namespace bgt::ops {
namespace {

constexpr std::string_view unknown_time = "-                       "; // as wide as a time
constexpr std::string_view cut_line = " [cut: with a pattern, 1MiB of a line is read]";
static_assert(store::max_line == 1u << 20);

} // namespace

bool matches_rendered(const core::Pattern& pattern, const store::LinePiece& piece, store::LineText text)
{
    if (text == store::LineText::rendered || store::is_plain(piece.text)) return pattern.matches(piece.text);
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
    if (!decorated() && cutter_.at_line_start()) { // whole lines without control characters need no work
        const std::size_t whole = bytes.rfind('\n') + 1;
        if (whole > 0 && store::is_plain(bytes.substr(0, whole))) {
            put_bytes(bytes.substr(0, whole), out);
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
    if (piece.begins) chosen_ = style_.grep == nullptr || matches_rendered(*style_.grep, piece, style_.text);
    if (!chosen_ || (style_.grep != nullptr && !piece.begins)) return;
    const bool is_cut = style_.grep != nullptr && piece.goes_on;
    if (piece.begins || (screen_.owner != this && screen_.owner != nullptr)) begin_line(piece, out);
    if (style_.confined && !store::is_plain(piece.text)) out.append(confined_line(piece.text));
    else out.append(piece.text);
    if (is_cut) out.append(cut_line);
    if (piece.ends || is_cut) out.push_back('\n');
    screen_ = {this, !piece.ends && !is_cut};
}

void LogPrinter::put_bytes(std::string_view bytes, std::string& out)
{
    if (bytes.empty()) return;
    out.append(bytes);
    screen_ = {this, bytes.back() != '\n'};
}

void LogPrinter::begin_line(const store::LinePiece& piece, std::string& out)
{
    if (screen_.mid_line && screen_.owner != this) out.push_back('\n');
    out.append(style_.prefix);
    if (!style_.timestamps) return;
    const std::optional<WallTime> at = times_ ? times_->time_of(piece.offset) : std::nullopt;
    out.append(at ? format_rfc3339(*at) : std::string(unknown_time));
    out.push_back(' ');
}

} // namespace bgt::ops
