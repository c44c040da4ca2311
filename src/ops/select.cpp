#include <bgt/ops/select.hpp>

#include "find.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/core/scope_chain.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_view.hpp>
#include <cstdlib>
#include <fnmatch.h>
#include <set>
#include <string_view>

namespace bgt::ops {

namespace {

using store::TaskId;

bool tag_fits(std::string_view tag, const store::TaskSpec& spec)
{
    const auto equals = tag.find('=');
    const auto it = spec.tags.find(std::string(tag.substr(0, equals)));
    return it != spec.tags.end() &&
           (equals == std::string_view::npos || it->second == tag.substr(equals + 1));
}

/// One of the values for each key.
bool tags_fit(const std::vector<std::string>& wanted, const store::TaskSpec& spec)
{
    return std::ranges::all_of(wanted, [&](const std::string& tag) {
        const std::string key = tag.substr(0, tag.find('='));
        return std::ranges::any_of(wanted, [&](const std::string& other) {
            return other.substr(0, other.find('=')) == key && tag_fits(other, spec);
        });
    });
}

bool names_fit(const std::vector<std::string>& wanted, const std::string& name)
{
    if (wanted.empty()) return true;
    return !name.empty() &&
           std::any_of(wanted.begin(), wanted.end(), [&](const std::string& pattern) {
               return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
           });
}

bool spec_fits(const store::TaskSpec& spec, const Selection& selection)
{
    const auto& queues = selection.queues;
    if (!queues.empty() &&
        (spec.queue.empty() || std::ranges::find(queues, spec.queue) == queues.end()))
        return false;
    return tags_fit(selection.tags, spec);
}

bool waiting_fits(Waiting& waiting, TaskId id, const Selection& selection)
{
    if (!selection.narrows()) return true;
    if (!selection.queues.empty()) { // known without what describes it, which is expensive
        const auto queue = waiting.view()->state().queue_of(id.value);
        if (queue && std::ranges::find(selection.queues, *queue) == selection.queues.end())
            return false;
        if (queue && selection.names.empty() && selection.tags.empty()) return true;
    }
    const auto task = waiting.view()->describe(id);
    return task && names_fit(selection.names, task->spec.name) && spec_fits(task->spec, selection);
}

/// A folder that can't be read fits no filter but --all, where the verb then says what is wrong
/// with it.
bool fits(const store::Root& root, Waiting& waiting, TaskId id, const Selection& selection,
          Scope scope)
{
    if (scope == Scope::any && !selection.narrows()) return true;
    const auto task = root.open_task(id);
    if (!task) return waiting.has(id) && waiting_fits(waiting, id, selection);
    const auto status = store::read_status(task->fd());
    if (!status) return !selection.narrows();
    if (scope == Scope::living && status->lifecycle == core::Lifecycle::ended &&
        !status->tree_lives)
        return false;
    if (!names_fit(selection.names, status->name)) return false;
    if (selection.tags.empty() && selection.queues.empty()) return true;
    const auto spec = store::read_spec(task->fd());
    return spec && spec_fits(*spec, selection);
}

/// "--name web --tag a=1"
std::string filter_words(const Selection& selection)
{
    std::string text;
    const auto add = [&](const char* option, const std::string& value) {
        text += (text.empty() ? "" : " ") + std::string(option) + " " + fit(printable(value), 40);
    };
    for (const auto& name : selection.names) add("--name", name);
    for (const auto& tag : selection.tags) add("--tag", tag);
    for (const auto& queue : selection.queues) add("--queue", queue);
    return text;
}

/// The innermost scope around this process (`bgt scope`); nullopt: there is none.
std::optional<ProcessKey> own_scope()
{
    const char* text = std::getenv(core::scope_variable);
    if (text == nullptr) return std::nullopt;
    const Result<core::ScopeChain> chain = core::parse_scopes(text);
    if (!chain || chain->empty() || chain->boot != os::boot_id()) return std::nullopt;
    return chain->processes.back();
}

/// Inside a scope, `-` and names mean its tasks alone: an id says what else is meant.
bool in_own_scope(const store::Root& root, Waiting& waiting, TaskId id)
{
    static const std::optional<ProcessKey> scope = own_scope();
    if (!scope) return true;
    const auto is_inside = [](const store::TaskSpec& spec) {
        return spec.scopes.contains(os::boot_id(), *scope);
    };
    if (const auto task = root.open_task(id)) {
        const auto spec = store::read_spec(task->fd());
        return spec && is_inside(*spec);
    }
    if (!waiting.has(id)) return false;
    const auto task = waiting.view()->describe(id);
    return task && is_inside(task->spec);
}

/// The newest task that is still there: mostly the last id given out, so all_ids() is seldom
/// needed.
Result<TaskId> newest(store::Root& root, Waiting& waiting, const Selection& selection)
{
    if (!selection.narrows())
        if (const auto last = root.last_id();
            last && *last > 0 && (root.open_task(TaskId{*last}) || waiting.has(TaskId{*last})) &&
            in_own_scope(root, waiting, TaskId{*last}))
            return TaskId{*last};
    if (waiting.problem()) return *waiting.problem();
    auto ids = root.all_ids();
    if (!ids) return ids.error();
    const auto found = std::find_if(ids->rbegin(), ids->rend(), [&](TaskId id) {
        return fits(root, waiting, id, selection, Scope::any) && in_own_scope(root, waiting, id);
    });
    if (found != ids->rend()) return *found;
    if (!ids->empty() && !selection.narrows())
        return Error::not_found("no task was started in this scope (bgt scope) yet");
    return Error::not_found(ids->empty() ? "there is no task yet"
                                         : "no task matches " + filter_words(selection));
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

Result<TaskId> find_word(store::Root& root, Waiting& waiting, const std::string& word,
                         const Selection& selection)
{
    if (const auto id = store::parse_task_id(word)) {
        if (auto task = root.open_task(*id);
            !task && !waiting.has(*id) &&
            !root.open_task(*id)) { // it may have left its queue meanwhile
            if (task.error().kind != ErrorKind::not_found) return task.error();
            if (selection.removed && root.removed_status(*id)) return *id;
            if (waiting.problem()) return *waiting.problem();
            return Error::not_found("no such task " + word + " (bgt ps -a lists all)");
        }
        return *id;
    }
    if (const auto valid = store::check_name(word); !valid)
        return Error::not_found("'" + fit(printable(word), 40) +
                                "' is neither an id nor a name of a task");
    auto found = find_by_name(root, word, selection.folder);
    if (!found) return found.error();
    if (!*found) return no_such_name(root, word);
    return **found;
}

/// `ids` are ascending.
void add_queued(std::vector<TaskId>& ids, const store::QueueView& view)
{
    const std::set<TaskId> there(ids.begin(), ids.end());
    for (const TaskId id : queued_ids(view, std::string::npos))
        if (!there.contains(id)) ids.push_back(id);
}

/// The task that a word names, if the filters select it too.
Result<TaskId> find_named(store::Root& root, Waiting& waiting, const std::string& word,
                          const Selection& selection)
{
    if (word == "-") return newest(root, waiting, selection);
    auto id = find_word(root, waiting, word, selection);
    if (id && !store::parse_task_id(word) && !in_own_scope(root, waiting, *id))
        return Error::not_found("task " + to_string(*id) + " (" + printable(word) +
                                ") does not belong to the scope in which this runs (bgt scope): " +
                                to_string(*id) + " means it all the same");
    if (!id || fits(root, waiting, *id, selection, Scope::any)) return id;
    const std::string label =
        word == to_string(*id) ? word : to_string(*id) + " (" + printable(word) + ")";
    return Error::not_found("task " + label + " does not match " + filter_words(selection));
}

} // namespace

const store::QueueView* Waiting::view()
{
    if (known_) return known_;
    if (!is_read_ && store::QueueFile::is_there(root_)) {
        auto view = store::QueueView::load(root_, os::boot_id());
        if (view) view_.emplace(*std::move(view));
        else if (view.error().sys_errno != store::copied_journal) problem_ = view.error();
    }
    is_read_ = true;
    return view_ ? &*view_ : nullptr;
}

const std::optional<Error>& Waiting::problem()
{
    view();
    return problem_;
}

bool Waiting::has(TaskId id)
{
    const store::QueueView* all = view();
    return all && (all->is_waiting(id) || all->is_claimed(id) || all->dropped_for(id));
}

std::vector<TaskId> queued_ids(const store::QueueView& view, std::size_t max_waiting)
{
    std::vector<TaskId> ids;
    for (const std::int64_t id : view.state().running_ids()) ids.push_back(TaskId{id});
    for (const std::int64_t id : view.state().in_order(max_waiting)) ids.push_back(TaskId{id});
    return ids;
}

Result<Found> find_all(store::Root& root, const Selection& selection, Scope scope,
                       const store::QueueView* known)
{
    if (selection.empty())
        return Error::usage(
            "which task? give an id, a name, - (the newest), --all, --name or --tag");
    Found found;
    Selected& out = found.selected;
    Waiting waiting(root, known);
    if (selection.words.empty()) {
        // First what waits: a task that is started meanwhile then has its folder, too.
        const store::QueueView* view = waiting.view();
        auto candidates = scope == Scope::living ? root.active_ids() : root.all_ids();
        if (!candidates) return candidates.error();
        if (view) add_queued(*candidates, *view);
        found.unread = waiting.problem();
        for (const auto id : *candidates)
            if (fits(root, waiting, id, selection, scope)) out.ids.push_back(id);
        return found;
    }
    std::set<TaskId> seen;
    for (const auto& word : selection.words) {
        auto id = find_named(root, waiting, word, selection);
        if (!id && id.error().kind == ErrorKind::not_found) out.missing.push_back(id.error());
        else if (!id) return id.error();
        else if (seen.insert(*id).second) out.ids.push_back(*id);
    }
    out.named = out.ids.size();
    return found;
}

Result<std::vector<TaskId>> select(store::Root& root, const Selection& selection, Scope scope)
{
    Result<Found> found = find_all(root, selection, scope);
    if (!found) return found.error();
    if (!found->selected.missing.empty()) return found->selected.missing.front();
    if (found->unread) return *found->unread;
    return std::move(found->selected.ids);
}

Result<Selected> select_each(store::Root& root, const Selection& selection, Scope scope,
                             const OnMissing& missing)
{
    Result<Found> all = find_all(root, selection, scope);
    if (!all) return all.error();
    Selected& found = all->selected;
    const bool none_there =
        !found.missing.empty() && found.missing.size() == selection.words.size();
    // The last one is the caller's error, where there is nothing to go on with.
    const std::size_t told = found.missing.size() - (none_there ? 1 : 0);
    for (std::size_t i = 0; i < told && missing; ++i) missing(found.missing[i]);
    if (none_there) return found.missing.back();
    if (all->unread) {
        if (missing) missing(*all->unread);
        found.missing.push_back(*all->unread);
    }
    return std::move(found);
}

} // namespace bgt::ops
