#pragma once
/// Which tasks an operation is about: ids, names, `-` (the newest), all, by name, by tag.
/// Different selectors narrow each other; several values of one selector are alternatives.
#include <bgt/ops/answer.hpp>
#include <bgt/store/projects.hpp>
#include <string>

namespace bgt::ops {

struct Selection {
    std::vector<std::string> words; ///< ids, names, `-` (the newest that fits the rest)
    bool all = false; ///< every task that the scope covers, where nothing else narrows it
    std::vector<std::string> names; ///< patterns of names (glob: * and ?); one must fit
    std::vector<std::string>
        tags; ///< K=V, or K: has that tag. One value of each key must fit: each key is a selector
    bool removed =
        false; ///< an id also names a task that removed itself a moment ago (Root::removed_status)

    std::string folder = {}; ///< absolute; a word that is the name of a task of the project there
                             ///< (store::find_project) means that one. Empty: no project's
    std::vector<std::string> queues = {}; ///< that were started from one of them, or wait there

    bool narrows() const { return !names.empty() || !tags.empty() || !queues.empty(); }
    bool empty() const { return words.empty() && !all && !narrows(); }
};

/// The task with this name: where `folder` (absolute, or empty) is in a project, the one of that
/// project comes first. nullopt: there is none. Error (usage): it is no name.
Result<std::optional<store::TaskId>> find_by_name(const store::Root&, const std::string& name,
                                                  const std::string& folder);
/// The names that stand for tasks of the project, as "PROJECT:NAME", with their tasks: those that
/// were started in its folder.
Result<std::vector<std::pair<std::string, store::TaskId>>> names_of_project(
    const store::Root&, const store::Project& project);

/// Among which tasks all, names and tags select. A word also names a task outside of it.
enum class Scope : std::uint8_t {
    living, ///< tasks of which processes live, or another attempt will, or that wait in a queue
            ///< (stop, signal, ...)
    any,    ///< ended ones too (logs, inspect, remove, wait)
};

/// The ids, each once, in the order named. Error (not_found): "no such task 7", "no task named
/// web", with near names and the next step ("bgt ps -a lists all"); (usage): nothing was selected
/// and the operation needs something. A named task that does not fit names and tags is such an
/// error too. Without words, an empty list is no error.
Result<std::vector<store::TaskId>> select(store::Root&, const Selection&, Scope);

struct Selected {
    std::vector<store::TaskId> ids; ///< each once, those named first
    std::size_t named = 0;          ///< how many of them were named by a word
    std::vector<Error> missing;     ///< one per word that names no task
};

/// The same for an operation that deals with each task by itself: a word that names no task is told
/// at once (`missing`, which may be empty), and the others go on. Error: nothing that was named is
/// there (the last of the words, which was not told), or as above.
Result<Selected> select_each(store::Root&, const Selection&, Scope, const OnMissing& missing);

/// Does `act` for each selected task, one after the other, and tells what came of it.
template <class T, class Act>
Result<Each<T>> for_each(store::Root& root, const Selection& selection, Scope scope,
                         const Progress<T>& progress, const Act& act)
{
    Result<Selected> found = select_each(root, selection, scope, progress.missing);
    if (!found) return found.error();
    Each<T> answer{std::move(found->missing), {}};
    answer.tasks.reserve(found->ids.size());
    for (const store::TaskId id : found->ids) {
        answer.tasks.push_back({id, act(id)});
        if (progress.done) progress.done(answer.tasks.back());
    }
    return answer;
}

} // namespace bgt::ops
