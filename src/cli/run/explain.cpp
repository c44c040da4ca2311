#include "explain.hpp"

#include "run_table.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>
#include <boost/json.hpp>

namespace bgt::cli {

namespace {

struct Row {
    std::string option; ///< "output-timeout", "kind"
    std::string value;
    std::string
        origin; ///< flag, environment, rule, known-service, project-file, user-file, built-in
    std::string
        where; ///< "BGT_TIMEOUT", "FILE:LINE", the name of the known service, the flag; or empty
};

std::string_view origin_word(config::Origin origin)
{
    switch (origin) {
    case config::Origin::built_in: return "built-in";
    case config::Origin::user_file: return "user-file";
    case config::Origin::project_file: return "project-file";
    case config::Origin::environment: return "environment";
    }
    return "";
}

/// Of an option that was set: by a rule, or on the command line.
Row said(const RunOptions& options, std::string_view option)
{
    const auto rule = options.from_rule.find(option);
    if (rule != options.from_rule.end()) return {"", "", "rule", rule->second};
    return {"", "", "flag", std::string(option)};
}

/// Of one that was not: a setting, or what is built in.
Row unsaid(const config::Loaded& config, std::string_view option)
{
    std::string key(option.substr(2));
    std::replace(key.begin(), key.end(), '-', '_');
    for (const auto& row : config.rows)
        if (row.key == key) return {"", "", std::string(origin_word(row.origin)), row.where};
    return {"", "", "built-in", ""};
}

Row kind_row(const RunOptions& options, const RunPlan& plan)
{
    Row row = plan.kind_option ? said(options, plan.kind_option)
              : plan.known     ? Row{"", "", "known-service", std::string(plan.known->name)}
                               : Row{"", "", "built-in", ""};
    row.option = "kind";
    row.value = to_string(plan.spec.policy.kind);
    return row;
}

std::vector<Row> rows_of(const RunOptions& options, const RunPlan& plan,
                         const config::Loaded& config)
{
    std::vector<Row> rows{kind_row(options, plan)};
    for (const RunOption& option : run_options()) {
        const auto name = option.long_name();
        const bool is_set = option.is_set(options);
        // The kind has a row already; --explain, --json and the command itself are no properties of
        // the task.
        if (name == "--service" || name == "--job" || option.in_rules == InRules::no) continue;
        Row row = is_set ? said(options, name) : unsaid(config, name);
        if (name == "--kill-mode" && plan.forwarder != nullptr)
            row = {"", "", "known-service", std::string(plan.forwarder->name)};
        row.option = name.substr(2);
        if (option.print != nullptr) row.value = option.print(plan);
        if (row.value.empty() && !is_set) continue;
        if (row.value.empty())
            row.value = option.is_flag() ? "yes" : shell_join(option.values(options));
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string from_text(const Row& row)
{
    if (row.origin == "flag") return row.where;
    if (row.origin == "known-service") return "built-in rule \"" + row.where + "\"";
    if (row.where.empty()) return "default";
    return (row.origin == "rule" ? "rule at " : "") + printable(row.where);
}

std::string by_regex(std::string_view regex)
{
    return regex.empty() ? " (by the program's name)"
                         : ", by its match " + shell_quote(printable(regex));
}

/// Which rules apply, with the regex that made them.
std::vector<std::pair<std::string, std::string>> reasons(const RunPlan& plan)
{
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto* rule : plan.rules)
        out.emplace_back(out.empty() ? "rule" : "", printable(rule->where) + by_regex(rule->match));
    if (plan.known != nullptr)
        out.emplace_back(out.empty() ? "rule" : "", "built-in rule \"" +
                                                        std::string(plan.known->name) + "\"" +
                                                        by_regex(plan.known->match));
    if (out.empty()) out.emplace_back("rule", "none applies");
    return out;
}

std::string as_text(const RunOptions& options, const RunPlan& plan, const std::vector<Row>& rows)
{
    std::size_t name = 7, value = 5;
    for (const auto& [option, where] : options.ignored) name = std::max(name, option.size() - 2);
    for (const Row& row : rows) {
        name = std::max(name, row.option.size());
        value = std::max(value, display_width(printable(row.value)));
    }
    const auto pad = [](const std::string& text, std::size_t width) {
        return text + std::string(width - std::min(width, display_width(text)) + 2, ' ');
    };
    std::string out = pad("command", name) + printable(options.command_line()) + "\n";
    for (const auto& [left, right] : reasons(plan)) out += pad(left, name) + right + "\n";
    for (const Row& row : rows)
        out += pad(row.option, name) + pad(printable(row.value), value) + from_text(row) + "\n";
    for (const auto& [option, where] : options.ignored)
        out += pad(option.substr(2), name) + "ignored: " + printable(where) +
               " is in a file that is not trusted\n";
    return out;
}

std::string as_json(const RunOptions& options, const RunPlan& plan, const std::vector<Row>& rows)
{
    namespace json = boost::json;
    json::array list;
    for (const Row& row : rows)
        list.push_back(json::object{
            {"option", row.option},
            {"value", to_valid_utf8(row.value)},
            {"origin", row.origin},
            {"where", row.where.empty() ? json::value() : json::value(to_valid_utf8(row.where))}});
    json::array ignored;
    for (const auto& [option, where] : options.ignored)
        ignored.push_back(
            json::object{{"option", option.substr(2)}, {"where", to_valid_utf8(where)}});
    json::value rule, known;
    if (!plan.rules.empty())
        rule = json::object{{"where", to_valid_utf8(plan.rules.front()->where)},
                            {"match", plan.rules.front()->match}};
    if (plan.known != nullptr) {
        const auto regex = plan.known->match;
        known = json::object{{"name", plan.known->name},
                             {"match", regex.empty() ? json::value() : json::value(regex)}};
    }
    return render::answer_json(
        {{"explain", json::object{{"command_line", to_valid_utf8(options.command_line())},
                                  {"kind", to_string(plan.spec.policy.kind)},
                                  {"rule", rule},
                                  {"known_service", known},
                                  {"options", std::move(list)},
                                  {"ignored", std::move(ignored)}}}});
}

} // namespace

std::string explain(const RunOptions& options, const RunPlan& plan, const config::Loaded& config)
{
    const auto rows = rows_of(options, plan, config);
    return options.json ? as_json(options, plan, rows) : as_text(options, plan, rows);
}

} // namespace bgt::cli
