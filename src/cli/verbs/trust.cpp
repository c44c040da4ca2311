#include "answer.hpp"
#include "run/run_table.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/alerts.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/render/json.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// Something that a bgt.toml says and that needs its trust, or never applies there.
struct Use {
    std::string where; ///< "FILE:LINE"
    std::string match; ///< of its rule; empty: a setting
    std::string table; ///< "alert p95 > 2x", of which it is a key; empty: of none
    std::string key;
    std::string value;
    bool counts = true; ///< once it is trusted
};

class TrustVerb final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    int add(Context&, const store::TrustStore&, const std::string& file);
    int remove(Context&, const store::TrustStore&, const std::string& file);
    int list(Context&, const store::TrustStore&);
    Result<std::string> file(const Context&) const;

    std::vector<std::string> words_;
    bool list_ = false, revoke_ = false, json_ = false;
};

void TrustVerb::declare(Parser& parser)
{
    parser.words(words_, "DIR", Value::folder);
    parser.flag("--list", list_, "list the trusted files, and whether they have changed");
    parser.flag("--revoke", revoke_, "no longer trust the file");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt trust");
    parser.example("bgt trust --revoke ~/src/project");
}

std::string file_in(const std::string& folder)
{
    return (folder == "/" ? "" : folder) + "/bgt.toml";
}

/// The file that is meant, as the search for bgt.toml would name it. One that is gone can be
/// revoked too.
Result<std::string> TrustVerb::file(const Context& context) const
{
    if (words_.empty()) {
        if (const auto& project = context.settings().project) return project->file();
        return Error::not_found("there is no readable bgt.toml in this folder or above it: use bgt "
                                "trust DIR for another folder");
    }
    char buffer[PATH_MAX];
    const auto& word = words_.front();
    if (::realpath(word.c_str(), buffer) != nullptr) return file_in(buffer);
    if (revoke_ && word.starts_with('/'))
        return file_in(word.size() > 1 && word.ends_with('/') ? word.substr(0, word.size() - 1)
                                                              : word);
    return Error::system(printable(word), errno);
}

std::string text_of(const config::Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) return *text;
    if (const auto* number = std::get_if<long long>(&entry.value)) return std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&entry.value)) return *flag ? "true" : "false";
    return shell_join(std::get<std::vector<std::string>>(entry.value));
}

/// The file as it is where nothing is trusted.
Result<config::Loaded> load_untrusted(const std::string& file)
{
    auto loaded = ops::load_project_file(file);
    if (!loaded && loaded.error().kind == ErrorKind::not_found)
        return Error::not_found("there is no bgt.toml in " +
                                printable(file.substr(0, file.rfind('/'))));
    if (!loaded) return loaded.error();
    BGT_TRY(check_rules(loaded->settings.rules));
    return loaded;
}

void add_alert(std::vector<Use>& out, const config::Alert& alert)
{
    const std::string table = "alert " + core::to_string(alert.rule.when);
    const bool runs = !alert.run.empty();
    if (!runs && alert.webhook.empty())
        return out.push_back({alert.where, "", "", "alert", core::to_string(alert.rule.when)});
    out.push_back(
        {alert.where, "", table, runs ? "run" : "webhook", runs ? alert.run : alert.webhook});
}

std::vector<Use> uses_of(const config::Loaded& loaded)
{
    std::vector<Use> out;
    for (const auto& row : loaded.rows)
        if (row.ignored)
            out.push_back({row.ignored->where, "", "", row.key, row.ignored->value,
                           row.ignored->needs == config::Needs::trust});
    for (const auto& rule : loaded.settings.rules)
        for (const auto& entry : entries_that_need_trust(rule))
            out.push_back({entry.line_at, rule.match, "", entry.key, text_of(entry), true});
    for (const auto& alert : loaded.settings.alerts) add_alert(out, alert);
    for (const auto& schedule : loaded.settings.schedules)
        for (const auto& entry : schedule.entries)
            out.push_back(
                {entry.line_at, "", "schedule " + schedule.name, entry.key, text_of(entry), true});
    return out;
}

/// A value as it would be written in the file: what follows a newline in a command is not taken for
/// a comment.
std::string visible(std::string_view value)
{
    std::string out;
    for (const char c : value) {
        if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else if (c == '\t') out += "\\t";
        else out += c;
    }
    return printable(out);
}

