// Which entries of watched folders count.
#include <bgt/core/watch.hpp>

#include <algorithm>
#include <utility>

namespace bgt::core {
namespace {

/// What editors and version control write beside the files that are edited, whatever the globs say.
constexpr std::string_view usual_rules = ".*.sw?\n"
                                         ".*.sw?x\n"
                                         ".sw?\n"
                                         "4913\n"
                                         "*~\n"
                                         ".#*\n"
                                         "\\#*#\n"
                                         ".goutputstream-*\n"
                                         ".DS_Store\n";

std::string_view name_of(std::string_view path)
{
    return path.substr(path.rfind('/') + 1);
}

std::string_view folder_of(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view folder)
{
    return path.starts_with(folder) &&
           (folder.ends_with('/') || (path.size() > folder.size() && path[folder.size()] == '/'));
}

/// `folder` is "" or begins `path`.
std::string_view below(std::string_view path, std::string_view folder)
{
    path.remove_prefix(folder.size());
    return path.starts_with('/') ? path.substr(1) : path;
}

std::string as_text(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

} // namespace

WatchFilter::WatchFilter(WatchRoot root, const std::vector<std::string>& ignored,
                         std::string folder, std::vector<std::string> never)
    : root_(std::move(root)),
      own_(IgnoreRules::parse(as_text(ignored))),
      usual_(IgnoreRules::parse(usual_rules)),
      folder_(std::move(folder)),
      never_(std::move(never))
{}

std::string_view WatchFilter::relative(std::string_view path) const
{
    return path == root_.folder ? std::string_view{} : below(path, root_.folder);
}

void WatchFilter::set_rules(const std::string& folder, IgnoreRules rules)
{
    const std::string key = folder == "/" ? "" : folder;
    if (rules.empty()) rules_.erase(key);
    else rules_.insert_or_assign(key, std::move(rules));
}

void WatchFilter::forget_rules_below(const std::string& folder)
{
    std::erase_if(rules_, [&](const auto& each) {
        return each.first == folder || is_below(each.first, folder);
    });
}

/// The .gitignore that is nearest has the last word.
bool WatchFilter::is_ignored_by_git(std::string_view path, bool is_folder) const
{
    if (rules_.empty()) return false;
    for (std::string_view folder = path; !folder.empty();) {
        folder = folder_of(folder);
        const auto rules = rules_.find(folder);
        if (rules == rules_.end()) continue;
        if (const auto said = rules->second.ignores(below(path, folder), is_folder)) return *said;
    }
    return false;
}

WatchFilter::Verdict WatchFilter::judge(const std::string& path, bool is_folder, Verdict in) const
{
    using enum Verdict;
    const std::string_view name = name_of(path), place = relative(path);
    if (name == ".git" || (is_folder && (name == ".hg" || name == ".svn"))) return skip;
    if (std::ranges::any_of(never_, [&](const std::string& folder) {
            return path == folder || is_below(path, folder);
        }))
        return skip;
    const auto any = [&](auto what) { return std::ranges::any_of(root_.globs, what); };
    const bool named = any([&](const WatchGlob& glob) { return glob.names(place); });
    const bool leads_to_named =
        is_folder && any([&](const WatchGlob& glob) { return glob.names_below(place); });
    if (is_below(path, folder_) || folder_ == "/")
        if (own_.ignores(below(path, folder_ == "/" ? "" : folder_), is_folder).value_or(false))
            return skip;
    if (named) return take;
    const bool ignored = in == named_only || usual_.ignores(name, is_folder).value_or(false) ||
                         is_ignored_by_git(path, is_folder);
    if (ignored) return leads_to_named ? named_only : skip;
    const bool counts = any([&](const WatchGlob& glob) {
        return is_folder ? glob.leads_below(place) : glob.matches(place);
    });
    return counts ? take : skip;
}

} // namespace bgt::core
