// Output as a person sees it. The first byte is how long a line may be, the second in which pieces
// it comes.
#include "fuzz.hpp"

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/log_lines.hpp>

#include <algorithm>

using namespace bgt;

namespace {

std::string render_in_pieces(std::string_view bytes, std::size_t limit, std::size_t piece)
{
    LineRenderer renderer(limit);
    std::string out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), piece)))
        renderer.feed(bytes.substr(0, piece), out);
    renderer.flush(out);
    std::string nothing;
    FUZZ_CHECK(!renderer.flush(nothing) && nothing.empty());
    return out;
}

/// The lines of a log, cut: raw ones put together are the log, rendered ones are what the renderer
/// makes of it.
void check_cutter(std::string_view bytes, std::size_t limit, std::size_t piece,
                  const std::string& rendered)
{
    for (const auto kind : {store::LineText::raw, store::LineText::rendered}) {
        store::LineCutter cutter(kind, limit);
        std::string out;
        std::uint64_t last = 0;
        const auto take = [&](const store::LinePiece& line) {
            FUZZ_CHECK(line.offset >= last && line.offset <= bytes.size());
            FUZZ_CHECK(line.text.find('\n') == std::string_view::npos);
            if (kind == store::LineText::raw) FUZZ_CHECK(line.text.size() <= limit);
            last = line.offset;
            out += line.text;
            if (line.ends) out += '\n';
        };
        for (std::size_t at = 0; at < bytes.size(); at += piece)
            cutter.feed(bytes.substr(at, piece), at, take);
        FUZZ_CHECK(kind == store::LineText::raw || fuzz::is_clean(cutter.unfinished(), "\t"));
        cutter.flush(take);
        FUZZ_CHECK(out == (kind == store::LineText::raw ? bytes : rendered));
    }
}

void check_plain_text(std::string_view bytes)
{
    const std::string shown = printable(bytes);
    FUZZ_CHECK(fuzz::is_clean(shown) && fuzz::is_utf8(to_valid_utf8(bytes)) &&
               fuzz::is_clean(last_line(bytes)));
    for (const std::size_t columns : {0u, 1u, 7u, 40u}) {
        const std::string cut = fit(shown, columns);
        FUZZ_CHECK(fuzz::is_clean(cut) && display_width(cut) <= columns);
        FUZZ_CHECK(display_width(shown) > columns || cut == shown);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const unsigned chosen = in.byte();
    const std::size_t limit = chosen < 8 ? 64 * 1024 : chosen;
    const std::size_t piece = 1 + in.byte();
    const std::string_view bytes = in.rest();
    const std::string whole = render_in_pieces(bytes, limit, bytes.size());
    FUZZ_CHECK(fuzz::is_clean(whole, "\n\t"));
    FUZZ_CHECK(render_in_pieces(bytes, limit, piece) == whole);
    FUZZ_CHECK(!store::is_plain(bytes) || whole == bytes);
    // The cutter's renderer holds a character more than the limit, so that none is cut there.
    check_cutter(bytes, limit, piece, render_in_pieces(bytes, limit + 4, bytes.size()));
    check_plain_text(bytes);
    return 0;
}
