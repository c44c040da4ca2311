#include "completion/completion.hpp"

namespace bgt::cli {

namespace {

/// Inside '...[HELP]': brackets and colons mean something to _arguments, quotes to the shell.
std::string escaped(const std::string& text)
{
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
        if (c == '\'') out += "'\\''";
        else out += c;
    }
    return out;
}

/// A word of an action that is executed, where the shell would read < and > as redirections.
std::string action_word(const std::string& word)
{
    return word.find_first_of("<>") == std::string::npos ? escaped(word)
                                                         : "'\\''" + escaped(word) + "'\\''";
}

/// Whether something of the user's follows a word.
bool has_open_end(const std::string& word)
{
    return word.find_last_of("=:<>") == word.size() - 1;
}

/// What _arguments does with a word of this kind.
std::string action(const ValueCompletion& value)
{
    if (value.words.empty()) return value.zsh;
    std::string list;
    bool open_end = false;
    for (const auto& word : value.words) {
        list += " " + action_word(word);
        open_end = open_end || has_open_end(word);
    }
    return open_end ? "{compadd -S \"\" --" + list + "}" : "(" + list.substr(1) + ")";
}

/// '(-n --lines)'{-n+,--lines=}'[help]:N:action'
std::string option_spec(const OptionInfo& info)
{
    const bool valued = !info.metavar.empty();
    std::string all, forms;
    for (const auto name : info.all_names()) {
        all.append(all.empty() ? "" : " ").append(name);
        const bool is_long = name.starts_with("--");
        forms.append(forms.empty() ? "" : ",")
            .append(name)
            .append(valued ? is_long ? "=" : "+" : "");
    }
    std::string out = info.repeats ? "'*'" : "'(" + all + ")'";
    out += info.all_names().size() > 1 ? "{" + forms + "}" : forms;
    out += "'[" + escaped(info.help) + "]";
    if (valued) out += ":" + escaped(std::string(info.metavar)) + ":" + action(completion_of(info));
    return out + "'";
}

std::string word_specs(const VerbShape& verb)
{
    if (!verb.takes_words) return "";
    if (verb.words == Value::command)
        return " \\\n        '(-)1:command: _command_names -e' '*::arguments: _normal'";
    std::string out;
    if (verb.first_word != verb.words)
        out += " \\\n        '1:word:" + action(completion_of(verb.first_word)) + "'";
    return out + " \\\n        '*:word:" + action(completion_of(verb.words)) + "'";
}

std::string verb_case(const VerbShape& verb)
{
    std::string out = "    (" + verb.name + ")\n      _arguments -s -S :";
    for (const auto& info : verb.options) out += " \\\n        " + option_spec(info);
    return out + word_specs(verb) + "\n      ;;\n";
}

constexpr std::string_view script_head = R"sh(#compdef bgt
# zsh completion for bgt. Made by `bgt completion zsh`: do not edit.

# Tasks, names or tags, as the state root knows them: "7<tab>npm run dev" a line. They are what
# other people wrote: nothing of them is expanded, and compadd quotes what it inserts. The bgt of
# the PATH is asked, whatever stands first on the line.
_bgt_known() {
  local -a known shown expl
  local line
  for line in "${(@f)$(command bgt $bgt_root completion $1 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    known+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  _wanted "$1" expl "${1%-list}" compadd -d shown -a known
}

# The --root of the line, as one word of bgt_root.
_bgt_find_root() {
  local -i i
  for ((i = 1; i < CURRENT; i++)); do
    case $words[i] in
    (--root) bgt_root=("--root=${(Q)words[i + 1]/#\~\//$HOME/}") ;;
    (--root=*) bgt_root=("--root=${(Q)words[i]#--root=}") ;;
    esac
  done
}

_bgt_verbs() {
  local -a verbs
  verbs=(
)sh";

constexpr std::string_view script_middle = R"sh(  )
  _describe verb verbs
}

_bgt() {
  local curcontext=$curcontext state line
  local -a bgt_root
  typeset -A opt_args
  _bgt_find_root
  _arguments -C \
    '--root=[the folder that holds all tasks]:DIR:_files -/' \
    '--config=[read FILE in place of the nearest bgt.toml]:FILE:_files' \
    '(- *)--version[print the version]' \
    '(- *)'{-h,--help}'[print help]' \
    '1:verb:_bgt_verbs' \
    '*::argument:->argument'
  [[ $state == argument ]] || return
  case $line[1] in
)sh";

} // namespace

std::string zsh_completion()
{
    std::string verbs, cases;
    for (const auto& verb : verb_shapes()) {
        verbs += "    '" + verb.name + ":" + escaped(verb.summary) + "'\n";
        cases += verb_case(verb);
    }
    return std::string(script_head) + verbs + std::string(script_middle) + cases +
           "  esac\n}\n\nif [[ $funcstack[1] == _bgt ]]; then\n  _bgt \"$@\"\nelse\n  compdef _bgt "
           "bgt\nfi\n";
}

} // namespace bgt::cli
