#include "toml_depth.hpp"

#include <algorithm>

namespace bgt::config {
namespace {

/// The end of the string that begins at `i` with a quote. One of a single line ends at the line's
/// end at the latest.
std::size_t end_of_string(std::string_view text, std::size_t i)
{
    const char quote = text[i];
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool is_long = text.substr(i).starts_with(three);
    for (i += is_long ? 3 : 1; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote == '"') {
            ++i; // what it escapes
        } else if (!is_long && (c == quote || c == '\n')) {
            return c == quote ? i + 1 : i;
        } else if (is_long && text.substr(i).starts_with(three)) {
            // Up to two quotes before the three that end it belong to the string.
            const std::size_t after = std::min(text.find_first_not_of(quote, i), text.size());
            return std::min(after, i + 5);
        }
    }
    return text.size();
}

} // namespace

std::size_t find_deep_key(std::string_view text)
{
    constexpr std::string_view no_part_of_keys = "=,{}[]\n";
    std::size_t line = 1, parts = 1;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            const std::size_t end = end_of_string(text, i);
            line += static_cast<std::size_t>(
                std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                           text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
            i = end;
            continue;
        }
        if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
            continue;
        }
        if (c == '.' && ++parts > max_key_parts) return line;
        if (no_part_of_keys.find(c) != no_part_of_keys.npos) parts = 1;
        if (c == '\n') ++line;
        ++i;
    }
    return 0;
}

} // namespace bgt::config
