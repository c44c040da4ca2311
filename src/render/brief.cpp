#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/brief.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <chrono>

namespace bgt::render {

namespace {

constexpr std::size_t last_columns = 80;
constexpr double coarse_from = 10; ///< seconds from which on no fraction is told

double seconds(Duration d)
{
    const double exact = std::chrono::duration<double>(d).count();
    const double unit = exact >= coarse_from ? 1 : 10;
    return static_cast<double>(static_cast<std::int64_t>(exact * unit)) / unit;
}

/// The length of the longest prefix of at most `size` bytes that ends with a whole character.
std::size_t whole_characters(std::string_view text, std::size_t size)
{
    if (text.size() <= size) return text.size();
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    return size;
}

} // namespace

boost::json::object brief_task_json(const ops::Snapshot& task, const Moment& now)
{
    boost::json::object out{{"id", task.id.value}};
    const store::Status& status = task.status;
    if (!task.problem.empty()) {
        out["state"] = state_words(task).text;
        out["problem"] = printable(task.problem);
        return out;
    }
    if (!status.name.empty()) out["name"] = to_valid_utf8(status.name);
    out["state"] = state_words(task).text;
    if (ops::is_over(status)) out["exit"] = ops::exit_code(status);
    if (const auto since = age(status, now)) out["age"] = seconds(*since);
    if (!task.ports.empty())
        out["ports"] = boost::json::array(task.ports.begin(), task.ports.end());
    if (status.attempt > 1) out["attempts"] = status.attempt;
    if (std::string last = last_line(task.log_tail); !last.empty())
        out["last"] = fit(last, last_columns);
    return out;
}

std::string cut_lines(std::string_view text, std::size_t line_max)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t newline = text.find('\n');
        const std::string_view line = text.substr(0, newline);
        const std::size_t kept = whole_characters(line, line_max);
        out += line.substr(0, kept);
        if (kept < line.size()) out += fmt::format("… (+{})", line.size() - kept);
        if (newline == std::string_view::npos) break;
        out += '\n';
        text.remove_prefix(newline + 1);
    }
    return out;
}

std::string tail_of(std::string_view text, std::size_t max_bytes, std::size_t line_max)
{
    std::string lines = cut_lines(text, line_max);
    if (lines.size() <= max_bytes) return lines;
    std::size_t from = lines.size() - max_bytes;
    if (lines[from - 1] != '\n') {
        const std::size_t newline = lines.find('\n', from);
        if (newline != std::string::npos && newline + 1 < lines.size()) from = newline + 1;
        while (from < lines.size() && (static_cast<unsigned char>(lines[from]) & 0xc0) == 0x80)
            ++from;
    }
    return lines.substr(from);
}

} // namespace bgt::render
