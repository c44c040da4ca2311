#pragma once
/// What `bgt run --watch` counts as a change, and what follows one. Nothing here looks at a file.
#include <bgt/core/gitignore.hpp>
#include <bgt/core/step.hpp>
#include <bgt/core/watch_spec.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// A pattern of paths below a folder.
class WatchGlob {
public:
    explicit WatchGlob(std::vector<std::string> parts);
    /// `path` is relative to the folder, as everywhere below.
    bool matches(std::string_view path) const;
    /// What lies below this folder may match.
    bool leads_below(std::string_view folder) const;
    /// It has no wildcards, and names this file or folder.
    bool names(std::string_view path) const;
    /// It has no wildcards, and what it names lies below this folder.
    bool names_below(std::string_view folder) const;
    /// As they were given.
    std::vector<std::string> parts() const;

private:
    std::vector<std::string> parts_; ///< where the last one is a name, a `**` was added
    bool plain_;
};

/// A folder and what is watched below it.
struct WatchRoot {
    std::string folder; ///< absolute
    std::vector<WatchGlob> globs;
};

/// Reads globs: `*`, `?` and `[...]` within a name, `**` for any number of folders, `{a,b}`. One
/// without a slash is about `folder` alone. Where the last name has no wildcards, it is a file, or
/// a folder with all that is in it. A name that begins with a dot is no exception. Relative globs
/// begin at `folder`, which is absolute; one that leads out of it gets a root of its own: the
/// folder of its first names without wildcards. Error (usage): what makes no sense.
Result<std::vector<WatchRoot>> parse_globs(const std::vector<std::string>& globs,
                                           std::string_view folder);

/// Which entries of watched folders count. Paths are absolute.
class WatchFilter {
public:
    /// `ignored`: as WatchSpec has it, about `folder`. `never`: these and what is below them never
    /// count.
    WatchFilter(WatchRoot root, const std::vector<std::string>& ignored, std::string folder,
                std::vector<std::string> never);

    enum class Verdict : std::uint8_t {
        skip,
        named_only, ///< a folder that is ignored; a glob without wildcards names something below it
        take,
    };
    /// Of an entry of a folder that was judged before, `in`: named_only or take. The root is taken.
    Verdict judge(const std::string& path, bool is_folder, Verdict in) const;

    /// The .gitignore of a folder, which counts for all that is below it. An empty one is none.
    void set_rules(const std::string& folder, IgnoreRules);
    void forget_rules_below(const std::string& folder);
    const std::string& root() const { return root_.folder; }

private:
    bool is_ignored_by_git(std::string_view path, bool is_folder) const;
    std::string_view relative(std::string_view path) const;

    WatchRoot root_;
    IgnoreRules own_, usual_;
    std::string folder_;
    std::vector<std::string> never_;
    std::map<std::string, IgnoreRules, std::less<>> rules_; ///< by folder
};

/// Gathers changes that come together: it is due once none has come for the debounce time, but at
/// the latest 30 s (or ten times that time, if that is longer) after the first. Version control
/// that is changing files gets ten minutes, and may pause for two seconds.
class Debounce {
public:
    explicit Debounce(Duration quiet) : quiet_(quiet) {}
    void seen(Instant now);
    /// `is_git_busy`: a checkout or the like is under way.
    std::optional<Instant> due(bool is_git_busy = false) const;
    void clear() { first_.reset(); }

private:
    Duration quiet_;
    std::optional<Instant> first_;
    Instant last_{};
};

/// What follows a change, by the state of the task.
enum class ChangeAction : std::uint8_t {
    none,    ///< it is forgotten
    later,   ///< it is kept until the state has changed
    start,   ///< the command does not run: it is started
    restart, ///< it is stopped and started again
    signal,  ///< it gets the signal
};
std::string_view to_string(ChangeAction);
ChangeAction action_for(const WatchSpec&, const State&);

} // namespace bgt::core
