#include <bgt/base/size.hpp>
#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/progress_bar.hpp>
#include <bgt/render/table.hpp>
#include <bgt/store/dated.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace bgt::render {

namespace {

enum Column : std::size_t {
    id,
    name,
    state,
    age_,
    cpu,
    mem,
    ports,
    progress,
    folder,
    command,
    last,
    column_count
};

constexpr std::array<std::string_view, column_count> titles{
    "ID", "NAME", "STATE", "AGE", "CPU", "MEM", "PORTS", "PROGRESS", "FOLDER", "COMMAND", "LAST"};
constexpr std::array<bool, column_count> to_the_right{true,  false, false, true,  true, true,
                                                      false, false, false, false, false};
constexpr std::size_t gap = 2;
constexpr std::size_t max_last_unpadded = 60;
constexpr std::size_t max_command_unpadded = 120;
constexpr std::size_t room_for_last = 110;
constexpr std::size_t room_for_folder = 140;
constexpr std::size_t max_folder = 30;
constexpr std::size_t min_name = 8;
constexpr std::size_t min_command = 12;  ///< columns are left out for these
constexpr std::size_t good_command = 24; ///< names are cut for these
constexpr std::size_t max_name = 24;
constexpr std::size_t max_ports = 17;
constexpr std::size_t max_ports_narrow = 11;
constexpr std::size_t bar_columns = 16;
constexpr std::size_t bar_columns_narrow = 4; ///< the percentage alone
constexpr std::array<Column, 7> given_up{folder, mem, cpu, ports, age_, progress, name};

/// Where its text stands among the texts of all cells.
struct Cell {
    std::size_t at = 0;
    std::uint32_t size = 0;
    std::uint32_t width = 0; ///< in columns
};

struct Row {
    std::array<Cell, column_count> cells;
    Tone tone = Tone::plain;
};

/// All rows, with their texts one after the other in one string: ten strings a task were half of
/// what a long list cost.
struct Rows {
    std::string texts;
    std::vector<Row> rows;

