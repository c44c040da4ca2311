// The globs of --watch.
#include "wildcard.hpp"
#include <bgt/base/text.hpp>
#include <bgt/core/watch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bgt::core {
namespace {

constexpr std::size_t max_glob = 4096;
constexpr std::size_t max_alternatives = 256; ///< of one glob
constexpr std::size_t max_globs = 1024;
constexpr auto npos = std::string_view::npos;

Error bad_glob(std::string_view glob, std::string_view why)
{
    return Error::usage(fmt::format("'{}': {}", fit(printable(glob), 60), why));
}

/// Goes over a glob, past what stands for itself: `\{`, `[{]`.
std::size_t next_at(std::string_view text, std::size_t at)
{
    if (text[at] == '\\') return std::min(at + 2, text.size());
    if (text[at] == '[') return std::min(end_of_bracket(text, at), text.size());
    return at + 1;
}

/// The first `{` with its `}` and the commas between them.
struct Braces {
    std::size_t open = npos, close = npos;
    std::vector<std::size_t> commas;
};

std::optional<Braces> find_braces(std::string_view text)
{
    Braces found;
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); at = next_at(text, at)) {
        if (text[at] == '{' && depth++ == 0) found.open = at;
        else if (text[at] == ',' && depth == 1) found.commas.push_back(at);
        else if (text[at] == '}' && (depth == 0 || --depth == 0)) {
            if (found.open == npos) return std::nullopt;
            found.close = at;
            return found;
        }
    }
    if (depth > 0) return std::nullopt;
    return found;
}

/// "a{b,c}" is "ab" and "ac".
Result<std::vector<std::string>> expand_braces(const std::string& glob)
{
    std::vector<std::string> done, todo{glob};
    while (!todo.empty()) {
        const std::string text = std::move(todo.back());
        todo.pop_back();
        const std::optional<Braces> braces = find_braces(text);
        if (!braces) return bad_glob(glob, "a brace without the one that belongs to it");
        if (braces->open == npos) {
            done.push_back(text);
        } else {
            std::vector<std::size_t> ends = braces->commas;
            ends.push_back(braces->close);
            std::vector<std::string> each;
            std::size_t from = braces->open + 1;
            for (const std::size_t end : ends) {
                each.push_back(text.substr(0, braces->open) + text.substr(from, end - from) +
                               text.substr(braces->close + 1));
                from = end + 1;
            }
            todo.insert(todo.end(), each.rbegin(), each.rend()); // the first is next
        }
        if (done.size() + todo.size() > max_alternatives)
            return bad_glob(glob, fmt::format("more than {} alternatives", max_alternatives));
    }
    return done;
}

/// Whether each `[` has an end, and no `\` is the last byte.
bool is_whole(std::string_view text)
{
    for (std::size_t at = 0; at < text.size(); at = next_at(text, at)) {
        if (text[at] == '[' && end_of_bracket(text, at) == npos) return false;
        if (text[at] == '\\' && at + 1 == text.size()) return false;
    }
    return true;
}

bool has_wildcard(std::string_view part)
{
    for (std::size_t at = 0; at < part.size(); ++at) {
        if (part[at] == '\\') ++at;
        else if (std::string_view("*?[").find(part[at]) != npos) return true;
    }
    return false;
}

/// Without "." and "..", which are taken as the text has them: no link is looked at.
std::optional<std::vector<std::string>> normalised(const std::vector<std::string>& parts)
{
    std::vector<std::string> out;
    for (const std::string& part : parts) {
        if (part == ".") continue;
        if (part != "..") {
            out.push_back(part);
            continue;
        }
        if (!out.empty() && has_wildcard(out.back())) return std::nullopt;
        if (!out.empty()) out.pop_back();
    }
    return out;
}

/// A pattern of this name alone.
std::string escaped(std::string_view name)
{
    std::string pattern;
    for (const char byte : name) {
        if (std::string_view("*?[\\").find(byte) != npos) pattern += '\\';
        pattern += byte;
    }
    return pattern;
}

std::string path_of(const std::vector<std::string>& parts, std::size_t count)
{
    std::string path;
    for (std::size_t i = 0; i < count; ++i) path += "/" + parts[i];
    return path.empty() ? "/" : path;
}

