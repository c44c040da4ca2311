#include "completion/completion.hpp"

#include <bgt/base/text.hpp>

namespace bgt::cli {

namespace {

/// What the script does with a word of this kind: a list of words, or an @kind of its function
/// _bgt_reply.
std::string kind_word(const ValueCompletion& value)
{
    if (value.words.empty()) return value.bash;
    std::string out;
    for (const auto& word : value.words) out += (out.empty() ? "" : " ") + word;
    return shell_quote(out);
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
            cases += "        " + pattern + ") value=" + kind_word(completion_of(info)) + " ;;\n";
    }
    std::string out = "    " + verb.name + ")\n        options='" + names + "'\n";
    if (verb.takes_words) {
        out += "        first=" + kind_word(completion_of(verb.first_word)) + "\n";
        out += "        rest=" + kind_word(completion_of(verb.words)) + "\n";
    }
    if (!cases.empty()) out += "        case $2 in\n" + cases + "        esac\n";
    return out + "        ;;\n";
}

/// Names and tags are what other people wrote, and bash puts a candidate on the command line as it
/// stands: each is compared literally and comes quoted. No word is ever expanded, neither of the
/// command line nor of the answer of bgt.
constexpr std::string_view reply_functions = R"sh(
# _bgt_split LINE: the words of a command line as the shell would read them, with nothing in them
# expanded. Sets words (the last is the one at the cursor), and of that one: quote (the quotation
# mark that is open), kept (the part that readline leaves alone: it replaces what follows an open
# quotation mark or the last break character), and odd (not empty where the shell would expand
# something: no name or tag is offered then).
_bgt_split() {
    local line=$1 i c next word= begun= broken= opened=
    words=() quote= kept= odd=
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1} next=${line:i+1:1}
        if [[ $quote ]]; then
            if [[ $c == "$quote" ]]; then
                quote=
            elif [[ $quote == '"' && $c == '\' && $next == [\\\"\$\`] ]]; then
                word+=$next
                i=$((i + 1))
            else
                [[ $quote == '"' && $c == [\$\`] ]] && odd=1
                word+=$c
            fi
        elif [[ $c == [[:space:]] ]]; then
            [[ $begun ]] && words+=("$word")
            word= begun= broken= odd=
        else
            begun=1
            case $c in
            "'" | '"')
                [[ $word == *'$' ]] && odd=1
                quote=$c opened=$word
                ;;
            '\')
                word+=$next
                i=$((i + 1))
                ;;
            *)
                [[ $c == [\$\`] ]] && odd=1
                word+=$c
                [[ $COMP_WORDBREAKS == *"$c"* ]] && broken=$word
                ;;
            esac
        fi
    done
    words+=("$word")
    kept=$broken
    [[ $quote ]] && kept=$opened
}

# _bgt_quoted TEXT: as text of the command line, after the quotation mark that is open, into quoted.
_bgt_quoted() {
    local i c
    quoted=$1
    [[ $1 ]] || return 0
    case $quote in
    '')
        printf -v quoted %q "$1"
        return 0
        ;;
    '"') [[ $1 == *'!'* ]] && return 1 ;; # of the history, and it cannot be quoted here
    esac
    quoted=
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        if [[ $quote$c == "''" ]]; then
            c="'\\''"
        elif [[ $quote == '"' && $c == [\\\"\$\`] ]]; then
            c="\\$c"
        fi
        quoted+=$c
    done
    # Bash adds no mark where the last character is one: the quotation ends before it.
    if [[ $quoted == *"$quote" ]]; then
        quoted=${quoted%"$quote"}
        [[ $quote == '"' ]] && quoted=${quoted%'\'}'"\"'
    fi
    # Where the first character is one, bash takes the open mark away.
    [[ $quoted == "$quote"* ]] && quoted=$quote$quoted
    return 0
}

# _bgt_offer BEFORE [filenames]: those of found that begin with what is typed after BEFORE, into COMPREPLY.
_bgt_offer() {
    local candidate quoted
    for candidate in "${found[@]}"; do
        candidate=$1$candidate
        [[ ${candidate:0:${#cur}} == "$cur" ]] || continue
        candidate=${candidate:${#kept}}
        if [[ $2 ]]; then
            COMPREPLY+=("$candidate") # bash quotes names of files itself
        elif _bgt_quoted "$candidate"; then
            COMPREPLY+=("$quoted")
        fi
    done
}

# _bgt_reply KIND [BEFORE]: the candidates for the word at the cursor, which begins with BEFORE.
_bgt_reply() {
    local line known before=$2 filenames=
    local -a found=()
    case $1 in
    @task-list | @living-list | @name-list | @tag-list)
        [[ $odd ]] && return
        # That of the PATH: what stands first on the line may be a program of this folder.
        known=$(command bgt ${root:+"--root=$root"} completion "${1#@}" 2>/dev/null)
        ;;
    @file | @directory | @command)
        [[ $odd && $cur == *[\(\`]* ]] && return
        known=$(compgen "-${1:1:1}" -- "${cur:${#before}}")
        [[ $1 == @command ]] || { filenames=1; compopt -o filenames 2>/dev/null; }
        ;;
    @none | '') return ;;
    *) known=${1// /$'\n'} ;;
    esac
    while IFS= read -r line; do
        # A name with a newline comes as two lines, which are no files.
        [[ $filenames && $line != '~'* && ! -e $line && ! -L $line ]] && continue
        [[ $line ]] && found+=("${line%%$'\t'*}")
    done <<<"$known"
    _bgt_offer "$before" "$filenames"
    [[ $1 == @* ]] && return
    for line in "${COMPREPLY[@]}"; do [[ $line == *[=:] ]] && compopt -o nospace 2>/dev/null; done
}
)sh";

constexpr std::string_view main_function = R"sh(
_bgt() {
    local verb= options= first= rest= value= root= pending= dashes= count=0 start=0 i quote kept odd word
    local -a words
    COMPREPLY=()
    _bgt_split "${COMP_LINE:0:COMP_POINT}"
    local last=$((${#words[@]} - 1))
    local cur=${words[last]}
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            [[ $pending == --root ]] && root=$word
            [[ $root == '~/'* ]] && root=$HOME/${root:2}
            pending=
        elif [[ ! $verb ]]; then
            case $word in
            --root | --config) pending=$word ;;
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
            [[ $verb == @(run|submit|scope) ]] && break
        fi
    done
    value=
    if [[ ! $verb && $pending == --config ]]; then
        _bgt_reply @file
    elif [[ ! $verb && $pending ]]; then
        _bgt_reply @directory
    elif [[ ! $verb ]]; then
        [[ $cur == -* ]] && _bgt_reply '--root --config --version --help' || _bgt_reply "$_bgt_verbs"
    elif [[ $verb == @(run|submit|scope) && $count -gt 0 ]]; then
        # The command's own completion, where the package bash-completion is loaded.
        if declare -F _command_offset >/dev/null && [[ ${#words[@]} -eq $((COMP_CWORD + 1)) ]]; then
            _command_offset "$start"
        else
            _bgt_reply @file
        fi
    elif [[ $pending ]]; then
        _bgt_verb "$verb" "$pending"
        _bgt_reply "$value"
    elif [[ ! $dashes && $cur == --*=* ]]; then
        _bgt_verb "$verb" "${cur%%=*}"
        _bgt_reply "$value" "${cur%%=*}="
    else
        _bgt_verb "$verb" ''
        if [[ ! $dashes && $cur == -* ]]; then
            _bgt_reply "$options"
        elif [[ $count -eq 0 ]]; then
            _bgt_reply "$first"
        else
            _bgt_reply "$rest"
        fi
    fi
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
    return "# bash completion for bgt. Made by `bgt completion bash`: do not "
           "edit.\n\n_bgt_verbs='" +
           names +
           "'\n\n# _bgt_verb VERB OPTION: sets options, first, rest (what its words are) and value "
           "(what OPTION's is).\n"
           "_bgt_verb() {\n    case $1 in\n" +
           cases + "    esac\n}\n" + std::string(reply_functions) + std::string(main_function);
}

} // namespace bgt::cli
