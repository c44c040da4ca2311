#include "wildcard.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace bgt::core {
namespace {

constexpr auto npos = std::string_view::npos;

bool is_in(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

/// As the C locale has the classes of man 7 regex. nullopt: there is no such class.
std::optional<bool> is_of_class(std::string_view name, unsigned char byte)
{
    const bool lower = is_in(byte, 'a', 'z'), upper = is_in(byte, 'A', 'Z');
    const bool digit = is_in(byte, '0', '9'), graph = is_in(byte, '!', '~');
    const bool alnum = lower || upper || digit;
    const std::array<std::pair<std::string_view, bool>, 12> classes{{
        {"alnum", alnum},
        {"alpha", lower || upper},
        {"blank", byte == ' ' || byte == '\t'},
        {"cntrl", byte < 32 || byte == 127},
        {"digit", digit},
        {"graph", graph},
        {"lower", lower},
        {"print", graph || byte == ' '},
        {"punct", graph && !alnum},
        {"space", byte == ' ' || is_in(byte, '\t', '\r')},
        {"upper", upper},
        {"xdigit", digit || is_in(byte, 'a', 'f') || is_in(byte, 'A', 'F')},
    }};
    const auto* found = std::ranges::find(classes, name, &std::pair<std::string_view, bool>::first);
    if (found == classes.end()) return std::nullopt;
    return found->second;
}

/// One bracket expression; `at` is behind its `[`.
class Bracket {
public:
    Bracket(std::string_view pattern, std::size_t at) : pattern_(pattern), at_(at) {}

    /// The place behind its `]`; npos: it has none, or means nothing.
    std::size_t read(unsigned char byte, bool& matches)
    {
        const bool negated = !is_over() && (pattern_[at_] == '!' || pattern_[at_] == '^');
        if (negated) ++at_;
        bool found = false;
        for (bool first = true; first || is_over() || pattern_[at_] != ']'; first = false) {
            if (is_over()) return npos;
            if (pattern_.substr(at_).starts_with("[:")) {
                if (!take_class(byte, found)) return npos;
                continue;
            }
            if (!take_range(byte, found)) return npos;
        }
        matches = found != negated;
        return at_ + 1;
    }

private:
    bool is_over() const { return at_ >= pattern_.size(); }
    bool take_byte(unsigned char& byte)
    {
        if (!is_over() && pattern_[at_] == '\\') ++at_;
        if (is_over()) return false;
        byte = static_cast<unsigned char>(pattern_[at_++]);
        return true;
    }
    bool take_class(unsigned char byte, bool& found)
    {
        const std::size_t close = pattern_.find(']', at_ + 2);
        if (close == npos) return false;
        if (close < at_ + 3 || pattern_[close - 1] != ':') { // only a `[` that stands for itself
            found |= byte == '[';
            ++at_;
            return true;
        }
        const std::string_view name = pattern_.substr(at_ + 2, close - at_ - 3);
        const std::optional<bool> is = is_of_class(name, byte);
        found |= is.value_or(false);
        at_ = close + 1;
        return is.has_value();
    }
    bool take_range(unsigned char byte, bool& found)
    {
        unsigned char low = 0;
        if (!take_byte(low)) return false;
        unsigned char high = low;
        if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
            ++at_;
            if (!take_byte(high)) return false;
        }
        found |= is_in(byte, low, high);
        return true;
    }

    std::string_view pattern_;
    std::size_t at_;
};

/// Takes one part of the pattern that is no `*`, for this byte. npos: it does not match.
std::size_t take_one(std::string_view pattern, std::size_t at, unsigned char byte)
{
    if (pattern[at] == '?') return at + 1;
    if (pattern[at] == '[') {
        bool matches = false;
        const std::size_t end = Bracket(pattern, at + 1).read(byte, matches);
        return matches ? end : npos;
    }
    if (pattern[at] == '\\') ++at;
    const bool same = at < pattern.size() && static_cast<unsigned char>(pattern[at]) == byte;
    return same ? at + 1 : npos;
}

} // namespace

std::size_t end_of_bracket(std::string_view pattern, std::size_t at)
{
    bool matches = false;
    return Bracket(pattern, at + 1).read(0, matches);
}

bool matches_name(std::string_view pattern, std::string_view name)
{
    std::size_t p = 0, n = 0;
    std::size_t star = npos, star_name = 0; // where to go on when this way ends
    while (true) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_name = n;
            continue;
        }
        if (n == name.size() && p == pattern.size()) return true;
        const std::size_t next = n < name.size() && p < pattern.size()
                                     ? take_one(pattern, p, static_cast<unsigned char>(name[n]))
                                     : npos;
        if (next != npos) {
            p = next;
            ++n;
            continue;
        }
        if (star == npos || star_name >= name.size()) return false;
        p = star;
        n = ++star_name;
    }
}

bool is_plain_name(std::string_view pattern)
{
    return pattern.find_first_of("*?[\\") == npos;
}

std::vector<std::string> split_pattern(std::string_view pattern)
{
    std::vector<std::string> parts(1);
    for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t from = at;
        if (pattern[at] == '/') {
            parts.emplace_back();
            ++at;
            continue;
        }
        if (pattern[at] == '[') at = std::min(end_of_bracket(pattern, at), pattern.size());
        else at = std::min(at + (pattern[at] == '\\' ? 2 : 1), pattern.size());
        parts.back() += pattern.substr(from, at - from);
    }
    std::erase(parts, "");
    return parts;
}

std::vector<std::string_view> split_path(std::string_view path)
{
    std::vector<std::string_view> names;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (slash > 0) names.push_back(path.substr(0, slash));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return names;
}

PatternWalk::PatternWalk(const std::vector<std::string>& pattern)
    : pattern_(pattern), at_(pattern.size() + 1)
{
    at_[0] = true;
    pass_stars();
}

void PatternWalk::pass_stars()
{
    for (std::size_t i = 0; i < pattern_.size(); ++i)
        if (at_[i] && pattern_[i] == "**") at_[i + 1] = true;
}

void PatternWalk::enter(std::string_view name)
{
    std::vector<bool> next(at_.size());
    for (std::size_t i = 0; i < pattern_.size(); ++i) {
        if (!at_[i]) continue;
        if (pattern_[i] == "**") next[i] = true;
        else if (matches_name(pattern_[i], name)) next[i + 1] = true;
    }
    at_ = std::move(next);
    pass_stars();
}

bool PatternWalk::is_possible() const
{
    return std::ranges::find(at_, true) != at_.end();
}

bool PatternWalk::leads_on() const
{
    return std::find(at_.begin(), at_.end() - 1, true) != at_.end() - 1;
}

} // namespace bgt::core
