#include <bgt/render/progress_bar.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace bgt::render {
namespace {

constexpr std::size_t percent_columns = 4; // "100%"
constexpr std::size_t min_with_bar = 10;   // "[==>]  40%"
constexpr std::size_t usual_columns = 28;
constexpr std::size_t min_tail = 8; // " | " and a few letters

} // namespace

std::string progress_bar(double fraction, std::size_t columns)
{
    const double done = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
    const auto percent = static_cast<int>(std::floor(done * 100 + 1e-9));
    const std::string number = fmt::format("{:3}%", percent);
    if (columns < percent_columns) return {};
    if (columns < min_with_bar) return std::string(columns - percent_columns, ' ') + number;
    const std::size_t room = columns - percent_columns - 3; // brackets and a space
    const auto filled =
        std::min(room, static_cast<std::size_t>(done * static_cast<double>(room) + 1e-9));
    std::string bar(filled, '=');
    if (filled < room) bar += '>';
    bar.resize(room, ' ');
    return "[" + bar + "] " + number;
}

std::string progress_line(const ProgressLine& line, std::size_t columns)
{
    std::string text = line.head;
    if (line.fraction) {
        const std::size_t used = std::min(display_width(text) + 1, columns);
        std::size_t room = std::min(usual_columns, columns - used);
        if (room < percent_columns) { // better the figure than all of the head
            room = std::min(percent_columns, columns);
            text = fit(text, columns > room + 1 ? columns - room - 1 : 0);
        }
        if (!text.empty()) text += ' ';
        text += progress_bar(*line.fraction, room);
        const std::string left = line.left ? " ~" + format_age(*line.left) + " left" : "";
        if (display_width(text) + left.size() <= columns) text += left;
    }
    if (!line.tail.empty() && display_width(text) + min_tail <= columns) text += " | " + line.tail;
    return fit(text, columns);
}

} // namespace bgt::render
