#include "toml.hpp"

#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <sstream>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace bgt::config {

namespace {

std::string_view kind_of(const toml::node& node)
{
    switch (node.type()) {
    case toml::node_type::none: return "nothing";
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a point";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time of day";
    case toml::node_type::date_time: return "a date and time";
    }
    return "unknown";
}

std::string at(const std::string& path, const toml::source_region& region)
{
    return fmt::format("{}:{}:{}", printable(path), region.begin.line, region.begin.column);
}

Error cannot_be(const Entry& entry, const toml::node& node, std::string_view hint)
{
    return Error::usage(fmt::format("{}: {} cannot be {}{}", entry.value_at, printable(fit(entry.key, 40)), kind_of(node), hint));
}

Entry place_of(const toml::key& key, const toml::node& node, const std::string& path)
{
    Entry entry;
    entry.key = std::string(key.str());
    entry.key_at = at(path, key.source());
    entry.value_at = at(path, node.source());
    entry.line_at = fmt::format("{}:{}", path, node.source().begin.line);
    return entry;
}

/// A whole number or a string, which is what all keys take.
bool take_scalar(Entry& entry, const toml::node& node)
{
    if (const auto* text = node.as_string()) {
        entry.value = text->get();
    } else if (const auto* number = node.as_integer()) {
        entry.value = static_cast<long long>(number->get());
    } else {
        return false;
    }
    return true;
}

Result<Entry> setting_of(const toml::key& key, const toml::node& node, const std::string& path)
{
    Entry entry = place_of(key, node, path);
    if (!take_scalar(entry, node)) return cannot_be(entry, node, "; write a string, e.g. \"5s\"");
    return entry;
}

Result<Entry> option_of(const toml::key& key, const toml::node& node, const std::string& path)
{
    Entry entry = place_of(key, node, path);
    if (take_scalar(entry, node)) return entry;
    if (const auto* flag = node.as_boolean()) {
        entry.value = flag->get();
        return entry;
    }
    const auto* array = node.as_array();
    if (!array) return cannot_be(entry, node, "; write a string, a whole number, true or an array of strings");
    std::vector<std::string> words;
    for (const toml::node& item : *array) {
        if (const auto* text = item.as_string()) {
            words.push_back(text->get());
        } else if (const auto* number = item.as_integer()) {
            words.push_back(std::to_string(number->get()));
        } else {
            return Error::usage(fmt::format("{}: {} cannot hold {}; write an array of strings", at(path, item.source()),
                                            printable(fit(entry.key, 40)), kind_of(item)));
        }
    }
    entry.value = std::move(words);
    return entry;
}

Result<std::vector<RuleTable>> rules_of(const toml::key& key, const toml::node& node, const std::string& path)
{
    const auto* array = node.as_array();
    if (!array) return Error::usage(fmt::format("{}: rules are written [[rule]], with two brackets", at(path, key.source())));
    std::vector<RuleTable> rules;
    for (const toml::node& item : *array) {
        const auto* table = item.as_table();
        if (!table) return Error::usage(fmt::format("{}: a rule is a table, not {}", at(path, item.source()), kind_of(item)));
        RuleTable rule;
        rule.at = at(path, item.source());
        rule.line_at = fmt::format("{}:{}", path, item.source().begin.line);
        for (const auto& [name, value] : *table) {
            auto entry = option_of(name, value, path);
            if (!entry) return entry.error();
            rule.entries.push_back(std::move(*entry));
        }
        rules.push_back(std::move(rule));
    }
    return rules;
}

} // namespace

Result<Document> parse_toml(std::string_view text, const std::string& path)
{
    const toml::parse_result parsed = toml::parse(text, std::string_view(path));
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return Error::usage(fmt::format("{}: {}", at(path, error.source()), printable(error.description())));
    }
    Document document;
    for (const auto& [key, node] : parsed.table()) {
        if (key.str() == "rule") {
            auto rules = rules_of(key, node, path);
            if (!rules) return rules.error();
            document.rules = std::move(*rules);
            continue;
        }
        auto entry = setting_of(key, node, path);
        if (!entry) return entry.error();
        document.entries.push_back(std::move(*entry));
    }
    return document;
}

} // namespace bgt::config
