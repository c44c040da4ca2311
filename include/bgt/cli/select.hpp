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
    bool empty() const { return words.empty() && !all && names.empty() && tags.empty(); }
};

enum class Scope : std::uint8_t {
    living, ///< --all, --name and --tag look among tasks not ended (kill, wait, ...)
    any,    ///< among all (logs, show, rm: ended ones too)
};

/// The ids, each once, in the order named. Error (not_found): "no such task 7", "no task named web", with near
/// names and the next step ("bgt ps -a lists all"); (usage): nothing was selected and the verb needs something.
/// A filter (--all, --name, --tag) that fits nothing gives an empty list: that is no error.
Result<std::vector<store::TaskId>> select(store::Root&, const Selection&, Scope);

} // namespace bgt::cli
