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

Result<Entry> entry_of(const toml::key& key, const toml::node& node, const std::string& path)
{
    Entry entry;
    entry.key = std::string(key.str());
    entry.key_at = at(path, key.source());
    entry.value_at = at(path, node.source());
    entry.line_at = fmt::format("{}:{}", path, node.source().begin.line);
    if (const auto* text = node.as_string()) {
        entry.value = text->get();
    } else if (const auto* number = node.as_integer()) {
        entry.value = static_cast<long long>(number->get());
    } else {
        return Error::usage(fmt::format("{}: {} cannot be {}; write a string, e.g. \"5s\"", entry.value_at,
                                        printable(fit(entry.key, 40)), kind_of(node)));
    }
    return entry;
}

} // namespace

Result<std::vector<Entry>> parse_toml(std::string_view text, const std::string& path)
{
    const toml::parse_result parsed = toml::parse(text, std::string_view(path));
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return Error::usage(fmt::format("{}: {}", at(path, error.source()), printable(error.description())));
    }
    std::vector<Entry> entries;
    for (const auto& [key, node] : parsed.table()) {
        auto entry = entry_of(key, node, path);
        if (!entry) return entry.error();
        entries.push_back(std::move(*entry));
    }
    return entries;
}

} // namespace bgt::config
