#include <bgt/render/columns.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::render {
namespace {

constexpr std::size_t gap = 2;

std::vector<std::size_t> natural_widths(const std::vector<Cells>& rows)
{
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Cells& row : rows)
        for (std::size_t c = 0; c < row.size(); ++c)
            widths[c] = std::max(widths[c], display_width(row[c]));
    return widths;
}

/// Of a column that is cut, as long as others can be left out.
constexpr std::size_t useful = 12;

/// By how much all of it, without the columns of width 0, is too wide.
std::size_t excess(const std::vector<std::size_t>& widths, std::size_t width)
{
    std::size_t sum = 0;
    for (const std::size_t one : widths)
        if (one > 0) sum += one + (sum > 0 ? gap : 0);
    return sum > width ? sum - width : 0;
}

void cut(std::vector<std::size_t>& widths, const Cells& titles, const ColumnsStyle& style,
         std::size_t least)
{
    for (const std::size_t c : style.free) {
        const std::size_t title = std::max<std::size_t>(display_width(titles[c]), least);
        const std::size_t room = widths[c] - std::min(widths[c], title);
        widths[c] -= std::min(room, excess(widths, *style.width));
    }
}

void squeeze(std::vector<std::size_t>& widths, const Cells& titles, const ColumnsStyle& style)
{
    if (!style.width) return;
    cut(widths, titles, style, useful);
    for (const std::size_t c : style.unimportant)
        if (excess(widths, *style.width) > 0) widths[c] = 0;
    cut(widths, titles, style, 1);
}

} // namespace

std::string columns(const std::vector<Cells>& rows, const ColumnsStyle& style)
{
    std::vector<std::size_t> widths = natural_widths(rows);
    squeeze(widths, rows.front(), style);
    std::string out;
    for (const Cells& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            if (widths[c] == 0) continue;
            const std::string cell = fit(row[c], widths[c]);
            const std::string blanks(widths[c] - display_width(cell), ' ');
            if (!line.empty()) line.append(gap, ' ');
            const bool is_number = c >= style.first_number && c <= style.last_number;
            line += is_number ? blanks + cell : cell + blanks;
        }
        line.resize(line.find_last_not_of(' ') + 1);
        out += (style.width ? fit(line, std::max<std::size_t>(*style.width, 1)) : line) + '\n';
    }
    return out;
}

} // namespace bgt::render
