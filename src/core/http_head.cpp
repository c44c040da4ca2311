#include <bgt/core/http_head.hpp>

#include <algorithm>
#include <optional>

namespace bgt::core {
namespace {

using State = HttpHead::State;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// Whether `text` begins as `prefix` does, as far as both go; letters of any case.
bool agrees(std::string_view text, std::string_view prefix)
{
    const std::size_t common = std::min(text.size(), prefix.size());
    return std::equal(
        prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(common), text.begin(),
        [](char a, char b) { return (b >= 'a' && b <= 'z' ? b - 'a' + 'A' : b) == a; });
}

/// "HTTP/1.1 200", "HTTP/2 200 OK"
std::optional<int> status_in(std::string_view line)
{
    constexpr std::string_view name = "HTTP/";
    if (line.size() <= name.size() || !agrees(line, name) || !is_digit(line[name.size()]))
        return std::nullopt;
    const std::size_t space = line.find_first_not_of("0123456789.", name.size());
    if (space == line.npos || line[space] != ' ') return std::nullopt;
    const std::size_t at = line.find_first_not_of(' ', space);
    if (at == line.npos || line.size() < at + 3) return std::nullopt;
    const std::string_view digits = line.substr(at, 3);
    const bool goes_on = line.size() > at + 3 && line[at + 3] != ' ' && line[at + 3] != '\t';
    if (!std::ranges::all_of(digits, is_digit) || digits[0] == '0' || goes_on) return std::nullopt;
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

/// The next line without its end, taken from `bytes`; none: it is not complete.
std::optional<std::string_view> take_line(std::string_view& bytes)
{
    const std::size_t end = bytes.find('\n');
    if (end == bytes.npos) return std::nullopt;
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// Takes the rest of a head. False: it is not complete.
bool take_fields(std::string_view& bytes)
{
    while (const auto line = take_line(bytes))
        if (line->empty()) return true;
    return false;
}

} // namespace

HttpHead read_http_head(std::string_view bytes, bool at_end)
{
    while (true) {
        if (!agrees(bytes, "HTTP/")) return {State::not_http};
        const auto line = take_line(bytes);
        if (!line) return {at_end ? State::not_http : State::incomplete};
        const auto status = status_in(*line);
        if (!status) return {State::not_http};
        const bool complete = take_fields(bytes);
        if (!complete && !at_end) return {State::incomplete};
        if (*status / 100 != 1) return {State::complete, *status};
        if (!complete) return {State::not_http}; // the answer proper never came
    }
}

} // namespace bgt::core
