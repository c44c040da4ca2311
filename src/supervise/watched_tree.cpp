#include "watched_tree.hpp"

#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_folders = 100'000;
constexpr std::size_t max_files = 500'000;
constexpr std::size_t max_depth = 64;
constexpr std::uint64_t max_content = 4u << 20;
constexpr std::uint64_t max_rules_file = 1u << 20;
constexpr int max_parents = 64;
constexpr const char* rules_name = ".gitignore";

std::string join(const std::string& folder, const std::string& name)
{
    return folder == "/" ? folder + name : folder + "/" + name;
}

std::string parent_of(const std::string& path)
{
    const std::size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string real_path(const std::string& path)
{
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           std::free);
    return real ? std::string(real.get()) : path;
}

std::size_t depth_of(const std::string& path)
{
    return static_cast<std::size_t>(std::ranges::count(path, '/'));
}

/// The first key of the map that is not below the folder, from `at` on, which is.
template <class Map>
auto end_below(const Map& map, const std::string& folder)
{
    return map.lower_bound(folder == "/" ? std::string("0") : folder + "0"); // '0' follows '/'
}

/// Of a working tree or a submodule, `.git` is a file that says where the folder is.
std::string git_folder(const std::string& top)
{
    constexpr std::string_view prefix = "gitdir: ";
    const std::string there = join(top, ".git");
    std::string text = os::read_content(there, PATH_MAX).value_or("");
    if (!text.starts_with(prefix)) return there;
    text.erase(0, prefix.size());
    text.erase(std::min(text.find('\n'), text.size()));
    return text.starts_with('/') ? text : join(top, text);
}

std::string full_words(const Error& error)
{
    if (error.sys_errno == ENOSPC)
        return "the user's inotify watches are all in use (sysctl fs.inotify.max_user_watches)";
    if (error.sys_errno == EMFILE)
        return "the user's inotify instances, or the descriptors, are all in use (sysctl "
               "fs.inotify.max_user_instances)";
    return "inotify: " + error.message;
}

} // namespace

Result<std::unique_ptr<WatchedTree>> WatchedTree::open(const core::WatchSpec& watch,
                                                       const std::string& cwd,
                                                       const std::string& state_root)
{
    auto roots = core::parse_globs(watch.globs, cwd);
    if (!roots) return roots.error();
    std::unique_ptr<WatchedTree> tree(new WatchedTree);
    BGT_TRY(tree->begin(*std::move(roots), watch, cwd, state_root));
    return tree;
}

Result<void> WatchedTree::begin(std::vector<core::WatchRoot> roots, const core::WatchSpec& watch,
                                const std::string& cwd, const std::string& state_root)
{
    static_cast<void>(os::fill_random(key_.data(), key_.size())); // without, a fixed key is as good
    if (auto events = os::FolderEvents::create()) events_ = *std::move(events);
    else polls_because_ = full_words(events.error());
    for (core::WatchRoot& root : roots) {
        if (!os::is_folder(root.folder))
            return Error::failed(
                fmt::format("--watch: there is no folder {}", printable(root.folder)));
        filters_.emplace_back(std::move(root), watch.ignored, cwd,
                              std::vector{real_path(state_root)});
    }
    walk_all(true);
    if (too_many_)
        return Error::failed(fmt::format(
            "--watch: more than {} folders or {} files match: take narrower globs, or leave "
            "folders out by --watch-ignore",
            max_folders, max_files));
    return {};
}

/// The folders of the repository around a root: their rules count in it.
void WatchedTree::take_rules_above(std::size_t root)
{
    std::vector<std::string> above;
    std::string folder = filters_[root].root();
    for (int i = 0; i < max_parents; ++i) {
        if (os::is_there(join(folder, ".git"))) {
            git_locks_.insert(git_folder(folder) + "/index.lock");
            break;
        }
        if (folder == "/" || i + 1 == max_parents) return; // in no repository
        folder = parent_of(folder);
        above.push_back(folder);
    }
    for (const std::string& each : above) {
        take_rules(each, root, each == folder);
        Folder& known = folders_[each];
        if (known.number < 0 && known.pass == 0)
            known = Folder{.root = root, .verdict = Verdict::skip, .rules_only = true};
        known.pass = pass_;
        watch(each, known);
    }
}

void WatchedTree::take_rules(const std::string& folder, std::size_t root, bool is_top)
{
    std::string text;
    if (is_top || os::is_there(join(folder, ".git")))
        text =
            os::read_content(join(folder, ".git/info/exclude"), max_rules_file).value_or("") + "\n";
    if (auto rules = os::read_content(join(folder, rules_name), max_rules_file)) text += *rules;
    filters_[root].set_rules(folder, core::IgnoreRules::parse(text));
}

