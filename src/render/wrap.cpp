#include "wrap.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <string_view>

namespace bgt::render {

std::vector<std::string> wrapped(const std::string& text, std::size_t width, std::size_t indent)
{
    std::vector<std::string> lines;
    std::string line;
    bool empty = true;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        if (!empty && display_width(line) + 1 + display_width(word) > width) {
            lines.push_back(fit(line, width));
            line.assign(indent, ' ');
            empty = true;
        }
        if (!empty) line += ' ';
        line += word;
        empty = false;
    }
    lines.push_back(fit(line, width));
    return lines;
}

} // namespace bgt::render
