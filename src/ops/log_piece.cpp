#include <bgt/ops/log_piece.hpp>
#include <bgt/ops/log_range.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

constexpr std::size_t max_sequence = 64; ///< of an escape sequence that is held back

/// Where the last character begins, when its bytes have not all come.
std::size_t before_torn_character(std::string_view bytes)
{
    const std::size_t most = std::min<std::size_t>(3, bytes.size());
    for (std::size_t back = 1; back <= most; ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xc0) == 0x80) continue;
        const std::size_t needs = byte > 0xf4    ? 1
                                  : byte >= 0xf0 ? 4
                                  : byte >= 0xe0 ? 3
                                  : byte >= 0xc0 ? 2
                                                 : 1;
        return needs > back ? bytes.size() - back : bytes.size();
    }
    return bytes.size();
}

/// Where the escape sequence at the end begins, when its last byte has not come (man 4
/// console_codes).
std::size_t before_torn_sequence(std::string_view bytes)
{
    const std::size_t escape = bytes.rfind('\x1b');
    if (escape == std::string_view::npos || bytes.size() - escape > max_sequence)
        return bytes.size();
    const std::string_view rest = bytes.substr(escape + 1);
    if (rest.empty()) return escape;
    if (rest[0] == ']') return rest.find('\a') == std::string_view::npos ? escape : bytes.size();
    if (rest[0] != '[') return bytes.size();
    const bool ended =
        std::ranges::any_of(rest.substr(1), [](char c) { return c >= 0x40 && c <= 0x7e; });
    return ended ? bytes.size() : escape;
}

Result<std::string> read_all(store::LogFile& file, std::uint64_t& begin, std::uint64_t end)
{
    std::string bytes;
    std::uint64_t at = begin;
    while (at < end) {
        Result<store::LogFile::Block> block = file.read(at, end);
        if (!block) return block.error();
        if (block->bytes.empty()) break;
        if (block->offset > at) { // freed under the reader: what was read so far is before the gap,
                                  // and goes with it
            bytes.clear();
            begin = block->offset;
        }
        bytes.append(block->bytes);
        at = block->offset + block->bytes.size();
    }
    return bytes;
}

/// Each line is matched whole: where no line ends in what was read, more is read than was asked
/// for, and the begin of a line is kept for later, until it has come or is too long.
Result<void> keep_lines(store::LogFile& file, std::string& bytes, std::uint64_t& begin,
                        const PieceRequest& request)
{
    std::size_t whole = bytes.rfind('\n') + 1;
    if (whole == 0) {
        const std::uint64_t longest = begin + store::max_line + 1;
        Result<std::string> line = read_all(file, begin, std::min(request.end, longest));
        if (!line) return line.error();
        bytes = std::move(*line);
        const std::size_t newline = bytes.find('\n');
        const bool is_all =
            (request.over && begin + bytes.size() >= request.end) || bytes.size() > store::max_line;
        whole = newline != std::string::npos ? newline + 1 : is_all ? bytes.size() : 0;
    }
    bytes.resize(whole);
    return {};
}

/// Where a search begins that is asked for at `begin`: behind the line of which an earlier piece
/// held as much as is read of one.
Result<std::uint64_t> search_begin(store::LogFile& file, std::uint64_t begin, std::uint64_t end)
{
    const std::uint64_t first = file.freed(0);
    if (begin >= end || begin < first + store::max_line + 1) return begin;
    std::uint64_t from = begin - store::max_line - 1;
    const Result<std::string> before = read_all(file, from, begin);
    if (!before) return before.error();
    return before->find('\n') == std::string::npos ? file.line_start(begin, end) : begin;
}

} // namespace

std::size_t whole_part(std::string_view bytes, bool cut)
{
    if (cut) {
        const std::size_t lines = bytes.rfind('\n') + 1;
        if (lines > 0) return lines;
    }
    const std::size_t characters = before_torn_character(bytes);
    const std::size_t whole = before_torn_sequence(bytes.substr(0, characters));
    return whole > 0 ? whole : characters;
}

