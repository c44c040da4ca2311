#include <bgt/ops/log_range.hpp>

#include <bgt/base/size.hpp>
#include <bgt/store/log_lines.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

constexpr std::uint64_t match_window = 1u << 20;
constexpr std::uint64_t max_rest = 1024; ///< of a line that is left out because its begin was freed

struct Match {
    std::uint64_t offset = 0;
    std::uint64_t size = 0; ///< of the line as rendered, with its newline
};

/// The lines in [begin, end) that match.
Result<std::vector<Match>> matches_in(store::LogFile& file, const core::Pattern& pattern,
                                      std::uint64_t begin, std::uint64_t end)
{
    std::vector<Match> found;
    store::LineCutter cutter(store::LineText::rendered);
    const store::PieceSink note = [&](const store::LinePiece& piece) {
        if (piece.begins && pattern.matches(piece.text))
            found.push_back({piece.offset, piece.text.size() + 1});
    };
    while (begin < end) {
        Result<store::LogFile::Block> block = file.read(begin, end);
        if (!block) return block.error();
        if (block->bytes.empty()) break;
        cutter.feed(block->bytes, block->offset, note);
        begin = block->offset + block->bytes.size();
    }
    cutter.flush(note);
    return found;
}

Result<std::uint64_t> since_begin(const store::TaskDir& dir, const LogOptions& options,
                                  store::LogFile& file, std::uint64_t end, const std::string& label,
                                  std::vector<std::string>& notes)
{
    const bool out = options.stream == store::WhichLog::out;
    Result<store::LogIndex> index =
        store::LogIndex::open(dir.fd(), out ? store::file::out_index : store::file::err_index);
    if (!index) return index.error();
    if (index->size() == 0) {
        if (end > 0)
            notes.push_back("when the output of " + label +
                            " came is not known: all of it is shown");
        return std::uint64_t{0};
    }
    const std::optional<std::uint64_t> offset = index->first_at_or_after(*options.since);
    if (!offset) return end;
    return file.line_start(*offset, end);
}

} // namespace

Result<std::uint64_t> last_matches(store::LogFile& file, const core::Pattern& pattern,
                                   MatchBound bound, std::uint64_t begin, std::uint64_t end)
{
    if (bound.lines == 0) return end;
    std::optional<std::uint64_t> earliest; // of those that are within the bound
    std::uint64_t window = match_window;
    for (std::uint64_t upper = end; upper > begin;) {
        std::uint64_t lower = begin;
        if (upper - begin > window) {
            Result<std::uint64_t> start = file.line_start(upper - window, upper);
            if (!start) return start.error();
            lower = *start;
        }
        if (lower == upper) { // a line longer than the window
            window *= 2;
            continue;
        }
        BGT_TRY_ASSIGN(const std::vector<Match> found, matches_in(file, pattern, lower, upper));
        for (auto match = found.rbegin(); match != found.rend(); ++match) {
            if (earliest && (bound.lines == 0 || match->size > bound.bytes)) return *earliest;
            earliest = match->offset;
            --bound.lines;
            bound.bytes -= std::min(bound.bytes, match->size);
        }
        if (earliest && bound.lines == 0) return *earliest;
        upper = lower;
    }
    return begin;
}

Result<LogRange> find_range(store::LogFile& file, const store::TaskDir& dir,
                            const store::Status& status, const LogOptions& options,
                            std::uint64_t end, const std::string& label, std::uint64_t from)
{
    LogRange begin;
    const bool out = options.stream == store::WhichLog::out;
    const std::uint64_t freed =
        std::min(end, file.freed(out ? status.freed_bytes : status.freed_err_bytes));
    const std::uint64_t asked = std::max(options.cursor.value_or(0), std::min(from, end));
    if (asked > end)
        return Error::usage("the log of " + label + " has " + std::to_string(end) +
                            " bytes: --cursor " + std::to_string(asked) + " is beyond its end");
    std::uint64_t first = asked;
    if (freed > asked) { // the rest of a line whose begin is gone is of little use, unless it is
                         // long, or bytes are wanted
        Result<std::uint64_t> line =
            options.raw ? Result<std::uint64_t>(freed) : file.line_start(freed, end);
        if (!line) return line.error();
        first = *line - freed > max_rest ? freed : *line;
    }
    begin.offset = first;
    if (options.since) {
        Result<std::uint64_t> since = since_begin(dir, options, file, end, label, begin.notes);
        if (!since) return since.error();
        begin.offset = std::max(begin.offset, *since);
    }
    if (options.lines) {
        Result<std::uint64_t> last =
            options.grep
                ? last_matches(file, *options.grep, {.lines = *options.lines}, begin.offset, end)
                : file.last_lines(*options.lines, begin.offset, end);
        if (!last) return last.error();
        begin.offset = *last;
    }
    if (begin.offset == first) begin.skipped = first - asked;
    if (begin.skipped > 0)
        begin.notes.push_back("the first " + format_size(first) + " of the output of " + label +
                              " were freed (--log-max)");
    if (status.dropped_bytes > 0 && !options.cursor && begin.offset == first)
        begin.notes.push_back(format_size(status.dropped_bytes) + " of the output of " + label +
                              " were dropped: the log could not be written (disk full?)");
    return begin;
}

} // namespace bgt::ops