void WatchedTree::walk_all(bool is_first)
{
    ++pass_;
    is_full_ = false;
    for (std::size_t root = 0; root < filters_.size(); ++root) {
        take_rules_above(root);
        const std::string folder = filters_[root].root();
        walk(folder, Folder{.root = root}, is_first);
    }
    std::vector<std::string> gone;
    for (const auto& [path, folder] : folders_)
        if (folder.pass != pass_) gone.push_back(path);
    for (const std::string& path : gone) forget(path);
    for (const auto& [path, file] : files_)
        if (file.pass != pass_) dirty_.insert(path);
    if (!is_full_ && events_.fd() >= 0) polls_because_.clear();
    for (const core::WatchFilter& filter : filters_)
        if (!folders_.contains(filter.root()))
            polls_because_ = fmt::format("{} is not there", printable(filter.root()));
}

/// Watches the folder and what is below it. The order is that nothing is missed: it is watched
/// first, and read then.
void WatchedTree::walk(const std::string& folder, Folder as, bool is_first)
{
    std::vector<std::pair<std::string, Folder>> todo{{folder, as}};
    while (!todo.empty()) {
        auto [path, wanted] = std::move(todo.back());
        todo.pop_back();
        if (path.size() >= PATH_MAX || depth_of(path) > max_depth + depth_of(folder)) continue;
        too_many_ |= folders_.size() >= max_folders || files_.size() >= max_files;
        if (too_many_) return;
        const bool is_root = path == filters_[wanted.root].root();
        if (is_root && !os::is_folder(path)) continue;
        Folder& known = folders_[path];
        wanted.number = known.number;
        wanted.pass = pass_;
        known = wanted;
        watch(path, known);
        if (known.verdict == Verdict::take || known.verdict == Verdict::named_only)
            list(path, known, is_first, todo);
    }
}

void WatchedTree::watch(const std::string& path, Folder& folder)
{
    const bool is_root = path == filters_[folder.root].root() || folder.rules_only;
    // Of a root nobody tells that another folder has taken its place.
    if ((folder.number >= 0 && !is_root) || is_full_) return;
    const auto number = events_.add(path, is_root);
    if (number && *number == folder.number) return;
    if (number) {
        unwatch(folder);
        // The same folder by another path, as with a bind mount, is watched once.
        if (by_number_.emplace(*number, path).second) folder.number = *number;
        return;
    }
    const int why = number.error().sys_errno;
    if (why == ENOENT || why == ENOTDIR || why == ELOOP || why == EACCES) return;
    is_full_ = true;
    polls_because_ = full_words(number.error());
}

void WatchedTree::unwatch(Folder& folder)
{
    if (folder.number < 0) return;
    events_.remove(folder.number);
    by_number_.erase(folder.number);
    folder.number = -1;
}

void WatchedTree::list(const std::string& path, const Folder& folder, bool is_first,
                       std::vector<std::pair<std::string, Folder>>& todo)
{
    const core::WatchFilter& filter = filters_[folder.root];
    take_rules(path, folder.root, false);
    const auto entries = os::list_folder(path, path == filter.root());
    if (!entries) return; // gone, or not ours to read
    for (const os::FolderEntry& entry : *entries) {
        const std::string below = join(path, entry.name);
        const Verdict verdict = filter.judge(below, entry.is_folder, folder.verdict);
        if (verdict == Verdict::skip) continue;
        if (entry.is_folder)
            todo.emplace_back(below, Folder{.root = folder.root, .verdict = verdict});
        else note_file(below, is_first);
    }
}

void WatchedTree::note_file(const std::string& path, bool is_first)
{
    const auto found = files_.find(path);
    if (found != files_.end()) {
        found->second.pass = pass_;
        if (os::mark_file(path) != found->second.mark) dirty_.insert(path);
        return;
    }
    // With other rules, what was ignored before is no change; what is new was told.
    const bool is_known = is_first || (rules_changed_ && !all_dirty_);
    if (!is_known) {
        dirty_.insert(path);
        return;
    }
    if (dirty_.contains(path)) return;
    if (const auto mark = os::mark_file(path)) {
        files_[path] = File{*mark, {}, pass_};
        to_read_.push_back(path);
    }
}

void WatchedTree::forget(const std::string& folder)
{
    const auto drop = [&](auto from) {
        unwatch(from->second);
        return folders_.erase(from);
    };
    if (const auto itself = folders_.find(folder); itself != folders_.end()) {
        filters_[itself->second.root].forget_rules_below(folder);
        drop(itself);
    }
    for (auto at = folders_.lower_bound(join(folder, "")); at != end_below(folders_, folder);)
        at = drop(at);
    for (auto at = files_.lower_bound(join(folder, "")); at != end_below(files_, folder); ++at)
        dirty_.insert(at->first);
}

