#include <bgt/cli/completion.hpp>

#include <bgt/base/text.hpp>

namespace bgt::cli {

namespace {

/// What the script does with a word of this kind: a list of words, or an @kind of its function _bgt_reply.
std::string kind_word(const std::vector<std::string>& fixed, Value value)
{
    if (!fixed.empty()) {
        std::string out;
        for (const auto& word : fixed) out += (out.empty() ? "" : " ") + word;
        return shell_quote(out);
    }
    switch (value) {
    case Value::task: return "@task-list";
    case Value::task_name: return "@name-list";
    case Value::tag: return "@tag-list";
    case Value::file: return "@file";
    case Value::folder: return "@folder";
    case Value::command: return "@command";
    case Value::text:
    case Value::number:
    case Value::duration:
    case Value::size:
    case Value::regex:
    case Value::pid:
    case Value::signal:
    case Value::condition:
    case Value::shell:
    case Value::limit:
    case Value::state:
    case Value::setting:
    case Value::verb: break;
    }
    return "@none";
}

std::string verb_case(const VerbShape& verb)
{
    std::string names, cases;
    for (const auto& info : verb.options) {
        std::string pattern;
        for (const auto name : info.all_names()) {
            names.append(names.empty() ? "" : " ").append(name);
            pattern.append(pattern.empty() ? "" : " | ").append(name);
        }
        if (!info.metavar.empty())
            cases += "        " + pattern + ") value=" + kind_word(fixed_words(info), info.value) + " ;;\n";
    }
    std::string out = "    " + verb.name + ")\n        options='" + names + "'\n";
    if (verb.takes_words) {
        out += "        first=" + kind_word(fixed_words(verb.first_word), verb.first_word) + "\n";
        out += "        rest=" + kind_word(fixed_words(verb.words), verb.words) + "\n";
    }
    if (!cases.empty()) out += "        case $2 in\n" + cases + "        esac\n";
    return out + "        ;;\n";
}

constexpr std::string_view script_tail = R"sh(
# _bgt_reply KIND WORD: the candidates for WORD into COMPREPLY.
_bgt_reply() {
    local line IFS=$'\n'
    case $1 in
    @task-list | @name-list | @tag-list)
        COMPREPLY=($(compgen -W "$("$program" ${root:+"--root=$root"} completion "${1#@}" 2>/dev/null | cut -f 1)" -- "$2"))
        ;;
    @file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")) ;;
    @folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$2")) ;;
    @command) COMPREPLY=($(compgen -c -- "$2")) ;;
    @none | '') ;;
    *)
        COMPREPLY=($(IFS=' '; compgen -W "$1" -- "$2"))
        for line in "${COMPREPLY[@]}"; do [[ $line == *[=:] ]] && compopt -o nospace 2>/dev/null; done
        ;;
    esac
}

_bgt() {
    local program=${COMP_WORDS[0]} verb= options= first= rest= value= root= pending= dashes= count=0 start=0 i glue= prefix
    local -a words=()
    COMPREPLY=()
    # bash splits words at = and :, put them together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ ${#words[@]} -gt 1 && ${COMP_WORDS[i]} =~ ^[=:]+$ ]]; then
            words[${#words[@]}-1]+=${COMP_WORDS[i]}
            glue=1
        elif [[ $glue ]]; then
            words[${#words[@]}-1]+=${COMP_WORDS[i]}
            glue=
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    local last=$((${#words[@]} - 1)) word
    local cur=${words[last]}
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            [[ $pending == --root ]] && root=$word
            pending=
        elif [[ ! $verb ]]; then
            case $word in
            --root) pending=--root ;;
            --root=*) root=${word#--root=} ;;
            -*) ;;
            *) verb=$word ;;
            esac
        elif [[ ! $dashes && $word == -- ]]; then
            dashes=1
        elif [[ ! $dashes && $word == --root=* ]]; then
            root=${word#--root=}
        elif [[ ! $dashes && $word == -?* && $word != --*=* ]]; then
            value=
            _bgt_verb "$verb" "$word"
            [[ $value ]] && pending=$word
        elif [[ $dashes || $word != -?* ]]; then
            [[ $count -eq 0 ]] && start=$i
            count=$((count + 1))
            [[ $verb == run ]] && break
        fi
    done
    value=
    if [[ ! $verb && $pending ]]; then
        _bgt_reply @folder "$cur"
    elif [[ ! $verb ]]; then
        [[ $cur == -* ]] && _bgt_reply '--root --version --help' "$cur" || _bgt_reply "$_bgt_verbs" "$cur"
    elif [[ $verb == run && $count -gt 0 ]]; then
        # The command's own completion, where the package bash-completion is loaded.
        if declare -F _command_offset >/dev/null && [[ ${#words[@]} -eq $((COMP_CWORD + 1)) ]]; then
            _command_offset "$start"
        else
            _bgt_reply @file "$cur"
        fi
        return
    elif [[ $pending ]]; then
        _bgt_verb "$verb" "$pending"
        _bgt_reply "$value" "$cur"
    elif [[ ! $dashes && $cur == --*=* ]]; then
        _bgt_verb "$verb" "${cur%%=*}"
        prefix=${cur%%=*}=
        _bgt_reply "$value" "${cur#*=}"
        COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
    else
        _bgt_verb "$verb" ''
        if [[ ! $dashes && $cur == -* ]]; then
            _bgt_reply "$options" "$cur"
        elif [[ $count -eq 0 ]]; then
            _bgt_reply "$first" "$cur"
        else
            _bgt_reply "$rest" "$cur"
        fi
    fi
    # What readline takes for the word begins after the last = or :.
    prefix=${cur%"${cur##*[=:]}"}
    [[ $prefix ]] && COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
}
complete -F _bgt bgt
)sh";

} // namespace

std::string bash_completion()
{
    const auto shapes = verb_shapes();
    std::string names, cases;
    for (const auto& verb : shapes) {
        names += (names.empty() ? "" : " ") + verb.name;
        cases += verb_case(verb);
    }
    return "# bash completion for bgt. Made by `bgt completion bash`: do not edit.\n\n_bgt_verbs='" + names +
           "'\n\n# _bgt_verb VERB OPTION: sets options, first, rest (what its words are) and value (what OPTION's is).\n"
           "_bgt_verb() {\n    case $1 in\n" +
           cases + "    esac\n}\n" + std::string(script_tail);
}

} // namespace bgt::cli