Result<LogPiece> read_piece(store::LogFile& file, const PieceRequest& request,
                            const LogStyle& style, store::LogIndex index)
{
    const bool searches = style.grep != nullptr;
    const Result<std::uint64_t> from =
        searches ? search_begin(file, request.begin, request.end) : request.begin;
    if (!from) return from.error();
    const bool cut = request.end - *from > request.max_bytes;
    std::uint64_t begin = *from;
    Result<std::string> bytes =
        read_all(file, begin, cut ? *from + request.max_bytes : request.end);
    if (!bytes) return bytes.error();
    const bool more = cut || !request.over;
    if (more && searches) {
        if (Result<void> kept = keep_lines(file, *bytes, begin, request); !kept)
            return kept.error();
    } else if (more) {
        bytes->resize(whole_part(*bytes, cut));
    }

    LogPiece piece;
    piece.start = begin;
    piece.cursor = begin + bytes->size();
    piece.end_of_log = request.over && piece.cursor >= request.end;
    piece.truncated = cut;
    SharedScreen screen;
    LogPrinter printer(style, screen);
    printer.set_times(store::IndexCursor(std::move(index), begin));
    std::string text;
    printer.feed(*bytes, begin, text);
    printer.finish(text);
    piece.text = to_valid_utf8(text);
    piece.dropped_bytes = request.skipped + (begin - *from) +
                          printer.times()->dropped_before(piece.cursor, piece.end_of_log);
    return piece;
}

namespace {

/// Of a line whose begin is left out, because the newest bytes begin in the middle of it.
constexpr std::uint64_t longest_rest = 1024;

/// Where the newest bytes begin: with a line if that is near, else with a character.
Result<std::uint64_t> newest_begin(store::LogFile& file, const PieceRequest& request)
{
    if (request.end - request.begin <= request.max_bytes) return request.begin;
    const std::uint64_t from = request.end - request.max_bytes;
    BGT_TRY_ASSIGN(const std::uint64_t line, file.line_start(from, request.end));
    if (line < request.end && line - from <= longest_rest) return line;
    std::uint64_t begin = from;
    BGT_TRY_ASSIGN(const std::string bytes, read_all(file, begin, std::min(from + 4, request.end)));
    std::size_t torn = 0;
    while (torn < std::min<std::size_t>(bytes.size(), 3) &&
           (static_cast<unsigned char>(bytes[torn]) & 0xc0) == 0x80)
        ++torn;
    return begin + torn;
}

/// The end of the last line that has ended.
Result<std::uint64_t> whole_lines_end(store::LogFile& file, std::uint64_t begin, std::uint64_t end)
{
    if (begin >= end) return end;
    BGT_TRY_ASSIGN(const store::LogFile::Block last, file.read(end - 1, end));
    if (last.bytes == "\n") return end;
    return file.last_lines(1, begin, end);
}

Result<LogPiece> read_newest_matches(store::LogFile& file, const PieceRequest& request,
                                     const LogStyle& style, store::LogIndex index)
{
    std::uint64_t end = request.end;
    if (!request.over) { BGT_TRY_ASSIGN(end, whole_lines_end(file, request.begin, end)); }
    LogPiece piece;
    BGT_TRY_ASSIGN(piece.start, last_matches(file, *style.grep, {.bytes = request.max_bytes},
                                             request.begin, end));
    piece.truncated = piece.start > request.begin;
    SharedScreen screen;
    LogPrinter printer(style, screen);
    printer.set_times(store::IndexCursor(std::move(index), piece.start));
    std::string text;
    std::uint64_t freed = 0; // under the reader
    for (piece.cursor = piece.start; piece.cursor < end;) {
        BGT_TRY_ASSIGN(const store::LogFile::Block block, file.read(piece.cursor, end));
        if (block.bytes.empty()) break;
        freed += block.offset - piece.cursor;
        printer.feed(block.bytes, block.offset, text);
        piece.cursor = block.offset + block.bytes.size();
    }
    printer.finish(text);
    piece.text = to_valid_utf8(text);
    piece.end_of_log = request.over && piece.cursor >= request.end;
    piece.dropped_bytes = (piece.truncated ? 0 : request.skipped) + freed +
                          printer.times()->dropped_before(piece.cursor, piece.end_of_log);
    return piece;
}

} // namespace

Result<LogPiece> read_newest_piece(store::LogFile& file, PieceRequest request,
                                   const LogStyle& style, store::LogIndex index)
{
    if (style.grep != nullptr) return read_newest_matches(file, request, style, std::move(index));
    BGT_TRY_ASSIGN(const std::uint64_t begin, newest_begin(file, request));
    const bool truncated = begin > request.begin;
    if (truncated) request.skipped = 0;
    request.begin = begin;
    BGT_TRY_ASSIGN(LogPiece piece, read_piece(file, request, style, std::move(index)));
    piece.truncated = truncated;
    return piece;
}

} // namespace bgt::ops