    std::string_view text_of(const Cell& cell) const
    {
        return std::string_view(texts).substr(cell.at, cell.size);
    }
    Cell add(std::string_view text);
    Cell add_or_dash(std::string_view text) { return add(text.empty() ? "-" : text); }
};

/// Columns of each column of the table; 0: left out.
using Widths = std::array<std::size_t, column_count>;

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Cell Rows::add(std::string_view text)
{
    const std::size_t width = is_ascii(text) ? text.size() : display_width(text);
    const Cell cell{texts.size(), static_cast<std::uint32_t>(text.size()),
                    static_cast<std::uint32_t>(width)};
    texts += text;
    return cell;
}

std::size_t room_for_ports(std::optional<std::size_t> width)
{
    if (!width) return std::string::npos;
    return *width < room_for_last ? max_ports_narrow : max_ports;
}

std::string bar_of(const store::Status& status, std::optional<std::size_t> width)
{
    if (!status.progress || status.lifecycle == core::Lifecycle::ended) return {};
    return progress_bar(*status.progress,
                        width && *width < room_for_last ? bar_columns_narrow : bar_columns);
}

std::string without_indent(std::string text)
{
    return text.erase(0, text.find_first_not_of(' '));
}

/// Its end says more than its begin: "…/shop/frontend".
std::string folder_words(const std::string& path)
{
    const std::string text = printable(path);
    if (display_width(text) <= max_folder) return text;
    auto slash = text.find('/', text.size() - std::min(text.size(), max_folder - 1));
    if (slash == std::string::npos) slash = text.rfind('/');
    return "…" + text.substr(slash);
}

/// "queued, in 3h12m"
std::string with_start(std::string state, const store::Status& status, const Moment& now)
{
    if (status.lifecycle != core::Lifecycle::queued || !status.next_attempt) return state;
    return state + ", in " +
           format_age(std::max(*status.next_attempt - now.wall, Duration::zero()));
}

/// "exit 3, 4m ago"
std::string with_end(std::string state, const ops::Snapshot& task, const Moment& now)
{
    const store::Status& status = task.status;
    if (!task.problem.empty() || status.lifecycle != core::Lifecycle::ended || !status.ended ||
        !store::is_dated(*status.ended))
        return task.problem.empty() ? with_start(std::move(state), status, now) : state;
    const std::string age = format_age(std::max(now.wall - *status.ended, Duration::zero()));
    const auto unit = std::ranges::find_if(age, [](char c) { return c >= 'a' && c <= 'z'; });
    const auto rest = std::find_if(
        unit, age.end(), [](char c) { return c >= '0' && c <= '9'; }); // "4m" of "4m12s" is enough
    return state + ", " + std::string(age.begin(), rest) + " ago";
}

/// How long it has run, or ran.
std::optional<Duration> age_or_run_time(const store::Status& status, const Moment& now)
{
    return status.lifecycle == core::Lifecycle::ended ? run_time(status, now) : age(status, now);
}

void add_row(Rows& to, const ops::Snapshot& task, const Moment& now, const TableStyle& style,
             bool with_last)
{
    Row& row = to.rows.emplace_back();
    const StateWords words = state_words(task);
    row.tone = words.tone;
    row.cells[id] = to.add(store::to_string(task.id));
    row.cells[state] = to.add(with_end(words.text, task, now));
    if (!task.problem.empty()) {
        for (const Column c : {name, age_, cpu, mem, ports, progress, folder})
            row.cells[c] = to.add_or_dash({});
        row.cells[command] = to.add(printable(task.problem));
        return;
    }
    const auto since = age_or_run_time(task.status, now);
    row.cells[name] =
        to.add_or_dash(printable(store::name_said_in(style.project, task.status.name)));
    row.cells[age_] = to.add_or_dash(since ? format_age(*since) : "");
    row.cells[cpu] = to.add_or_dash(task.cpu ? cpu_words(*task.cpu) : "");
    row.cells[mem] = to.add_or_dash(task.rss_bytes ? format_size(*task.rss_bytes) : "");
    row.cells[ports] = to.add_or_dash(port_words(task.ports, room_for_ports(style.width)));
    row.cells[progress] = to.add_or_dash(bar_of(task.status, style.width));
    row.cells[folder] = to.add_or_dash(task.spec ? folder_words(task.spec->cwd) : "");
    row.cells[command] = to.add(printable(task.status.command));
    if (with_last) row.cells[last] = to.add(without_indent(last_line(task.log_tail)));
}

Widths natural_widths(const Rows& all, bool with_last)
{
    Widths widths{};
    for (std::size_t c = 0; c < column_count; ++c) widths[c] = titles[c].size();
    for (const Row& row : all.rows)
        for (std::size_t c = 0; c < column_count; ++c)
            widths[c] = std::max<std::size_t>(widths[c], row.cells[c].width);
    if (!with_last) widths[last] = 0;
    // Few tasks tell how far they are.
    const bool none = std::ranges::all_of(
        all.rows, [&](const Row& row) { return all.text_of(row.cells[progress]) == "-"; });
    if (none) widths[progress] = 0;
    const bool no_folder = std::ranges::all_of(
        all.rows, [&](const Row& row) { return all.text_of(row.cells[folder]) == "-"; });
    widths[folder] = no_folder ? 0 : std::min(widths[folder], max_folder);
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

/// Makes the widths fit: first names give way, then whole columns, then COMMAND and LAST share what
/// is left.
void squeeze(Widths& widths, std::size_t width)
{
    widths[name] = std::min(widths[name], max_name);
    const auto missing = [&](std::size_t for_command) {
        const std::size_t need =
            taken_before_command(widths) + std::min(widths[command], for_command);
        return need > width ? need - width : 0;
    };
    if (widths[name] > min_name)
        widths[name] -= std::min(missing(good_command), widths[name] - min_name);
    for (const Column c : given_up)
        if (missing(min_command) > 0) widths[c] = 0;

    const std::size_t taken = taken_before_command(widths);
    const std::size_t rest = width > taken ? width - taken : 0;
    if (widths[last] == 0 || rest < 2 * min_command + gap) {
        widths[last] = 0;
        widths[command] = std::min(widths[command], rest);
        return;
    }
    const std::size_t shared = rest - gap;
    const std::size_t left_by_last = shared - std::min(widths[last], shared);
    widths[command] = std::min(widths[command], std::max(shared / 2, left_by_last));
    widths[last] = std::min(widths[last], shared - widths[command]);
}

struct Place {
    std::size_t width = 0;
    bool right = false;
    bool is_final = false; ///< of its row: not filled up
    Tone tone = Tone::plain;
};

void append_cell(std::string& out, std::string_view text, std::size_t text_width,
                 const Place& place)
{
    std::string cut;
    if (text_width > place.width) {
        cut = fit(text, place.width);
        text = cut;
        text_width = display_width(cut);
    }
    const std::size_t pad = place.width - text_width;
    if (place.right) out.append(pad, ' ');
    if (place.tone == Tone::plain) out += text;
    else out += colored(text, place.tone);
    if (!place.right && !place.is_final) out.append(pad, ' ');
}

void append_row(std::string& out, const Rows& all, const Row& row, const Widths& widths, bool color)
{
    std::size_t final_column = 0; // of those that hold something, so that no line ends in blanks
    for (std::size_t c = 0; c < column_count; ++c)
        if (widths[c] != 0 && row.cells[c].size != 0) final_column = c;
    for (std::size_t c = 0; c <= final_column; ++c) {
        if (widths[c] == 0) continue;
        const Tone tone = color && c == state ? row.tone : Tone::plain;
        append_cell(out, all.text_of(row.cells[c]), row.cells[c].width,
                    {widths[c], to_the_right[c], c == final_column, tone});
        if (c != final_column) out.append(gap, ' ');
    }
    out += '\n';
}

/// For programs: nothing is filled up, and only COMMAND and LAST are cut.
void append_unpadded(std::string& out, const Rows& all, const Row& row, const Widths& widths)
{
    bool is_first = true;
    for (std::size_t c = 0; c < column_count; ++c) {
        if (widths[c] == 0 || row.cells[c].size == 0) continue;
        if (!std::exchange(is_first, false)) out.append(gap, ' ');
        const std::string_view text = all.text_of(row.cells[c]);
        const std::size_t most = c == last      ? max_last_unpadded
                                 : c == command ? max_command_unpadded
                                                : text.size();
        out += fit(text, most);
    }
    out += '\n';
}

Row header_row(Rows& all)
{
    Row row;
    for (std::size_t c = 0; c < column_count; ++c) row.cells[c] = all.add(titles[c]);
    return row;
}

} // namespace

bool has_room_for_last(std::optional<std::size_t> width)
{
    return !width || *width >= room_for_last;
}

bool has_room_for_folder(std::optional<std::size_t> width)
{
    return width && *width >= room_for_folder;
}

std::string task_table(const std::vector<ops::Snapshot>& tasks, const Moment& now,
                       const TableStyle& style)
{
    const bool with_last = style.last && has_room_for_last(style.width);
    Rows all;
    all.rows.reserve(tasks.size());
    for (const auto& task : tasks) add_row(all, task, now, style, with_last);
    Widths widths = natural_widths(all, with_last);
    if (!style.width) {
        std::string out;
        if (style.header) append_unpadded(out, all, header_row(all), widths);
        for (const Row& row : all.rows) append_unpadded(out, all, row, widths);
        return out;
    }
    squeeze(widths, std::max<std::size_t>(*style.width, 1));
    // Narrower than even ID and STATE: those two are cut as well, so that no line wraps.
    std::size_t rest = *style.width;
    for (std::size_t& w : widths) {
        w = std::min(w, rest);
        rest -= w == 0 ? 0 : std::min(rest, w + gap);
    }
    std::string out;
    out.reserve((tasks.size() + 1) * 100);
    if (style.header) append_row(out, all, header_row(all), widths, false);
    for (const Row& row : all.rows) append_row(out, all, row, widths, style.color);
    return out;
}

} // namespace bgt::render