bool WatchedTree::folder_event(const std::string& path, const Folder& in, bool appeared)
{
    const std::size_t before = dirty_.size();
    const Verdict verdict = filters_[in.root].judge(path, true, in.verdict);
    if (verdict == Verdict::skip && !folders_.contains(path)) return false;
    forget(path);
    if (appeared && verdict != Verdict::skip)
        walk(path, Folder{.root = in.root, .verdict = verdict}, false);
    return dirty_.size() > before;
}

bool WatchedTree::take_events()
{
    const os::FolderEvents::Batch batch = events_.take();
    bool may_differ = batch.overflow;
    all_dirty_ |= batch.overflow;
    for (const os::FolderEvents::Event& event : batch.events) {
        const auto known = by_number_.find(event.folder);
        if (known == by_number_.end()) continue;
        const std::string folder = known->second;
        const Folder in = folders_.at(folder);
        if (event.name.empty()) {
            const bool is_root = folder == filters_[in.root].root();
            if (!event.unwatched && !is_root) continue;      // the folder that it is in tells more
            if (!event.unwatched) events_.remove(in.number); // another may be in its place
            by_number_.erase(known);
            folders_.at(folder).number = -1;
            if (is_root) may_differ = all_dirty_ = true;
            continue;
        }
        const std::string path = join(folder, event.name);
        if (event.name == rules_name) may_differ = rules_changed_ = true;
        if (in.rules_only) continue;
        if (event.is_folder) {
            may_differ |= folder_event(path, in, event.appeared);
        } else if (filters_[in.root].judge(path, false, in.verdict) == Verdict::take) {
            dirty_.insert(path);
            may_differ = true;
        }
    }
    return may_differ;
}

bool WatchedTree::look()
{
    all_dirty_ = true;
    walk_all(false);
    all_dirty_ = false;
    return !dirty_.empty();
}

bool WatchedTree::is_git_busy() const
{
    return std::ranges::any_of(git_locks_, os::is_there);
}

bool WatchedTree::is_wanted(const std::string& path) const
{
    const auto folder = folders_.find(parent_of(path));
    return folder != folders_.end() && !folder->second.rules_only &&
           filters_[folder->second.root].judge(path, false, folder->second.verdict) ==
               Verdict::take;
}

void WatchedTree::set_content(File& file, const std::optional<KeyedHash>& content)
{
    may_read_ += std::exchange(file.counted, 0);
    file.content = content;
    if (content) may_read_ -= file.counted = std::min(file.mark.size, may_read_);
}

std::optional<KeyedHash> WatchedTree::hash_of(const std::string& path) const
{
    const auto content = os::read_content(path, max_content);
    if (!content) return std::nullopt;
    return siphash(key_, {reinterpret_cast<const std::uint8_t*>(content->data()), content->size()});
}

/// Brings what is known of the file up to date. `decided`: it matters no more what the answer is.
bool WatchedTree::has_changed(const std::string& path, bool decided)
{
    const auto found = files_.find(path);
    const auto mark = os::mark_file(path);
    if (!mark || !is_wanted(path)) {
        if (found == files_.end()) return false;
        set_content(found->second, std::nullopt);
        files_.erase(found);
        return !mark;
    }
    if (found == files_.end()) {
        files_[path] = File{*mark, {}, pass_};
        to_read_.push_back(path);
        return true;
    }
    File& file = found->second;
    if (file.mark == *mark) return false;
    const bool may_be_same = file.mark.size == mark->size && file.content && !decided;
    const auto content = may_be_same ? hash_of(path) : std::nullopt;
    const bool is_same = content && content == file.content;
    file.mark = *mark;
    set_content(file, content);
    if (!content) to_read_.push_back(path);
    return !is_same;
}

std::optional<WatchedTree::Change> WatchedTree::take_change()
{
    if (all_dirty_ || rules_changed_) walk_all(false);
    all_dirty_ = rules_changed_ = false;
    std::optional<Change> change;
    for (const std::string& path : std::exchange(dirty_, {})) {
        if (!has_changed(path, change.has_value())) continue;
        if (!change) change = Change{path, 0};
        ++change->count;
    }
    return change;
}

bool WatchedTree::read_some(Instant until)
{
    while (!to_read_.empty()) {
        const std::string path = std::move(to_read_.front());
        to_read_.pop_front();
        const auto found = files_.find(path);
        if (found == files_.end() || found->second.content) continue;
        File& file = found->second;
        if (file.mark.size > std::min(max_content, may_read_)) continue;
        // Changed since: what was there before can't be known any more.
        if (os::mark_file(path) != file.mark) continue;
        set_content(file, hash_of(path));
        if (os::now() >= until) return !to_read_.empty();
    }
    return false;
}

} // namespace bgt::supervise
