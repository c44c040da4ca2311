#pragma once
/// The files that `--watch` names: which there are, and which have changed. It waits for nothing:
/// its owner asks it once inotify has something to tell, or from time to time.
#include <bgt/base/siphash.hpp>
#include <bgt/core/watch.hpp>
#include <bgt/os/folder_events.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace bgt::supervise {

class WatchedTree {
public:
    /// What is there now is the state that changes are told against. `cwd`: where relative globs
    /// begin. `state_root` is never watched. Error: a folder is not there; more folders or files
    /// match than a supervisor can keep in mind.
    static Result<std::unique_ptr<WatchedTree>> open(const core::WatchSpec&, const std::string& cwd,
                                                     const std::string& state_root);

    int fd() const { return events_.fd(); } ///< readable: take_events(); -1: only look() tells
    /// Why it must be looked at from time to time: inotify can't tell of all. Empty: it can.
    const std::string& polls_because() const { return polls_because_; }

    /// Takes what inotify tells. True: something may have changed.
    bool take_events();
    /// Looks at all. True: something may have changed.
    bool look();

    /// A checkout or the like is under way in a repository around the files.
    bool is_git_busy() const;

    struct Change {
        std::string path; ///< one of them
        std::size_t count = 0;
    };
    /// What has changed since the last call: files that have come, gone, or have another content.
    /// nullopt: nothing, whatever was written.
    std::optional<Change> take_change();

    /// Reads the content of files, to tell later whether another time means another content: of
    /// files of at most 4 MiB, 256 MiB in all. True: there is more to read.
    bool read_some(Instant until);

private:
    using Verdict = core::WatchFilter::Verdict;
    struct Folder {
        int number = -1; ///< at inotify; -1: it is not watched
        std::size_t root = 0;
        Verdict verdict = Verdict::take;
        bool rules_only = false; ///< above a root: of interest is its .gitignore
        std::uint32_t pass = 0;
    };
    struct File {
        os::FileMark mark;
        std::optional<KeyedHash> content;
        std::uint32_t pass = 0;
        std::uint64_t counted = 0; ///< bytes, of those that may be read
    };
    WatchedTree() = default;
    Result<void> begin(std::vector<core::WatchRoot>, const core::WatchSpec&, const std::string& cwd,
                       const std::string& state_root);
    void take_rules_above(std::size_t root);
    void take_rules(const std::string& folder, std::size_t root, bool is_top);
    void walk(const std::string& folder, Folder as, bool is_first);
    void watch(const std::string& path, Folder&);
    void unwatch(Folder&);
    void list(const std::string& path, const Folder&, bool is_first,
              std::vector<std::pair<std::string, Folder>>& todo);
    void note_file(const std::string& path, bool is_first);
    void walk_all(bool is_first);
    void forget(const std::string& folder);
    bool folder_event(const std::string& path, const Folder& in, bool appeared);
    bool is_wanted(const std::string& path) const;
    bool has_changed(const std::string& path, bool decided);
    void set_content(File&, const std::optional<KeyedHash>&);
    std::optional<KeyedHash> hash_of(const std::string& path) const;

    os::FolderEvents events_;
    std::vector<core::WatchFilter> filters_; ///< one a root
    std::map<std::string, Folder> folders_;
    std::unordered_map<int, std::string> by_number_;
    std::map<std::string, File> files_;
    std::set<std::string> git_locks_; ///< files that are there while git works
    std::set<std::string> dirty_;     ///< files of which something was told
    std::deque<std::string> to_read_; ///< files whose content is not known
    std::uint64_t may_read_ = 256ull << 20;
    HashKey key_{};
    std::uint32_t pass_ = 0;
    bool all_dirty_ = false;     ///< events are missing
    bool rules_changed_ = false; ///< a .gitignore has
    bool is_full_ = false;       ///< this pass, inotify has refused a folder
    bool too_many_ = false;
    std::string polls_because_;
};

} // namespace bgt::supervise
