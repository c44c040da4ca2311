#include <bgt/core/port_in_use.hpp>

#include <algorithm>
#include <string_view>

namespace bgt::core {
namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

bool says_in_use(std::string_view line)
{
    const auto has = [&](std::string_view text) { return line.find(text) != line.npos; };
    return has("eaddrinuse") || has("address already in use") || has("address in use") ||
           has("only one usage of each socket address") || (has("port") && has("in use"));
}

/// How surely the number that begins at `at` is a port.
int rank(std::string_view line, std::size_t at)
{
    const std::string_view before = line.substr(0, at);
    if (before.ends_with("port ") || before.ends_with("port: ") || before.ends_with("port="))
        return 3;
    if (before.ends_with(":")) return 2;
    if (before.ends_with(", ")) return 1; // of a tuple: ('127.0.0.1', 8000)
    return 0;
}

std::uint16_t port_in(std::string_view line)
{
    std::uint16_t port = 0;
    int best = 1;
    for (std::size_t i = 0; i < line.size();) {
        if (!is_digit(line[i]) || (i > 0 && (is_letter(line[i - 1]) || line[i - 1] == '.'))) {
            ++i;
            continue;
        }
        std::size_t end = i;
        unsigned long number = 0;
        for (; end < line.size() && is_digit(line[end]); ++end)
            number = std::min(number * 10 + static_cast<unsigned long>(line[end] - '0'), 100000ul);
        const bool whole = end == line.size() || (!is_letter(line[end]) && line[end] != '.') ||
                           end + 1 == line.size();
        const int rank_here = rank(line, i);
        if (whole && number > 0 && number <= 65535 && rank_here >= best) {
            best = rank_here;
            port = static_cast<std::uint16_t>(number);
        }
        i = end;
    }
    return port;
}

} // namespace

std::optional<std::uint16_t> port_in_use(const std::vector<std::string>& lines)
{
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        std::string small = *line;
        std::ranges::transform(small, small.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (says_in_use(small)) return port_in(small);
    }
    return std::nullopt;
}

} // namespace bgt::core
