#include <bgt/core/new_text.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::core {

namespace {

/// The character at the beginning of valid UTF-8, and its length in bytes.
struct Character {
    char32_t value;
    std::size_t length;
};

Character first_character(std::string_view text)
{
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    char32_t value = lead & (0xffu >> (length + 1));
    for (const char c : text.substr(1, length - 1))
        value = value << 6 | (static_cast<unsigned char>(c) & 0x3fu);
    return {value, length};
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_drawn_spinner(char32_t c)
{
    const bool braille = c >= 0x2800 && c <= 0x28ff, circle = c >= 0x25d0 && c <= 0x25d3;
    const bool moon = c >= 0x1f311 && c <= 0x1f318, clock = c >= 0x1f550 && c <= 0x1f567;
    return braille || circle || moon || clock;
}

/// One of | / - \ with nothing but blanks around it.
bool is_lone_stroke(std::string_view text, std::size_t at)
{
    constexpr std::string_view strokes = "|/-\\";
    if (strokes.find(text[at]) == strokes.npos) return false;
    return (at == 0 || is_blank(text[at - 1])) && (at + 1 == text.size() || is_blank(text[at + 1]));
}

constexpr std::uint64_t fnv_offset = 0xcbf29ce484222325, fnv_prime = 0x100000001b3;

std::uint64_t hash_of(std::string_view text)
{
    std::uint64_t hash = fnv_offset;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * fnv_prime;
    return hash;
}

} // namespace

std::string mask_line(std::string_view rendered)
{
    const std::string valid = to_valid_utf8(rendered);
    const std::string_view text = valid;
    std::string masked;
    char run = '\0'; // which mask the text before `at` ends in
    for (std::size_t at = 0; at < text.size();) {
        const Character character = first_character(text.substr(at));
        const bool spinner = is_drawn_spinner(character.value) || is_lone_stroke(text, at);
        const char mask = is_digit(text[at])   ? '#'
                          : is_blank(text[at]) ? ' '
                          : spinner            ? '*'
                                               : '\0';
        if (mask == '\0') masked += text.substr(at, character.length);
        else if (mask != run && !(mask == ' ' && masked.empty())) masked += mask;
        run = mask;
        at += character.length;
    }
    if (run == ' ' && !masked.empty()) masked.pop_back();
    return masked;
}

bool NewText::take(std::string_view rendered_line)
{
    const std::string masked = mask_line(rendered_line);
    if (masked.empty()) return false;
    const std::uint64_t hash = hash_of(masked);
    const auto end = seen_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto found = std::find(seen_.begin(), end, hash);
    if (found != end) {
        std::rotate(found, found + 1, end);
        return false;
    }
    if (count_ == seen_.size()) std::rotate(seen_.begin(), seen_.begin() + 1, seen_.end());
    else ++count_;
    seen_[count_ - 1] = hash;
    return true;
}

} // namespace bgt::core
