#pragma once
/// Every option of `bgt run`, defined once: the command line, `[[rule]]` and --explain follow from
/// this table. To add one: a member of RunOptions and a row.
#include "run_options.hpp"

#include <span>
#include <variant>

namespace bgt::cli {

/// What a `[[rule]]` may do with an option; each row of the table says it.
enum class InRules : std::uint8_t {
    no = 1,  ///< nothing: it is about one call, not about a command
    yes,     ///< it describes the command, or limits it: any bgt.toml that is read may say it
    trusted, ///< it runs or redirects something, or acts on other tasks: a bgt.toml must be trusted
             ///< (`bgt trust`)
    trusted_path, ///< the same, and a relative path in its value begins at the folder of the file
    trusted_runs, ///< only the values that run something, `restart` and `exec:CMD`, need trust
};

struct RunOption {
    /// The limit of a row of core::hang_rules.
    struct HangLimit {
        std::size_t row;
    };
    using Member = std::variant<bool RunOptions::*, RunOptions::Word RunOptions::*,
                                RunOptions::Words RunOptions::*, HangLimit>;

    const char* names; ///< "-c,--shell"
    Member member;
    const char* metavar = "";
    Value value = Value::text;
    bool closed = false; ///< `metavar` lists the only values there are: "kill|wait"
    const char* help = "";
    /// Reads one value into the plan (of a flag: ""). Null: needs more than the value, see
    /// request(). An error that begins with dashes names its option; to others the name is added.
    Result<void> (*take)(RunPlan&, const std::string&) = nullptr;
    /// What is in force, as --explain shows it; empty: not worth a line. Null: shown where it was
    /// set, as it was.
    std::string (*print)(const RunPlan&) = nullptr;
    InRules in_rules = {};       ///< must be said
    const char* group = nullptr; ///< the title in --help that begins with it
    bool of_name = false; ///< it is about the name of the task, which a [task.NAME] has already

    std::string_view long_name() const; ///< "--shell"
    bool is_flag() const { return member.index() == 0; }
    bool is_list() const { return member.index() == 2; }
    /// Where its one value is; nullptr: it is a flag or a list.
    RunOptions::Word* word(RunOptions&) const;
    const RunOptions::Word* word(const RunOptions&) const;
    bool is_set(const RunOptions&) const;
    /// The values it has been given; of a flag one empty one.
    std::vector<std::string> values(const RunOptions&) const;
    /// A bgt.toml must be trusted for its rule to set it to these.
    bool needs_trust(const std::vector<std::string>& values) const;
};

std::span<const RunOption> run_options();

// run_checks.cpp
/// What can't stand together, whoever said it. Error (usage).
Result<void> check_conflicts(const RunOptions&);
/// Options without the one that gives them a meaning. Error (usage).
Result<void> check_needs(const RunOptions&);
/// Whether `given` leaves no room for `other`.
bool excludes(const RunOptions& given, std::string_view other);

// run_rules.cpp
/// Judges all rules, fills in what the first that matches says and neither the command line nor the
/// environment did. Of a bgt.toml that is not trusted, what needs trust goes to
/// RunOptions::ignored; and its rule takes no place of the user's own: it fills in only what the
/// first of those that matches has left. Which rules were applied. Error (usage): a mistake in any
/// of them, with its place.
Result<std::vector<const config::Rule*>> apply_rules(RunOptions&, const config::Settings&);
/// Judges them only.
Result<void> check_rules(const std::vector<config::Rule>&);
/// One key of a table in a file.
struct TableKey {
    const config::Entry& entry;
    const std::string& folder;           ///< of the file: where relative paths in it begin
    const char* table;                   ///< "a rule"
    const char* takes;                   ///< besides the options of `bgt run`: "`match`"
    const std::vector<std::string>& own; ///< those keys, to be near to what was written
};
/// Sets its option, judged as the command line's would be. Returns the option, which is none where
/// the key says what holds anyway (`split = false`). Error (usage): with the place.
Result<const RunOption*> take_key(RunOptions&, const TableKey&);
/// The words that the command line would have for it. Error (usage): not of a type that the option
/// takes.
Result<std::vector<std::string>> words_of(const config::Entry&, bool is_flag, bool is_list,
                                          bool takes_number);
/// "output_timeout" of --output-timeout.
std::string key_name(std::string_view long_name);
/// What of a rule needs trust where it stands in a bgt.toml. Precondition: check_rules() found no
/// mistake in it.
std::vector<config::Entry> entries_that_need_trust(const config::Rule&);

// option_parsers.cpp: readers of values.
Result<int> parse_int(const std::string& text, int low, int high);
namespace take {
Result<void> kind_service(RunPlan&, const std::string&);
Result<void> kind_job(RunPlan&, const std::string&);
Result<void> name(RunPlan&, const std::string&);
Result<void> tag(RunPlan&, const std::string&);
Result<void> limit(RunPlan&, const std::string&);
Result<void> memory_max(RunPlan&, const std::string&);
Result<void> log_max(RunPlan&, const std::string&);
Result<void> nice(RunPlan&, const std::string&);
Result<void> grace(RunPlan&, const std::string&);
Result<void> stop_signals(RunPlan&, const std::string&);
Result<void> kill_mode(RunPlan&, const std::string&);
Result<void> leftover(RunPlan&, const std::string&);
Result<void> on_hang(RunPlan&, const std::string&);
Result<void> dump(RunPlan&, const std::string&);
Result<void> progress_pattern(RunPlan&, const std::string&);
Result<void> retries(RunPlan&, const std::string&);
Result<void> backoff(RunPlan&, const std::string&);
Result<void> retry_on(RunPlan&, const std::string&);
Result<void> restart(RunPlan&, const std::string&);
Result<void> max_restarts(RunPlan&, const std::string&);
Result<void> ready_log(RunPlan&, const std::string&);
Result<void> ready_port(RunPlan&, const std::string&);
Result<void> ready_http(RunPlan&, const std::string&);
Result<void> ready_cmd(RunPlan&, const std::string&);
Result<void> ready_file(RunPlan&, const std::string&);
Result<void> ready_notify(RunPlan&, const std::string&);
Result<void> watch(RunPlan&, const std::string&);
Result<void> watch_ignore(RunPlan&, const std::string&);
Result<void> debounce(RunPlan&, const std::string&);
Result<void> on_change(RunPlan&, const std::string&);
Result<void> on_end(RunPlan&, const std::string&);
Result<void> on_fail(RunPlan&, const std::string&);
Result<void> notify(RunPlan&, const std::string&);
} // namespace take

// option_printers.cpp: their counterparts.
namespace print {
std::string limit(const std::optional<Duration>&); ///< "10m", "off"
std::string log_max(const RunPlan&);
std::string hang_limit(const RunPlan&, const core::HangRule&);
std::string on_hang(const RunPlan&);
std::string notice(const RunPlan&, const std::optional<Duration>&);
std::string retries(const RunPlan&);
std::string backoff(const RunPlan&);
std::string restart(const RunPlan&);
std::string max_restarts(const RunPlan&);
std::string watch(const RunPlan&);
std::string debounce(const RunPlan&);
std::string on_change(const RunPlan&);
} // namespace print

} // namespace bgt::cli