std::string line_of(const Use& use)
{
    std::string out = "  line " + use.where.substr(use.where.rfind(':') + 1) + ": ";
    if (!use.match.empty())
        out += "for commands that match " + shell_quote(printable(use.match)) + ": ";
    if (!use.table.empty()) out += printable(use.table) + ": ";
    out += printable(use.key) + " = " + visible(use.value);
    if (!use.counts) out += " (never applies in a bgt.toml, only in your own settings)";
    return out + "\n";
}

boost::json::object row_json(const std::string& file, std::string_view state)
{
    return {{"file", to_valid_utf8(file)}, {"state", state}, {"uses", nullptr}};
}

int TrustVerb::add(Context& context, const store::TrustStore& store, const std::string& file)
{
    const auto loaded = load_untrusted(file);
    if (!loaded) return context.fail(loaded.error(), json_);
    const auto& project = *loaded->settings.project;
    // The bytes that are shown are the bytes that are trusted: the file is read once.
    if (auto added = store.add(project.file(), project.text()); !added)
        return context.fail(added.error(), json_);
    const auto uses = uses_of(*loaded);
    if (json_) {
        boost::json::array list;
        for (const auto& use : uses)
            list.push_back(boost::json::object{
                {"key", to_valid_utf8(use.key)},
                {"value", to_valid_utf8(use.value)},
                {"where", to_valid_utf8(use.where)},
                {"match", use.match.empty() ? boost::json::value() : boost::json::value(use.match)},
                {"table", use.table.empty() ? boost::json::value()
                                            : boost::json::value(to_valid_utf8(use.table))},
                {"counts", use.counts}});
        auto row = row_json(project.file(), "trusted");
        row["uses"] = std::move(list);
        context.print(render::answer_json({{"trust", boost::json::array{std::move(row)}}}));
        return code::ok;
    }
    std::string out = printable(project.file()) + " is trusted until it changes.";
    out += uses.empty() ? " No key in it needs trust.\n" : " These keys need trust:\n";
    for (const auto& use : uses) out += line_of(use);
    context.print(out);
    return code::ok;
}

int TrustVerb::remove(Context& context, const store::TrustStore& store, const std::string& file)
{
    const auto removed = store.remove(file);
    if (!removed) return context.fail(removed.error(), json_);
    // Its alerts are known to the root, and count until they are forgotten.
    if (auto root = context.root())
        if (auto forgotten = ops::know_alerts(**root, {}, file); !forgotten)
            context.complain(forgotten.error().message);
    if (!*removed)
        return context.fail(Error::not_found(printable(file) +
                                             " was not trusted (bgt trust --list shows which are)"),
                            json_);
    if (json_)
        context.print(
            render::answer_json({{"trust", boost::json::array{row_json(file, "revoked")}}}));
    else context.print(printable(file) + " is no longer trusted\n");
    return code::ok;
}

std::string_view state_of(const store::TrustedFile& trusted)
{
    if (trusted.file.empty()) return "damaged";
    const auto now = ops::read_own_file(trusted.file);
    if (!now || !now->warning.empty()) return "unreadable";
    if (!now->there) return "missing";
    return now->text == trusted.text ? "trusted" : "changed";
}

int TrustVerb::list(Context& context, const store::TrustStore& store)
{
    const auto all = store.list();
    if (!all) return context.fail(all.error(), json_);
    boost::json::array rows;
    std::string text;
    for (const auto& one : *all) {
        const auto state = state_of(one);
        const auto& path = one.file.empty() ? one.entry : one.file;
        if (json_) rows.push_back(row_json(path, state));
        else
            text +=
                std::string(state) + std::string(12 - state.size(), ' ') + printable(path) + "\n";
    }
    context.print(json_ ? render::answer_json({{"trust", std::move(rows)}}) : text);
    return code::ok;
}

int TrustVerb::run(Context& context)
{
    if (list_ && (revoke_ || !words_.empty()))
        return context.fail(Error::usage("--list takes no DIR and no --revoke: it lists all"),
                            json_);
    if (words_.size() > 1)
        return context.fail(Error::usage("one folder, or none for this one: bgt trust [DIR]"),
                            json_);
    const auto store = trust_store();
    if (!store) return context.fail(store.error(), json_);
    if (list_) return list(context, *store);
    const auto where = file(context);
    if (!where) return context.fail(where.error(), json_);
    return revoke_ ? remove(context, *store, *where) : add(context, *store, *where);
}

} // namespace

std::unique_ptr<Verb> make_trust()
{
    return std::make_unique<TrustVerb>();
}

} // namespace bgt::cli
