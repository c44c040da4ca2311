#pragma once
/// Settings with where each came from: flag > BGT_* > nearest bgt.toml > ~/.config/bgt/config.toml
/// > built in.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/config/rule.hpp>
#include <bgt/config/trust.hpp>
#include <bgt/core/event_table.hpp>
#include <bgt/core/task.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bgt::config {

constexpr Duration default_notify_after = std::chrono::seconds(30);

/// Every key there is, and the rules. `grace` in a file is BGT_GRACE in the environment.
struct Settings {
    std::string root; ///< state root, absolute; empty: the default place
    Duration grace = std::chrono::seconds(5);
    std::string stop_signals = "TERM"; ///< as core::parse_stop_signals reads it
    core::Leftover leftover = core::Leftover::kill;
    std::optional<Duration> timeout;                     ///< default of `run --timeout`; off
    std::optional<Duration> cpu_limit;                   ///< default of `run --cpu-limit`; off
    std::uint64_t log_max = 256ull << 20;                ///< bytes; 0: off
    core::EventLevel log_level = core::EventLevel::info; ///< the least severe that is recorded
    std::optional<Duration> shutdown_timeout = std::chrono::seconds(30); ///< `off` forces nothing
    std::string on_end;                   ///< default of `run --on-end`; empty: none
    std::string on_fail;                  ///< default of `run --on-fail`
    std::string notify = "off";           ///< default of `run --notify`: off, desktop, bell
    std::optional<Duration> notify_after; ///< it tells of tasks that lived as long; nullopt: 30s,
                                          ///< and of every one with `run --notify`
    std::size_t keep_ended = 1000;
    std::optional<Duration> keep_age = std::chrono::hours(24 * 30); ///< `off` keeps for ever
    std::size_t history_max = 100'000; ///< records of ended tasks; 0: none is written
    std::vector<TaskTable> tasks; ///< [task.NAME] of the project, in the order of the file; nothing
                                  ///< but `bgt up` looks into them
    std::vector<TaskTable> schedules; ///< [schedule.NAME] of the project; nothing but `bgt schedule
                                      ///< apply` looks into them
    std::vector<Rule> rules;   ///< those of the project first, each file's in its order: the first
                               ///< that matches counts
    std::vector<Alert> alerts; ///< those of the project, which count only where it is trusted, and
                               ///< those of the user's file
    std::set<std::string, std::less<>>
        in_environment;             ///< keys that a variable sets: rules don't change those
    std::optional<Project> project; ///< the bgt.toml that was read
};

/// Those that count: of a bgt.toml that is not trusted, none does.
std::vector<Alert> alerts_in_force(const Settings&);

/// For `bgt config`: one row a key.
struct SettingRow {
    std::string key;
    std::string value; ///< in the words of the file or the environment, without quotes: "5s", "off"
    Origin origin = Origin::built_in;
    std::string where; ///< "BGT_GRACE", "/home/u/p/bgt.toml:3", or empty
    std::optional<IgnoredSetting>
        ignored; ///< what the bgt.toml says, where that would be in force if it counted
};

struct Loaded {
    Settings settings;
    std::vector<SettingRow> rows; ///< in the order of Settings
    std::vector<std::string>
        warnings; ///< e.g. a bgt.toml that was not read because somebody else owns it
    bool root_in_doubt =
        false; ///< a file that may name a root could not be read (Mistakes::pass_over)
};

/// The file as it was found. At most one of `text` and `warning` says something.
struct File {
    bool there = false;
    std::string text;
    std::string warning; ///< it is there, and not to be trusted: why
};

/// What to do about a mistake in a file or a variable.
enum class Mistakes : std::uint8_t {
    refuse,
    pass_over, ///< a warning; the rest counts. For what works without settings: a broken file must
               ///< not keep a task from its end
};

/// What load() reads from; a struct so that tests need no real environment.
struct Sources {
    std::function<const char*(const char*)>
        env;         ///< like getenv(3); an empty variable counts as not set
    std::string cwd; ///< where the search for bgt.toml begins, upwards
    std::string
        user_file; ///< $XDG_CONFIG_HOME/bgt/config.toml or ~/.config/bgt/config.toml; may be absent
    unsigned uid = 0; ///< whose files are trusted (besides root's)
    /// Reads a file if it can be trusted (os::read_trusted): layers up to this one know no
    /// operating system.
    std::function<Result<File>(const std::string& path, unsigned uid)> read;
    TrustCheck trust =
        {}; ///< of a bgt.toml; called at most once, and only where something needs it
    Mistakes mistakes = Mistakes::refuse;
    std::string project_file = {}; ///< read in place of the bgt.toml that a search would find;
                                   ///< absolute. Empty: there is a search
    std::string named_by = {};     ///< who named it: "--config"
};

/// Error (usage): an unknown key, a wrong type or value, a rule without `match`, with file, line
/// and column or the variable's name; (failed): an unreadable file. What rules say is not judged
/// here: see compile() and `bgt run`. A file owned by another user than `uid` and root, or writable
/// by others, is not read and a warning says so: it could name commands to run. Of a bgt.toml that
/// is not trusted, the keys that need it are not in force, however it was found. The search for
/// bgt.toml ends at the first one, read or not. A `project_file` that is not there, or can't be
/// read, is an error whatever `mistakes` says: another file might name another root. A relative
/// `root` counts from the folder of the file that says it, in the environment from `cwd`. Costs a
/// few `stat` calls where there are no files.
Result<Loaded> load(const Sources&);

} // namespace bgt::config
