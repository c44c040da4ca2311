#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/progress_bar.hpp>
#include <bgt/render/table.hpp>
#include <bgt/base/terminal_text.hpp>

#include <algorithm>
#include <array>

namespace bgt::render {

namespace {

enum Column : std::size_t { id, name, state, age_, cpu, mem, ports, progress, command, last, column_count };

constexpr std::array<std::string_view, column_count> titles{"ID",  "NAME",  "STATE",   "AGE", "CPU",
                                                            "MEM", "PORTS", "PROGRESS", "COMMAND", "LAST"};
constexpr std::array<bool, column_count> to_the_right{true, false, false, true, true, true, false, false, false, false};
constexpr std::size_t gap = 2;
constexpr std::size_t room_for_last = 110;
constexpr std::size_t least_name = 8;
constexpr std::size_t least_command = 12; ///< columns are left out for these
constexpr std::size_t good_command = 24;  ///< names are cut for these
constexpr std::size_t most_name = 24;
constexpr std::size_t most_ports = 17;
constexpr std::size_t most_ports_narrow = 11;
constexpr std::size_t bar_columns = 16;
constexpr std::size_t bar_columns_narrow = 4; ///< the percentage alone
constexpr std::array<Column, 6> given_up{mem, cpu, ports, age_, progress, name};

struct Cell {
    std::string text;
    std::size_t width = 0;
};

struct Row {
    std::array<Cell, column_count> cells;
    Tone tone = Tone::plain;
};

/// Columns of each column of the table; 0: left out.
using Widths = std::array<std::size_t, column_count>;

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Cell cell_of(std::string text)
{
    const std::size_t width = is_ascii(text) ? text.size() : display_width(text);
    return {std::move(text), width};
}

Cell or_dash(std::string text)
{
    return cell_of(text.empty() ? "-" : std::move(text));
}

std::size_t room_for_ports(std::optional<std::size_t> width)
{
    if (!width) return std::string::npos;
    return *width < room_for_last ? most_ports_narrow : most_ports;
}

std::string bar_of(const store::Status& status, std::optional<std::size_t> width)
{
    if (!status.progress || status.lifecycle == core::Lifecycle::ended) return {};
    return progress_bar(*status.progress, width && *width < room_for_last ? bar_columns_narrow : bar_columns);
}

std::string without_indent(std::string text)
{
    return text.erase(0, text.find_first_not_of(' '));
}

Row row_of(const supervise::Snapshot& task, const Moment& now, const TableStyle& style, bool with_last)
{
    Row row;
    const StateWords words = state_words(task);
    row.tone = words.tone;
    row.cells[id] = cell_of(store::to_string(task.id));
    row.cells[state] = cell_of(words.text);
    if (!task.problem.empty()) {
        for (const Column c : {name, age_, cpu, mem, ports, progress}) row.cells[c] = or_dash({});
        row.cells[command] = cell_of(printable(task.problem));
        return row;
    }
    const auto since = age(task.status, now);
    row.cells[name] = or_dash(printable(task.status.name));
    row.cells[age_] = or_dash(since ? format_age(*since) : "");
    row.cells[cpu] = or_dash(task.cpu ? cpu_words(*task.cpu) : "");
    row.cells[mem] = or_dash(task.rss_bytes ? format_size(*task.rss_bytes) : "");
    row.cells[ports] = or_dash(port_words(task.ports, room_for_ports(style.width)));
    row.cells[progress] = or_dash(bar_of(task.status, style.width));
    row.cells[command] = cell_of(printable(task.status.command));
    if (with_last) row.cells[last] = cell_of(without_indent(last_line(task.log_tail)));
    return row;
}

Widths natural_widths(const std::vector<Row>& rows, bool with_last)
{
    Widths widths{};
    for (std::size_t c = 0; c < column_count; ++c) widths[c] = titles[c].size();
    for (const Row& row : rows)
        for (std::size_t c = 0; c < column_count; ++c) widths[c] = std::max(widths[c], row.cells[c].width);
    if (!with_last) widths[last] = 0;
    // Few tasks tell how far they are.
    const bool none = std::ranges::all_of(rows, [](const Row& row) { return row.cells[progress].text == "-"; });
    if (none) widths[progress] = 0;
    return widths;
}

/// What the columns before COMMAND take, with the gaps after them.
std::size_t taken_before_command(const Widths& widths)
{
    std::size_t taken = 0;
    for (std::size_t c = 0; c < command; ++c)
        if (widths[c] != 0) taken += widths[c] + gap;
    return taken;
}

/// Makes the widths fit: first names give way, then whole columns, then COMMAND and LAST share what is left.
void squeeze(Widths& widths, std::size_t width)
{
    widths[name] = std::min(widths[name], most_name);
    const auto missing = [&](std::size_t for_command) {
        const std::size_t need = taken_before_command(widths) + std::min(widths[command], for_command);
        return need > width ? need - width : 0;
    };
    if (widths[name] > least_name) widths[name] -= std::min(missing(good_command), widths[name] - least_name);
    for (const Column c : given_up)
        if (missing(least_command) > 0) widths[c] = 0;

    const std::size_t taken = taken_before_command(widths);
    const std::size_t rest = width > taken ? width - taken : 0;
    if (widths[last] == 0 || rest < 2 * least_command + gap) {
        widths[last] = 0;
        widths[command] = std::min(widths[command], rest);
        return;
    }
    const std::size_t shared = rest - gap;
    const std::size_t left_by_last = shared - std::min(widths[last], shared);
    widths[command] = std::min(widths[command], std::max(shared / 2, left_by_last));
    widths[last] = std::min(widths[last], shared - widths[command]);
}

void append_cell(std::string& out, const Cell& cell, std::size_t width, bool right, bool is_final, Tone tone)
{
    const bool cut = cell.width > width;
    const std::string shown = cut ? fit(cell.text, width) : std::string();
    const std::string_view text = cut ? std::string_view(shown) : std::string_view(cell.text);
    const std::size_t used = cut ? display_width(shown) : cell.width;
    const std::size_t pad = width > used ? width - used : 0;
    if (right) out.append(pad, ' ');
    if (tone == Tone::plain) out += text;
    else out += colored(text, tone);
    if (!right && !is_final) out.append(pad, ' ');
}

void append_row(std::string& out, const Row& row, const Widths& widths, bool color)
{
    std::size_t final_column = 0; // of those that hold something, so that no line ends in blanks
    for (std::size_t c = 0; c < column_count; ++c)
        if (widths[c] != 0 && !row.cells[c].text.empty()) final_column = c;
    for (std::size_t c = 0; c <= final_column; ++c) {
        if (widths[c] == 0) continue;
        const Tone tone = color && c == state ? row.tone : Tone::plain;
        append_cell(out, row.cells[c], widths[c], to_the_right[c], c == final_column, tone);
        if (c != final_column) out.append(gap, ' ');
    }
    out += '\n';
}

Row header_row()
{
    Row row;
    for (std::size_t c = 0; c < column_count; ++c) row.cells[c] = cell_of(std::string(titles[c]));
    return row;
}

} // namespace

bool has_room_for_last(std::optional<std::size_t> width)
{
    return !width || *width >= room_for_last;
}

std::string task_table(const std::vector<supervise::Snapshot>& tasks, const Moment& now, const TableStyle& style)
{
    const bool with_last = style.last && has_room_for_last(style.width);
    std::vector<Row> rows;
    rows.reserve(tasks.size());
    for (const auto& task : tasks) rows.push_back(row_of(task, now, style, with_last));
    Widths widths = natural_widths(rows, with_last);
    if (style.width) squeeze(widths, std::max<std::size_t>(*style.width, 1));
    // Narrower than even ID and STATE: those two are cut as well, so that no line wraps.
    std::size_t rest = style.width ? *style.width : std::string::npos;
    for (std::size_t& w : widths) {
        w = std::min(w, rest);
        rest -= w == 0 ? 0 : std::min(rest, w + gap);
    }
    std::string out;
    out.reserve((rows.size() + 1) * 100);
    if (style.header) append_row(out, header_row(), widths, false);
    for (const Row& row : rows) append_row(out, row, widths, style.color);
    return out;
}

} // namespace bgt::render