/// Where one alternative begins, and what is left of it.
Result<std::pair<std::string, WatchGlob>> place(const std::string& text, std::string_view glob,
                                                std::string_view folder_path,
                                                const std::vector<std::string>& folder)
{
    if (!is_whole(text)) return bad_glob(glob, "a [ without its ], or a \\ at the end");
    std::vector<std::string> parts = split_pattern(text);
    if (!text.starts_with('/')) parts.insert(parts.begin(), folder.begin(), folder.end());
    auto whole = normalised(parts);
    if (!whole) return bad_glob(glob, ".. behind a wildcard");
    const bool is_inside =
        whole->size() >= folder.size() && std::equal(folder.begin(), folder.end(), whole->begin());
    std::size_t base = folder.size();
    if (!is_inside)
        for (base = 0; base + 1 < whole->size() && is_plain_name((*whole)[base]);) ++base;
    const std::string root = is_inside ? std::string(folder_path) : path_of(*whole, base);
    whole->erase(whole->begin(), whole->begin() + static_cast<std::ptrdiff_t>(base));
    if (whole->empty()) whole->emplace_back("**"); // the folder itself: all that is in it
    return std::pair(root, WatchGlob(*std::move(whole)));
}

/// Of two roots, one of which is in the other, the outer one gets all.
void merge_nested(std::vector<WatchRoot>& roots)
{
    std::ranges::sort(roots, {}, [](const WatchRoot& root) { return root.folder.size(); });
    std::vector<WatchRoot> outer;
    for (WatchRoot& root : roots) {
        const auto around = std::ranges::find_if(outer, [&](const WatchRoot& other) {
            return other.folder == "/" || root.folder.starts_with(other.folder + "/");
        });
        if (around == outer.end()) {
            outer.push_back(std::move(root));
            continue;
        }
        std::vector<std::string> between;
        const std::size_t from = around->folder == "/" ? 0 : around->folder.size();
        for (const std::string_view name : split_path(std::string_view(root.folder).substr(from)))
            between.push_back(escaped(name));
        for (const WatchGlob& glob : root.globs) {
            std::vector<std::string> parts = between;
            const std::vector<std::string> inner = glob.parts();
            parts.insert(parts.end(), inner.begin(), inner.end());
            around->globs.emplace_back(std::move(parts));
        }
    }
    roots = std::move(outer);
}

} // namespace

WatchGlob::WatchGlob(std::vector<std::string> parts)
    : parts_(std::move(parts)), plain_(std::ranges::all_of(parts_, is_plain_name))
{
    // A name is that of a file or of a folder, with all that is in it.
    if (!parts_.empty() && is_plain_name(parts_.back())) parts_.emplace_back("**");
}

std::vector<std::string> WatchGlob::parts() const
{
    std::vector<std::string> given = parts_;
    if (given.size() > 1 && is_plain_name(given[given.size() - 2])) given.pop_back();
    return given;
}

bool WatchGlob::matches(std::string_view path) const
{
    PatternWalk walk(parts_);
    for (const std::string_view name : split_path(path)) walk.enter(name);
    return walk.is_at_end();
}

bool WatchGlob::leads_below(std::string_view folder) const
{
    PatternWalk walk(parts_);
    for (const std::string_view name : split_path(folder)) walk.enter(name);
    return walk.leads_on();
}

bool WatchGlob::names(std::string_view path) const
{
    const auto names = split_path(path);
    return plain_ && std::equal(names.begin(), names.end(), parts_.begin(), parts_.end() - 1);
}

bool WatchGlob::names_below(std::string_view folder) const
{
    const auto names = split_path(folder);
    return plain_ && names.size() + 1 < parts_.size() &&
           std::equal(names.begin(), names.end(), parts_.begin());
}

Result<std::vector<WatchRoot>> parse_globs(const std::vector<std::string>& globs,
                                           std::string_view folder)
{
    std::vector<std::string> names;
    for (const std::string_view name : split_path(folder)) names.push_back(escaped(name));
    std::vector<WatchRoot> roots;
    std::size_t count = 0;
    for (const std::string& glob : globs) {
        if (glob.empty()) return bad_glob(glob, "an empty glob");
        if (glob.size() > max_glob) return bad_glob(glob, "longer than 4096 bytes");
        auto all = expand_braces(glob);
        if (!all) return all.error();
        for (const std::string& text : *all) {
            if (text.empty()) return bad_glob(glob, "an empty alternative");
            auto placed = place(text, glob, folder, names);
            if (!placed) return placed.error();
            if (++count > max_globs)
                return bad_glob(glob, fmt::format("more than {} globs", max_globs));
            auto root = std::ranges::find(roots, placed->first, &WatchRoot::folder);
            if (root == roots.end()) root = roots.insert(roots.end(), {placed->first, {}});
            root->globs.push_back(std::move(placed->second));
        }
    }
    merge_nested(roots);
    return roots;
}

} // namespace bgt::core
