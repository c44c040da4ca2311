#include <bgt/ops/select.hpp>

#include <algorithm>
#include <bgt/base/text.hpp>
#include <fnmatch.h>
#include <set>

namespace bgt::ops {

namespace {

using store::TaskId;

/// The newest task that is still there: mostly the last id given out, so all_ids() is seldom needed.
Result<TaskId> newest(store::Root& root)
{
    if (const auto last = root.last_id(); last && *last > 0 && root.open_task(TaskId{*last})) return TaskId{*last};
    auto ids = root.all_ids();
    if (!ids) return ids.error();
    if (ids->empty()) return Error::not_found("there is no task yet");
    return ids->back();
}

Error no_such_name(const store::Root& root, const std::string& word)
{
    std::vector<std::string> known;
    if (auto names = root.names())
        for (const auto& [name, id] : *names) known.push_back(name);
    std::string text = "no task named " + printable(word);
    const auto near = near_matches(word, known);
    if (!near.empty()) {
        text += " (did you mean ";
        for (std::size_t i = 0; i < near.size(); ++i) text += (i == 0 ? "" : " or ") + near[i];
        return Error::not_found(text + "?)");
    }
    return Error::not_found(text + " (bgt ps -a lists all)");
}

Result<TaskId> find_word(store::Root& root, const std::string& word)
{
    if (word == "-") return newest(root);
    if (const auto id = store::parse_task_id(word)) {
        if (auto task = root.open_task(*id); !task) {
            if (task.error().kind != ErrorKind::not_found) return task.error();
            return Error::not_found("no such task " + word + " (bgt ps -a lists all)");
        }
        return *id;
    }
    if (const auto valid = store::check_name(word); !valid)
        return Error::not_found("'" + fit(printable(word), 40) + "' is neither an id nor a name of a task");
    auto found = root.find_name(word);
    if (!found) return found.error();
    if (!*found) return no_such_name(root, word);
    return **found;
}

bool tags_fit(const std::vector<std::string>& wanted, const store::TaskSpec& spec)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& tag) {
        const auto equals = tag.find('=');
        const auto it = spec.tags.find(tag.substr(0, equals));
        return it != spec.tags.end() && (equals == std::string::npos || it->second == tag.substr(equals + 1));
    });
}

bool names_fit(const std::vector<std::string>& wanted, const std::string& name)
{
    if (wanted.empty()) return true;
    return !name.empty() && std::any_of(wanted.begin(), wanted.end(), [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
}

/// A folder that can't be read fits no filter but --all, where the verb then says what is wrong with it.
bool fits(const store::Root& root, TaskId id, const Selection& selection, Scope scope)
{
    const auto task = root.open_task(id);
    if (!task) return false;
    const auto status = store::read_status(task->fd());
    if (!status) return selection.all && selection.names.empty() && selection.tags.empty();
    if (scope == Scope::living && status->lifecycle == core::Lifecycle::ended && !status->tree_lives) return false;
    if (!names_fit(selection.names, status->name)) return false;
    if (selection.tags.empty()) return true;
    const auto spec = store::read_spec(task->fd());
    return spec && tags_fit(selection.tags, *spec);
}

/// What is named and what fits, and the words that name no task.
Result<Selected> find_all(store::Root& root, const Selection& selection, Scope scope)
{
    if (selection.empty())
        return Error::usage("which task? give an id, a name, - (the newest), --all, --name or --tag");
    Selected out;
    std::set<TaskId> seen;
    for (const auto& word : selection.words) {
        auto id = find_word(root, word);
        if (!id && id.error().kind == ErrorKind::not_found) out.missing.push_back(id.error());
        else if (!id) return id.error();
        else if (seen.insert(*id).second) out.ids.push_back(*id);
    }
    out.named = out.ids.size();
    if (!selection.filters()) return out;
    auto candidates = scope == Scope::living ? root.active_ids() : root.all_ids();
    if (!candidates) return candidates.error();
    for (const auto id : *candidates)
        if (!seen.contains(id) && fits(root, id, selection, scope)) out.ids.push_back(id);
    return out;
}

} // namespace

Result<std::vector<TaskId>> select(store::Root& root, const Selection& selection, Scope scope)
{
    Result<Selected> found = find_all(root, selection, scope);
    if (!found) return found.error();
    if (!found->missing.empty()) return found->missing.front();
    return std::move(found->ids);
}

Result<Selected> select_each(store::Root& root, const Selection& selection, Scope scope, const OnMissing& missing)
{
    Result<Selected> found = find_all(root, selection, scope);
    if (!found) return found;
    const bool none_there =
        !found->missing.empty() && found->missing.size() == selection.words.size() && !selection.filters();
    // The last one is the caller's error, where there is nothing to go on with.
    const std::size_t told = found->missing.size() - (none_there ? 1 : 0);
    for (std::size_t i = 0; i < told && missing; ++i) missing(found->missing[i]);
    if (none_there) return found->missing.back();
    return found;
}

} // namespace bgt::ops
