#include "run/run_table.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/render/json.hpp>
#include <boost/json.hpp>

namespace bgt::cli {

namespace {

using config::Origin;
using config::SettingRow;

constexpr std::string_view flag_place =
    "--root"; ///< the one setting that is also an option of every verb

std::string_view origin_word(const SettingRow& row)
{
    if (row.where == flag_place) return "flag";
    switch (row.origin) {
    case Origin::built_in: return "built-in";
    case Origin::user_file: return "user-file";
    case Origin::project_file: return "project-file";
    case Origin::environment: return "environment";
    }
    return "";
}

class Config final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    std::vector<std::string> words_;
    bool json_ = false;
};

void Config::declare(Parser& parser)
{
    parser.words(words_, "KEY", Value::setting);
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt config");
    parser.example("bgt config grace");
}

/// What of the rule is not in force, because its bgt.toml is not trusted.
std::vector<std::string> ignored_keys(const config::Rule& rule, const config::Settings& settings)
{
    std::vector<std::string> out;
    if (rule.origin != Origin::project_file) return out;
    for (const auto& entry : entries_that_need_trust(rule)) out.push_back(printable(entry.key));
    if (!out.empty() && settings.project->is_trusted()) out.clear();
    return out;
}

/// One below the other, in the order in which they are tried.
std::string rules_table(const config::Settings& settings)
{
    const auto& rules = settings.rules;
    std::size_t place = 4;
    for (const auto& rule : rules) place = std::max(place, display_width(printable(rule.where)));
    std::string out;
    const auto add = [&](const std::string& a, const std::string& b) {
        out += a + std::string(place - display_width(a) + 2, ' ') + b + "\n";
    };
    add("RULE", "MATCH");
    for (const auto& rule : rules) {
        std::string keys;
        for (const auto& key : ignored_keys(rule, settings))
            keys += (keys.empty() ? "" : ", ") + key;
        add(printable(rule.where),
            printable(rule.match) +
                (keys.empty() ? "" : "  (ignored, as not trusted: " + keys + ")"));
    }
    return out;
}

std::string ignored_text(const SettingRow& row)
{
    if (!row.ignored) return {};
    const bool never = row.ignored->needs == config::Needs::own_settings;
    return "  (" + printable(row.ignored->where) + " says " + printable(row.ignored->value) +
           "; ignored: " +
           (never ? "it applies in your own settings only)" : "the file is not trusted)");
}

std::string table(const std::vector<SettingRow>& rows)
{
    std::size_t key = 3, value = 5;
    for (const auto& row : rows) {
        key = std::max(key, display_width(row.key));
        value = std::max(value, display_width(printable(row.value)));
    }
    std::string out;
    const auto add = [&](const std::string& a, const std::string& b, const std::string& c) {
        out += a + std::string(key - display_width(a) + 2, ' ') + b +
               std::string(value - display_width(b) + 2, ' ') + c + "\n";
    };
    add("KEY", "VALUE", "FROM");
    for (const auto& row : rows) {
        add(row.key, printable(row.value),
            (row.where.empty() ? std::string(origin_word(row)) : printable(row.where)) +
                ignored_text(row));
    }
    return out;
}

boost::json::array rules_json(const config::Settings& settings)
{
    boost::json::array out;
    for (const auto& rule : settings.rules) {
        boost::json::array options, ignored;
        for (auto& key : ignored_keys(rule, settings)) ignored.emplace_back(std::move(key));
        for (const auto& entry : rule.entries) options.emplace_back(entry.key);
        out.push_back(boost::json::object{
            {"match", rule.match},
            {"origin", rule.origin == Origin::user_file ? "user-file" : "project-file"},
            {"where", to_valid_utf8(rule.where)},
            {"options", std::move(options)},
            {"ignored", std::move(ignored)}});
    }
    return out;
}

boost::json::value ignored_json(const SettingRow& row)
{
    if (!row.ignored) return nullptr;
    const bool never = row.ignored->needs == config::Needs::own_settings;
    return boost::json::object{{"value", to_valid_utf8(row.ignored->value)},
                               {"where", to_valid_utf8(row.ignored->where)},
                               {"reason", never ? "own-settings-only" : "not-trusted"}};
}

std::string as_json(const std::vector<SettingRow>& rows, const config::Settings& all)
{
    boost::json::array settings;
    for (const auto& row : rows) {
        boost::json::value where;
        if (!row.where.empty()) where = to_valid_utf8(row.where);
        settings.push_back(boost::json::object{{"key", row.key},
                                               {"value", to_valid_utf8(row.value)},
                                               {"origin", origin_word(row)},
                                               {"where", where},
                                               {"ignored", ignored_json(row)}});
    }
    return render::answer_json({{"settings", std::move(settings)}, {"rules", rules_json(all)}});
}

int Config::run(Context& context)
{
    std::vector<SettingRow> rows = context.config().rows;
    // The root in force: --root goes before every other place.
    for (auto& row : rows) {
        if (row.key != "root") continue;
        const auto path = context.root_path();
        if (!path) return context.fail(path.error(), json_);
        if (context.root_from_flag()) {
            row.where = flag_place;
            row.ignored.reset();
        }
        row.value = *path;
    }
    context.tell_ignored();
    if (words_.size() > 1)
        return context.fail(Error::usage("one key, or none for all: bgt config [KEY]"), json_);
    if (!words_.empty()) {
        std::vector<std::string> keys;
        for (const auto& row : rows) keys.push_back(row.key);
        const auto& word = words_.front();
        std::erase_if(rows, [&](const SettingRow& row) { return row.key != word; });
        if (rows.empty()) {
            const auto near = near_matches(word, keys);
            return context.fail(
                Error::usage("there is no key '" + fit(printable(word), 40) + "'" +
                             (near.empty() ? " (bgt config lists all)"
                                           : " (did you mean " + near.front() + "?)")));
        }
        if (!json_) {
            // A script gets the value as it is; a terminal must not be given what it would obey.
            const std::string& value = rows.front().value;
            context.print((context.stdout_is_terminal() ? printable(value) : value) + "\n");
            return code::ok;
        }
    }
    const auto& rules = context.settings().rules;
    if (auto fine = check_rules(rules); !fine) return context.fail(fine.error(), json_);
    if (json_) context.print(as_json(rows, context.settings()));
    else
        context.print(table(rows) + (rules.empty() || !words_.empty()
                                         ? ""
                                         : "\n" + rules_table(context.settings())));
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_config()
{
    return std::make_unique<Config>();
}

} // namespace bgt::cli
