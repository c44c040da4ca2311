#include <bgt/base/text.hpp>

#include "utf8.hpp"

#include <algorithm>

namespace bgt {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view ellipsis = "\xE2\x80\xA6";    // U+2026

bool is_control(char32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/// What a terminal obeys, or a person does not see as it is.
bool is_unsafe(char32_t c)
{
    return is_control(c) || (c >= 0x80 && (rearranges(c) || is_invisible(c)));
}

/// \u202e; two of them beyond U+FFFF.
void append_json_escape(char32_t c, std::string& out)
{
    const auto unit = [&](unsigned value) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out += digits[value >> shift & 0xfu];
    };
    if (c < 0x10000) return unit(c);
    unit(0xd800u + ((c - 0x10000u) >> 10));
    unit(0xdc00u + ((c - 0x10000u) & 0x3ffu));
}

/// Columns of one step; an invalid byte is shown as one sign. VS16 asks for the form of an emoji,
/// which is two columns wide: not every terminal does so, and a line that is a column too short
/// does no harm. `before`: of the step before.
std::size_t columns_of(const CodePoint& point, std::size_t before)
{
    constexpr char32_t vs16 = 0xFE0F;
    if (point.valid && point.value == vs16) return before == 1 ? 1 : 0;
    return point.valid ? static_cast<std::size_t>(column_width(point.value)) : 1;
}

/// More than any script puts on one letter: beyond, they are drawn over the lines above.
constexpr int max_marks = 8;

} // namespace

CodePoint first_code_point(std::string_view bytes)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned lead = at(0);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return {};
    char32_t value = lead & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0u) != 0x80) return {};
        value = value << 6 | (at(i) & 0x3fu);
    }
    const char32_t lowest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (value < lowest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
    return {value, length, true};
}

std::string to_valid_utf8(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const CodePoint point = first_code_point(bytes);
        out += point.valid ? bytes.substr(0, point.length) : replacement;
        bytes.remove_prefix(point.length);
    }
    return out;
}

std::string printable(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size());
    int marks = 0; // on the character before
    while (!bytes.empty()) {
        const CodePoint point = first_code_point(bytes);
        marks =
            point.valid && point.value >= 0x80 && column_width(point.value) == 0 ? marks + 1 : 0;
        if (!point.valid) {
            out += replacement;
        } else if (point.value == '\n' || point.value == '\t') {
            out += ' ';
        } else if (is_unsafe(point.value) || marks > max_marks) {
            out += '?';
        } else {
            out += bytes.substr(0, point.length);
        }
        bytes.remove_prefix(point.length);
    }
    return out;
}

std::string escape_unsafe_json(std::string json)
{
    const auto is_plain = [](char c) { return static_cast<unsigned char>(c) < 0x7f; };
    if (std::all_of(json.begin(), json.end(), is_plain)) return json;
    std::string out;
    out.reserve(json.size());
    std::string_view rest = json;
    while (!rest.empty()) {
        const auto plain = std::find_if_not(rest.begin(), rest.end(), is_plain) - rest.begin();
        out += rest.substr(0, static_cast<std::size_t>(plain));
        rest.remove_prefix(static_cast<std::size_t>(plain));
        if (rest.empty()) break;
        const CodePoint point = first_code_point(rest);
        if (point.valid && is_unsafe(point.value)) append_json_escape(point.value, out);
        else out += rest.substr(0, point.length);
        rest.remove_prefix(point.length);
    }
    return out;
}

std::size_t display_width(std::string_view utf8)
{
    std::size_t width = 0, last = 0;
    while (!utf8.empty()) {
        const CodePoint point = first_code_point(utf8);
        last = columns_of(point, last);
        width += last;
        utf8.remove_prefix(point.length);
    }
    return width;
}

std::string fit(std::string_view utf8, std::size_t columns)
{
    std::size_t width = 0, last = 0;
    std::size_t kept = 0; // bytes that leave room for the sign of the cut
    for (std::size_t at = 0; at < utf8.size();) {
        const CodePoint point = first_code_point(utf8.substr(at));
        last = columns_of(point, last);
        width += last;
        if (width > columns)
            return columns == 0 ? "" : std::string(utf8.substr(0, kept)).append(ellipsis);
        at += point.length;
        if (width < columns) kept = at;
    }
    return std::string(utf8);
}

std::string shell_quote(std::string_view word)
{
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    const auto is_plain = [&](char c) {
        return is_name(c) || std::string_view("@%+:,./-=").find(c) != std::string_view::npos;
    };
    const auto name_end = std::find_if_not(word.begin(), word.end(), is_name);
    const bool assigns =
        name_end != word.end() && *name_end == '='; // `A=b` as a first word is no command
    if (!word.empty() && !assigns && std::all_of(word.begin(), word.end(), is_plain))
        return std::string(word);
    std::string out = "'";
    for (const char c : word) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t end = std::min(text.find(separator, from), text.size());
        parts.emplace_back(text.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

std::string shell_join(const std::vector<std::string>& words)
{
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        line += shell_quote(word);
    }
    return line;
}

} // namespace bgt
