#pragma once
/// One verb's command line: each flag is defined once, here, and parsing, help and shell completion
/// follow from it. (CLI11 behind it, in one .cpp: its headers are costly to compile.)
#include <bgt/base/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::cli {

/// What a value is, so that shells can complete it.
enum class Value : std::uint8_t {
    text,
    number,
    duration,
    size,
    regex,
    pid,         ///< nothing to complete
    task,        ///< id or name of a task
    living_task, ///< the same, of which processes live
    task_name,
    tag,
    file,
    folder,
    command,
    signal,
    condition,
    shell,
    limit,   ///< `as=`, `nofile=`, ...
    state,   ///< of a task: `running`, `failed`, ...
    setting, ///< a key of the configuration
    verb
};

/// One flag or option as it was declared. It refers to texts that outlive it, so that to declare
/// all that a verb has costs next to nothing.
struct OptionInfo {
    std::string_view names = {};   ///< "-n,--lines": the short one first
    std::string_view metavar = {}; ///< "N"; empty for a flag
    const char* help = "";         ///< one sentence, no full stop at its end
    Value value = Value::text;
    bool closed = false; ///< `metavar` lists the only values there are: "kill|wait|keep"
    bool repeats = false;
    const char* group = nullptr; ///< the title in --help under which it and those after it stand;
                                 ///< null: that of the one before

    std::vector<std::string_view> all_names() const; ///< "-n", "--lines"
    std::string_view long_name() const;              ///< the last of them
    std::vector<std::string_view> choices() const;   ///< empty: free
};

class Parser {
public:
    /// `synopsis` is what follows the verb in the usage line: "[options] [--] COMMAND...".
    Parser(std::string verb, std::string summary, std::string synopsis);
    ~Parser();
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    /// `names` as "-a,--all". They, `metavar` and `help` must outlive the parser (literals do), the
    /// targets parse().
    void flag(const char* names, bool& target, const char* help);
    void option(const char* names, std::optional<std::string>& target, const char* metavar, Value,
                const char* help);
    /// `choices` as "kill|wait|keep".
    void choice(const char* names, std::optional<std::string>& target, const char* choices,
                const char* help);
    /// May be given several times; each takes one value (a leading dash in it needs `--opt=-x`).
    void list(const char* names, std::vector<std::string>& target, const char* metavar, Value,
              const char* help);
    /// The words that are no options, in any place between them; `-` is such a word.
    void words(std::vector<std::string>& target, std::string metavar, Value);
    /// What the first word is, where it is something else than the rest. (For completion only.)
    void first_word(Value);
    /// The command of `run`: from the first word that is no option on, all is taken as it stands,
    /// options too; a `--` before it is dropped.
    void command(std::vector<std::string>& target);
    /// `-9`, `-INT`, as other programs have them: an argument of one dash whose rest `accepts`
    /// takes goes there, without the dash; it comes before options of the same letters. Any other
    /// word that begins with a dash is an unknown option.
    void dash_word(std::optional<std::string>& target, bool (*accepts)(std::string_view));
    /// Options that are declared after this stand under this title in --help.
    void group(const char* title);
    /// Text for the end of --help.
    void example(std::string line);

    enum class Outcome : std::uint8_t { parsed, help_wanted };
    /// Error (usage): unknown option (with near names), missing value, value not among the choices.
    /// One line.
    Result<Outcome> parse(const std::vector<std::string>& args);

    /// Of a flag that was declared: whether it was given. After parse().
    bool is_set(std::string_view long_name) const;
    /// The value that was given to an option; null: none was, or there is no such option.
    const std::string* value_of(std::string_view long_name) const;

    /// What --help prints, wrapped to `width` columns.
    std::string help(int width) const;
    const std::vector<OptionInfo>& options() const;
    Value words_value() const;
    Value first_word_value() const;
    bool takes_words() const; ///< words() or command() was called
    const std::vector<std::string>& examples() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace bgt::cli
