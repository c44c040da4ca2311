#pragma once
/// Completion scripts, made from what each verb declares: nothing is listed by hand.
#include <bgt/cli/parser.hpp>
#include <bgt/store/root.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::cli {

/// A verb as the scripts need it.
struct VerbShape {
    std::string name;
    std::string summary;
    std::vector<OptionInfo> options; ///< --root and --help too
    bool takes_words = false;
    Value first_word = Value::text;
    Value words = Value::text; ///< the second and on
};
/// Every verb, and `help`.
std::vector<VerbShape> verb_shapes();

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// What is asked of `bgt completion KIND` while a word is completed: names and ids that only the
/// state root knows.
enum class Candidates : std::uint8_t {
    tasks,  ///< `task-list`: living and ended tasks, by id and by name
    living, ///< `living-list`: the same, those of which processes live
    names,  ///< `name-list`: names alone
    tags,   ///< `tag-list`: K=V of all tasks
};
std::optional<Candidates> candidate_kind(std::string_view word);
/// "7\tnpm run dev" a line, names before ids, the newest first; at most 200 tasks are looked at. A
/// tag that is too long (512 bytes) or that printable() would change is left out.
std::string candidates(const store::Root&, Candidates);

/// What completes a value.
struct ValueCompletion {
    std::vector<std::string> words = {}; ///< all that it can be; empty: not known beforehand
    std::string bash = "@none"; ///< an @kind of the script's _bgt_reply; @command, @file and
                                ///< @directory begin with the letter of their action in `compgen`
    std::string zsh = " ";      ///< an action of _arguments
    std::string fish = "";      ///< arguments of `complete`
};
ValueCompletion completion_of(Value);
/// The same for the value of an option, whose words may stand in its metavar.
ValueCompletion completion_of(const OptionInfo&);

} // namespace bgt::cli
