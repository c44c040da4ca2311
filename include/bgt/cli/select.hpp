#pragma once
/// Which tasks a verb is about: ids, names, `-` (the newest), --all, --name, --tag.
#include <bgt/cli/context.hpp>
#include <bgt/cli/parser.hpp>

namespace bgt::cli {

struct Selection {
    std::vector<std::string> words; ///< ids, names, `-`
    bool all = false;               ///< every task that `scope` covers
    std::vector<std::string> names; ///< --name NAME (glob: * and ?)
    std::vector<std::string> tags;  ///< --tag K=V, all of them must fit; `K` alone: has that tag

    /// Declares the words and the three options, the same in every verb.
    void declare(Parser&);
    bool filters() const { return all || !names.empty() || !tags.empty(); }
    bool empty() const { return words.empty() && !filters(); }
};

enum class Scope : std::uint8_t {
    living, ///< --all, --name and --tag look among tasks not ended (kill, wait, ...)
    any,    ///< among all (logs, show, rm: ended ones too)
};

/// The ids, each once, in the order named. Error (not_found): "no such task 7", "no task named web", with near
/// names and the next step ("bgt ps -a lists all"); (usage): nothing was selected and the verb needs something.
/// A filter (--all, --name, --tag) that fits nothing gives an empty list: that is no error.
Result<std::vector<store::TaskId>> select(store::Root&, const Selection&, Scope);

struct Selected {
    std::vector<store::TaskId> ids; ///< each once, those named first
    std::size_t named = 0;          ///< how many of them were named by a word
    int code = code::ok;            ///< of the first word that names no task
};

/// The same for a verb that deals with each task by itself: a word that names no task is told at once, and the others go on.
/// Error: nothing that was named is there, or as above.
Result<Selected> select_there(Context&, store::Root&, const Selection&, Scope);

} // namespace bgt::cli
