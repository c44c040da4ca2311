#include "run_table.hpp"
#include "table_options.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/core/pattern_size.hpp>

namespace bgt::cli {

namespace {

using config::Entry;
using config::Rule;

/// `output_timeout` and `output-timeout` in a file are --output-timeout.
std::string option_name(std::string_view key)
{
    std::string name = "--" + std::string(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

/// The key as files have it.
std::string key_name(const RunOption& option)
{
    return cli::key_name(option.long_name());
}

Error unknown_key(const TableKey& key)
{
    std::vector<std::string> known = key.own;
    known.emplace_back("kind");
    for (const RunOption& option : run_options())
        if (option.in_rules != InRules::no) known.push_back(key_name(option));
    const auto near = near_matches(key.entry.key, known);
    return error_at(key.entry.key_at, "unknown key " +
                                          shell_quote(fit(printable(key.entry.key), 40)) + " in " +
                                          key.table + "; " +
                                          (near.empty() ? "it takes " + std::string(key.takes) +
                                                              " and the options of `bgt "
                                                              "run`"
                                                        : "did you mean `" + near.front() + "`?"));
}

const RunOption* find_option(const Entry& entry)
{
    const auto name = option_name(entry.key);
    for (const RunOption& option : run_options())
        if (option.long_name() == name) return &option;
    return nullptr;
}

Result<const RunOption*> option_of(const TableKey& key)
{
    const RunOption* const option = find_option(key.entry);
    if (!option) return unknown_key(key);
    if (option->in_rules == InRules::no)
        return error_at(key.entry.key_at, option_name(key.entry.key) +
                                              " is for the command line only, not for " +
                                              key.table);
    return option;
}

TableKey of_rule(const Entry& entry, const Rule& rule)
{
    static const std::vector<std::string> own{"match"};
    return {entry, rule.folder, "a rule", "`match`", own};
}

Result<std::vector<std::string>> words_of(const RunOption& option, const Entry& entry)
{
    return cli::words_of(entry, option.is_flag(), option.is_list(),
                         option.value == Value::number || option.value == Value::duration ||
                             option.value == Value::size || key_name(option) == "retry_on");
}

std::string from_folder(const std::string& path, const std::string& folder)
{
    if (path.empty() || path.front() == '/' || path == "null" || path == "pipe" || path == "-")
        return path; // the words of --stdin
    return folder + "/" + path;
}

void set(RunOptions& options, const RunOption& option, std::vector<std::string> words)
{
    if (words.empty()) return;
    if (const auto* flag = std::get_if<0>(&option.member)) options.*(*flag) = true;
    else if (auto* word = option.word(options)) *word = words.back();
    else options.*std::get<2>(option.member) = std::move(words);
}

/// `kind = "service"` is `service = true`, and `service = false` is `job = true`.
Result<Entry> spelled_out(Entry entry)
{
    if (entry.key == "kind") {
        const auto* kind = std::get_if<std::string>(&entry.value);
        if (!kind || (*kind != "service" && *kind != "job"))
            return error_at(entry.value_at, "kind is \"service\" or \"job\"");
        entry.key = *kind;
        entry.value = true;
    } else if ((entry.key == "service" || entry.key == "job") &&
               entry.value == decltype(entry.value)(false)) {
        entry.key = entry.key == "job" ? "service" : "job";
        entry.value = true;
    }
    return entry;
}

/// The rule as options of its own. It must make sense by itself.
Result<RunOptions> options_of(const Rule& rule)
{
    RunOptions out;
    for (const Entry& entry : rule.entries) {
        BGT_TRY_ASSIGN(const RunOption* const option, take_key(out, of_rule(entry, rule)));
        if (option) out.from_rule[std::string(option->long_name())] = entry.line_at;
    }
    if (auto fine = check_conflicts(out); !fine) return error_at(rule.where, fine.error().message);
    auto alone = out;
    alone.from_rule.clear();
    if (auto fine = check_needs(alone); !fine) return error_at(rule.where, fine.error().message);
    return out;
}

/// Of the rule only what nobody said before it.
void fill_in(RunOptions& options, const RunOptions& rule, const config::Settings& settings,
             bool trusted)
{
    const auto given = options;
    for (const RunOption& option : run_options()) {
        if (!option.is_set(rule) || option.is_set(given) || excludes(given, option.long_name()))
            continue;
        if (settings.in_environment.contains(key_name(option))) continue;
        const auto name = std::string(option.long_name());
        if (!trusted && option.needs_trust(option.values(rule))) {
            options.ignored[name] = rule.from_rule.at(name);
            continue;
        }
        set(options, option, option.values(rule));
        options.from_rule[name] = rule.from_rule.at(name);
    }
}

const Rule* first_match(const std::vector<Rule>& rules, bool of_project, const std::string& line)
{
    for (const Rule& rule : rules) {
        if ((rule.origin == config::Origin::project_file) != of_project) continue;
        const auto pattern = config::compile(rule);
        if (pattern && pattern->matches(line)) return &rule;
    }
    return nullptr;
}

constexpr std::size_t max_rules = 1000;
/// Compiling takes time by the size of an expression, and RE2 multiplies that by up to 1000 for
/// `{n}`.
constexpr std::size_t max_regex_bytes = 16 << 10;

/// And those of a file together, once compiled, in instructions: some tens of milliseconds.
constexpr std::size_t max_regex_size = 50'000;

/// `match`, and those in its options.
std::vector<std::string> regexes_of(const Rule& rule)
{
    std::vector<std::string> out{rule.match};
    for (const Entry& entry : rule.entries) {
        const RunOption* const option = find_option(entry);
        if (!option || option->value != Value::regex) continue;
        if (const auto words = words_of(*option, entry))
            out.insert(out.end(), words->begin(), words->end());
    }
    return out;
}

/// Before anything is compiled. Each file has the whole bound: that of a clone does not use up the
/// user's own.
Result<void> check_size(const std::vector<Rule>& rules)
{
    for (const auto origin : {config::Origin::project_file, config::Origin::user_file}) {
        std::size_t count = 0, bytes = 0;
        for (const Rule& rule : rules) {
            if (rule.origin != origin) continue;
            for (const std::string& regex : regexes_of(rule)) bytes += regex.size();
            if (++count > max_rules)
                return error_at(rule.where, "a file may have at most 1000 rules");
            if (bytes > max_regex_bytes)
                return error_at(rule.where, "the regular expressions of the rules in this file are "
                                            "longer than 16 KiB together");
        }
    }
    return {};
}

/// What takes the time: each is compiled only as far as the bound of its file leaves room. One that
/// is wrong for another reason is told about later.
Result<void> check_compiled_size(const std::vector<Rule>& rules)
{
    for (const auto origin : {config::Origin::project_file, config::Origin::user_file}) {
        std::size_t left = max_regex_size;
        for (const Rule& rule : rules) {
            if (rule.origin != origin) continue;
            for (const std::string& regex : regexes_of(rule)) {
                const std::optional<std::size_t> size = core::compiled_size(regex, left);
                if (!size)
                    return error_at(
                        rule.where,
                        "with \"" + fit(printable(regex), 40) +
                            "\" the regular expressions of the rules in this file have more "
                            "than 50000 instructions together once they are compiled: "
                            "shorten the repetitions and classes, or use fewer rules");
                left -= *size;
            }
        }
    }
    return {};
}

} // namespace

std::string key_name(std::string_view long_name)
{
    std::string key(long_name.substr(2));
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

/// `kind = "job"` is spelled out to the flag beforehand.
Result<std::vector<std::string>> words_of(const Entry& entry, bool is_flag, bool is_list,
                                          bool takes_number)
{
    const auto must = [&](const char* what) {
        return error_at(entry.value_at, printable(entry.key) + " must be " + what);
    };
    if (is_flag) {
        const auto* flag = std::get_if<bool>(&entry.value);
        if (!flag) return must("true or false");
        return *flag ? std::vector<std::string>{""} : std::vector<std::string>{};
    }
    if (const auto* text = std::get_if<std::string>(&entry.value)) return std::vector{*text};
    if (const auto* many = std::get_if<std::vector<std::string>>(&entry.value); many && is_list)
        return *many;
    const auto* number = std::get_if<long long>(&entry.value);
    if (number && takes_number) return std::vector{std::to_string(*number)};
    return must(is_list ? "a string or an array of strings" : "a string");
}

Result<const RunOption*> take_key(RunOptions& options, const TableKey& written)
{
    BGT_TRY_ASSIGN(const Entry entry, spelled_out(written.entry));
    const TableKey key{entry, written.folder, written.table, written.takes, written.own};
    BGT_TRY_ASSIGN(const RunOption* const option, option_of(key));
    BGT_TRY_ASSIGN(std::vector<std::string> words, words_of(*option, entry));
    RunPlan scratch;
    for (auto& word : words) {
        if (word.find('\0') != word.npos)
            return error_at(entry.value_at, printable(entry.key) + ": a NUL can't be passed on");
        if (option->in_rules == InRules::trusted_path) word = from_folder(word, key.folder);
        if (option->take == nullptr) continue;
        if (auto taken = option->take(scratch, word); !taken)
            return error_at(
                entry.value_at,
                (taken.error().message.starts_with("--") ? "" : printable(entry.key) + ": ") +
                    taken.error().message);
    }
    if (words.empty()) return static_cast<const RunOption*>(nullptr);
    set(options, *option, std::move(words));
    return option;
}

Result<void> check_rules(const std::vector<Rule>& rules)
{
    BGT_TRY(check_size(rules));
    BGT_TRY(check_compiled_size(rules));
    for (const Rule& rule : rules) {
        BGT_TRY(config::compile(rule));
        BGT_TRY(options_of(rule));
    }
    return {};
}

std::vector<Entry> entries_that_need_trust(const Rule& rule)
{
    std::vector<Entry> out;
    for (const Entry& written : rule.entries) {
        const auto entry = spelled_out(written);
        const auto option = entry ? option_of(of_rule(*entry, rule)) : entry.error();
        const auto words = option ? words_of(**option, *entry) : option.error();
        if (words && !words->empty() && (*option)->needs_trust(*words)) out.push_back(written);
    }
    return out;
}

Result<std::vector<const Rule*>> apply_rules(RunOptions& options, const config::Settings& settings)
{
    std::vector<const Rule*> out;
    if (settings.rules.empty()) return out;
    BGT_TRY(check_rules(settings.rules));
    const auto line = options.command_line();
    const Rule* of_project = first_match(settings.rules, true, line);
    const Rule* of_user = first_match(settings.rules, false, line);
    // Asked only where the answer makes a difference.
    const bool may_differ =
        of_project && (of_user || !entries_that_need_trust(*of_project).empty());
    const bool trusted = !may_differ || settings.project->is_trusted();
    if (of_user && (!of_project || !trusted)) out.push_back(of_user);
    if (of_project) out.push_back(of_project);
    for (const Rule* rule : out) {
        const auto filled = options_of(*rule);
        if (!filled) return filled.error();
        fill_in(options, *filled, settings, trusted || rule == of_user);
    }
    return out;
}

} // namespace bgt::cli
