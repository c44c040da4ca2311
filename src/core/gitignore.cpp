#include <bgt/core/gitignore.hpp>

#include "wildcard.hpp"

#include <algorithm>

namespace bgt::core {
namespace {

constexpr std::size_t max_rules = 10'000;
constexpr std::size_t max_rule = 4096;

/// Blanks at the end count only behind a backslash.
std::string_view without_trailing_blanks(std::string_view line)
{
    std::size_t end = 0; // behind the last byte that counts
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == ' ') continue;
        if (line[at] == '\\') ++at;
        end = std::min(at + 1, line.size());
    }
    return line.substr(0, end);
}

} // namespace

std::optional<IgnoreRules::Rule> IgnoreRules::parse_rule(std::string_view line)
{
    line = without_trailing_blanks(line);
    if (line.empty() || line.front() == '#' || line.size() > max_rule) return std::nullopt;
    Rule rule;
    if (line.front() == '!') {
        rule.negated = true;
        line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
        rule.folders_only = true;
        line.remove_suffix(1);
    }
    rule.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    // An empty part, as in "a//b", matches no name.
    if (line.empty() || line.front() == '/' || line.ends_with('/') ||
        line.find("//") != std::string_view::npos)
        return std::nullopt;
    if (!rule.anchored) {
        rule.parts = {std::string(line)};
        return rule;
    }
    rule.parts = split_pattern(line);
    for (std::string& part : rule.parts)
        if (part.size() > 2 && part.find_first_not_of('*') == std::string::npos) part = "**";
    // "a/**" is all that is in the folder, and not the folder.
    if (rule.parts.back() == "**") rule.parts.insert(rule.parts.end() - 1, "*");
    return rule;
}

IgnoreRules IgnoreRules::parse(std::string_view text)
{
    IgnoreRules out;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    while (!text.empty() && out.rules_.size() < max_rules) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (auto rule = parse_rule(line)) out.rules_.push_back(*std::move(rule));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::optional<bool> IgnoreRules::ignores(std::string_view path, bool is_folder) const
{
    if (rules_.empty()) return std::nullopt;
    const std::vector<std::string_view> names = split_path(path);
    if (names.empty()) return std::nullopt;
    for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
        if (rule->folders_only && !is_folder) continue;
        if (!rule->anchored) {
            if (matches_name(rule->parts.front(), names.back())) return !rule->negated;
            continue;
        }
        PatternWalk walk(rule->parts);
        for (auto name = names.begin(); name != names.end() && walk.is_possible(); ++name)
            walk.enter(*name);
        if (walk.is_at_end()) return !rule->negated;
    }
    return std::nullopt;
}

} // namespace bgt::core
