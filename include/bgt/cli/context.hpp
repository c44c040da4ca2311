#pragma once
/// What every verb has at hand: settings, the state root, where to print and how.
#include <bgt/config/settings.hpp>
#include <bgt/render/json.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/trust_store.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::cli {

/// Exit codes that are bgt's own (DESIGN 5); a task's own code passes through.
namespace code {
inline constexpr int ok = 0;
inline constexpr int hung = 120;          ///< bgt ended the task because it hung
inline constexpr int cannot_be_met = 121; ///< the condition can no longer be met
inline constexpr int task_timeout = 123;
inline constexpr int wait_timeout = 124;
inline constexpr int failed = 125;
inline constexpr int cannot_exec = 126;
inline constexpr int no_command = 127;
} // namespace code
int exit_code(const Error&);

/// The files that this user has trusted. Error: there is no place for them.
Result<store::TrustStore> trust_store();

/// What the command line names in place of what would be found.
struct Places {
    std::optional<std::string> root;   ///< --root
    std::optional<std::string> config; ///< --config
};

class Context {
public:
    /// Loads the settings; `verb` is named in messages. Warnings go to stderr once.
    static Result<Context> load(const Places&, std::string_view verb = {},
                                config::Mistakes = config::Mistakes::refuse);

    /// What the command line named.
    const Places& places() const { return places_; }
    const config::Loaded& config() const { return config_; }
    const config::Settings& settings() const { return config_.settings; }
    /// Where the root is, whether or not it is there yet.
    Result<std::string> root_path() const;
    /// It was named by --root.
    bool root_from_flag() const { return root_from_flag_; }
    /// The working folder; empty: it is gone.
    const std::string& folder() const { return folder_; }
    /// Opens the root at the first call. `create` makes it where it is missing. Says on stderr that
    /// the root of a bgt.toml is ignored, if tell_ignored() has not.
    Result<store::Root*> root(bool create = false);

    bool stdout_is_terminal() const;
    bool stderr_is_terminal() const;
    /// Colour on stdout: a terminal, no NO_COLOR, TERM not "dumb".
    bool color() const;
    int width() const; ///< of the terminal on stdout
    /// For a table on stdout; nullopt: that is no terminal, and nothing is cut.
    std::optional<std::size_t> table_width() const;

    /// From now on errors are in the JSON answer and not on stderr, until the answer is printed.
    void answer_in_json(render::TaskFields fields);
    /// Which fields of tasks that answer has.
    const render::TaskFields& fields() const { return fields_; }
    /// Of an answer in JSON that was not printed: prints the errors as one.
    void finish();

    /// All of it to stdout, with the errors so far where it is the answer in JSON. A closed pipe
    /// ends the program quietly (as SIGPIPE would); other errors are told, exit 125.
    void print(std::string_view text);
    /// The same, but tells the caller, who knows what the reader misses. EPIPE still ends the
    /// program.
    Result<void> try_print(std::string_view text);
    /// Ends the program as by SIGPIPE: nobody reads stdout any more.
    [[noreturn]] static void end_without_reader();
    /// "bgt VERB: TEXT" on stderr; the exit code is the caller's affair.
    void complain(std::string_view text);
    /// Something went wrong with one task of several, or with all: "bgt VERB: TEXT" on stderr, or
    /// a row of `errors` of the answer in JSON.
    void tell_failure(const std::string& text, int code, store::TaskId task = {});
    /// The same of an error. The exit code that belongs to it.
    int fail(const Error&, store::TaskId task = {});
    /// The same; with `json` (the verb's --json) the error is the answer.
    int fail(const Error&, bool json);
    /// What of a bgt.toml matters to the verb, besides its `root`.
    struct IgnoredKeys {
        std::vector<std::string> options = {}; ///< of its rule
        bool retention = false;                ///< its `keep_*`
        bool hooks = false;                    ///< what follows the end of a task that is started
        bool alerts = false;                   ///< its alerts
    };
    /// Says in one line on stderr what the bgt.toml says of that and is not in force. Nothing where
    /// nothing is, and at the second call.
    void tell_ignored(const IgnoredKeys& = {{}, false, false, false});
    /// A hint on stderr, only where that is a terminal.
    void hint(std::string_view text);

private:
    Places places_;
    config::Loaded config_;
    std::string folder_;
    std::string root_path_; ///< absolute; empty: the default place
    bool root_from_flag_ = false;
    bool told_ignored_ = false;
    std::string verb_;
    std::optional<store::Root> root_;
    bool json_ = false;
    bool answered_ = false;
    render::TaskFields fields_;
    std::vector<render::AnswerError> errors_;
    std::optional<render::AnswerError> error_; ///< that is the answer
};

} // namespace bgt::cli
