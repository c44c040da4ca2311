#include <bgt/config/settings.hpp>

#include "alert_table.hpp"
#include "keys.hpp"
#include "toml.hpp"
#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace bgt::config {

namespace {

std::string folder_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string join(const std::string& folder, std::string_view name)
{
    return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

Error unknown_key(const Entry& entry)
{
    std::vector<std::string> names{"rule", "alert", "task", "schedule"};
    for (const Key& key : all_keys()) names.emplace_back(key.name);
    const auto near = near_matches(entry.key, names);
    const auto hint = near.empty() ? std::string("`bgt config` lists all")
                                   : fmt::format("did you mean `{}`?", near.front());
    return Error::usage(fmt::format("{}: unknown key {}; {}", entry.key_at,
                                    shell_quote(fit(printable(entry.key), 40)), hint));
}

/// What is wrong with the options of a rule is for those to say who know them; `match` is ours.
Result<Rule> rule_of(RuleTable table, const std::string& folder, Origin origin)
{
    const auto found = std::find_if(table.entries.begin(), table.entries.end(),
                                    [](const Entry& entry) { return entry.key == "match"; });
    if (found == table.entries.end()) {
        return Error::usage(fmt::format(
            "{}: a rule needs `match`, a regular expression for command lines", table.at));
    }
    const auto* text = std::get_if<std::string>(&found->value);
    if (!text) return Error::usage(fmt::format("{}: match must be a string", found->value_at));
    Rule rule{*text, found->value_at, {}, origin, std::move(table.line_at), folder};
    table.entries.erase(found);
    rule.entries = std::move(table.entries);
    return rule;
}

/// Collects from the weakest source to the strongest.
class Loader {
public:
    explicit Loader(const Sources& sources) : sources_(sources)
    {
        for (const Key& key : all_keys())
            out_.rows.push_back({std::string(key.name), {}, Origin::built_in, {}, {}});
    }

    Result<Loaded> run() &&
    {
        if (!sources_.user_file.empty()) {
            if (auto read = take_file_or_warn(sources_.user_file, Origin::user_file); !read)
                return read.error();
        }
        auto found = sources_.project_file.empty() ? take_nearest() : take_named();
        if (!found) return found.error();
        if (auto taken = take_environment(); !taken) return taken.error();
        if (out_.rows[root_row()].origin == Origin::environment) out_.root_in_doubt = false;
        const auto keys = all_keys();
        for (std::size_t i = 0; i < keys.size(); ++i)
            out_.rows[i].value = keys[i].print(out_.settings);
        return std::move(out_);
    }

private:
    static std::size_t root_row()
    {
        const auto keys = all_keys();
        return static_cast<std::size_t>(
            std::ranges::find(keys, std::string_view("root"), &Key::name) - keys.begin());
    }

    /// A mistake becomes a warning where it may be passed over.
    Result<void> judge(Result<void> taken)
    {
        if (taken || sources_.mistakes == Mistakes::refuse) return taken;
        out_.warnings.push_back(taken.error().message + " (ignored)");
        return {};
    }

    /// A file that can't be read as a whole counts as one that is there.
    Result<bool> take_file_or_warn(const std::string& path, Origin origin)
    {
        auto there = take_file(path, origin);
        if (there || sources_.mistakes == Mistakes::refuse) return there;
        out_.warnings.push_back(there.error().message + " (the whole file is ignored)");
        out_.root_in_doubt = true;
        return true;
    }

    /// True if the file is there, read or not.
    Result<bool> take_file(const std::string& path, Origin origin)
    {
        auto file = sources_.read(path, sources_.uid);
        if (!file) return file.error();
        if (!file->warning.empty()) out_.warnings.push_back(file->warning);
        if (!file->there || !file->warning.empty()) return file->there;
        auto document = parse_toml(file->text, path);
        if (!document) return document.error();
        if (origin == Origin::project_file)
            out_.settings.project.emplace(path, std::move(file->text), sources_.trust);
        for (const Entry& entry : document->entries) {
            if (auto taken = judge(take_entry(entry, folder_of(path), origin)); !taken)
                return taken.error();
        }
        if (auto taken = judge(take_tasks(std::move(document->tasks), origin)); !taken)
            return taken.error();
        if (auto taken = judge(take_schedules(std::move(document->schedules), origin)); !taken)
            return taken.error();
        BGT_TRY(take_alerts(document->alerts, path, origin));
        std::vector<Rule> rules;
        for (RuleTable& table : document->rules) {
            auto rule = rule_of(std::move(table), folder_of(path), origin);
            if (!rule) {
                if (auto judged = judge(rule.error()); !judged) return judged.error();
                continue;
            }
            rules.push_back(std::move(*rule));
        }
        std::move(out_.settings.rules.begin(), out_.settings.rules.end(),
                  std::back_inserter(rules)); // of a weaker file
        out_.settings.rules = std::move(rules);
        return true;
    }

    Result<void> take_alerts(const std::vector<RuleTable>& tables, const std::string& path,
                             Origin origin)
    {
        std::vector<Alert> alerts;
        for (const RuleTable& table : tables) {
            auto alert = alert_of(table, path, origin);
            if (alert) alerts.push_back(*std::move(alert));
            else BGT_TRY(judge(alert.error()));
        }
        std::move(out_.settings.alerts.begin(), out_.settings.alerts.end(),
                  std::back_inserter(alerts)); // of a weaker file
        out_.settings.alerts = std::move(alerts);
        return {};
    }

    Result<void> take_tasks(std::vector<TaskTable> tasks, Origin origin)
    {
        if (tasks.empty()) return {};
        if (origin != Origin::project_file)
            return Error::usage(
                fmt::format("{}: tasks belong to a folder, so they stand in a bgt.toml there",
                            tasks.front().at));
        out_.settings.tasks = std::move(tasks);
        return {};
    }

    Result<void> take_schedules(std::vector<TaskTable> schedules, Origin origin)
    {
        if (schedules.empty()) return {};
        if (origin != Origin::project_file)
            return Error::usage(fmt::format(
                "{}: schedules belong to a folder, so they stand in a bgt.toml there; bgt schedule "
                "add makes one that belongs to none",
                schedules.front().at));
        out_.settings.schedules = std::move(schedules);
        return {};
    }

    /// Who names a file means that one, and may mean its root: nothing takes its place.
    Result<void> take_named()
    {
        const std::string& path = sources_.project_file;
        const auto file = sources_.read(path, sources_.uid);
        if (!file) return file.error();
        if (!file->there)
            return Error::not_found(named_by() + "there is no file " + printable(path));
        if (!file->warning.empty()) return Error::failed(named_by() + file->warning);
        auto taken = take_file_or_warn(path, Origin::project_file);
        return taken ? Result<void>() : taken.error();
    }

    std::string named_by() const
    {
        return sources_.named_by.empty() ? "" : sources_.named_by + ": ";
    }

    Result<void> take_nearest()
    {
        std::string folder = sources_.cwd;
        while (folder.starts_with('/')) {
            auto there = take_file_or_warn(join(folder, "bgt.toml"), Origin::project_file);
            if (!there) return there.error();
            if (*there || folder == "/") return {};
            folder = folder_of(folder);
        }
        return {};
    }

    Result<void> take_entry(const Entry& entry, const std::string& folder, Origin origin)
    {
        const Key* key = find_key(entry.key);
        if (!key) return unknown_key(entry);
        const auto* number = std::get_if<long long>(&entry.value);
        if (number && !key->takes_number) {
            return Error::usage(fmt::format("{}: {} must be a string", entry.value_at, key->name));
        }
        const std::string text =
            number ? std::to_string(*number) : std::get<std::string>(entry.value);
        return set(*key, text, folder, origin, entry.value_at, entry.line_at);
    }

    Result<void> take_environment()
    {
        for (const Key& key : all_keys()) {
            const std::string variable = variable_of(key);
            const char* text = sources_.env ? sources_.env(variable.c_str()) : nullptr;
            if (!text || *text == '\0')
                continue; // `BGT_GRACE= bgt ...` is how a shell takes a variable back
            auto done =
                judge(set(key, text, sources_.cwd, Origin::environment, variable, variable));
            if (!done) return done.error();
            out_.settings.in_environment.emplace(key.name);
        }
        return {};
    }

    /// `place` is for an error, `where` for the table of what is in force.
    Result<void> set(const Key& key, std::string_view text, const std::string& folder,
                     Origin origin, const std::string& place, const std::string& where)
    {
        const bool counts = origin != Origin::project_file || key.needs == Needs::nothing ||
                            (key.needs == Needs::trust && out_.settings.project->is_trusted());
        Settings other;
        auto done = key.set(counts ? out_.settings : other, text); // a mistake is told either way
        if (!done) {
            const auto name =
                origin == Origin::environment ? std::string() : fmt::format("{}: ", key.name);
            return Error::usage(fmt::format("{}: {}{}", place, name, done.error().message));
        }
        SettingRow& row = out_.rows[static_cast<std::size_t>(&key - all_keys().data())];
        row.ignored.reset(); // a variable takes its place
        if (!counts) {
            row.ignored = IgnoredSetting{std::string(text), where, key.needs};
            return {};
        }
        // A relative path is meant from where it is written.
        std::string& root = out_.settings.root;
        if (key.name == "root" && !root.empty() && root.front() != '/') root = join(folder, root);
        row.origin = origin;
        row.where = where;
        return {};
    }

    const Sources& sources_;
    Loaded out_;
};

} // namespace

Result<core::Pattern> compile(const Rule& rule)
{
    auto pattern = core::Pattern::compile(rule.match);
    if (!pattern)
        return Error::usage(fmt::format("{}: match: {}", rule.match_at, pattern.error().message));
    return pattern;
}

std::vector<Alert> alerts_in_force(const Settings& settings)
{
    std::vector<Alert> out;
    for (const Alert& alert : settings.alerts)
        if (alert.origin != Origin::project_file || settings.project->is_trusted())
            out.push_back(alert);
    return out;
}

Result<Loaded> load(const Sources& sources)
{
    return Loader(sources).run();
}

} // namespace bgt::config
