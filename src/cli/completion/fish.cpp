#include "completion/completion.hpp"

namespace bgt::cli {

namespace {

/// 'TEXT' for fish, where only \ and ' are special between single quotes.
std::string fish_quoted(const std::string& text)
{
    std::string out = "'";
    for (const char c : text) {
        if (c == '\\' || c == '\'') out += '\\';
        out += c;
    }
    return out + "'";
}

/// A word of the list that -a takes, where fish would read < and > as redirections.
std::string list_word(const std::string& word)
{
    std::string out;
    for (const char c : word) {
        if (c == '<' || c == '>') out += '\\';
        out += c;
    }
    return out;
}

/// The arguments of `complete` that say what a word of this kind is.
std::string argument(const ValueCompletion& value)
{
    if (value.words.empty()) return value.fish;
    std::string list;
    for (const auto& word : value.words) list += (list.empty() ? "" : " ") + list_word(word);
    return " -a " + fish_quoted(list);
}

std::string option_line(const std::string& verb, const OptionInfo& info)
{
    std::string out = "complete -c bgt -n '__bgt_in " + verb + "'";
    for (const auto name : info.all_names())
        out.append(name.starts_with("--") ? " -l " : " -s ")
            .append(name.substr(name.find_first_not_of('-')));
    if (!info.metavar.empty()) {
        const auto what = argument(completion_of(info));
        out += (what == " -F" ? " -r" : " -x") + what;
    }
    return out + " -d " + fish_quoted(info.help) + "\n";
}

std::string word_lines(const VerbShape& verb)
{
    const auto line = [&](const std::string& condition, const std::string& what) {
        return what.empty() ? "" : "complete -c bgt -n '" + condition + "'" + what + "\n";
    };
    if (!verb.takes_words) return "";
    if (verb.words == Value::command)
        return line("__bgt_in " + verb.name, " -a '(__fish_complete_command)'") +
               line("__bgt_in_command " + verb.name, " -a '(__bgt_command)'");
    const auto first = argument(completion_of(verb.first_word));
    const auto rest = argument(completion_of(verb.words));
    if (first == rest) return line("__bgt_in " + verb.name, first);
    return line("__bgt_in " + verb.name + " first", first) +
           line("__bgt_in " + verb.name + " rest", rest);
}

/// "-n --lines ...": the options of the verb that take the next word as their value.
std::string valued_options(const VerbShape& verb)
{
    std::string out;
    for (const auto& info : verb.options)
        if (!info.metavar.empty())
            for (const auto name : info.all_names()) out.append(" ").append(name);
    return out;
}

constexpr std::string_view functions = R"sh(
# Walks the words before the cursor: the verb, and the index and number of the words that are no options.
function __bgt_walk
    set -g __bgt_verb ''
    set -g __bgt_root
    set -g __bgt_words 0
    set -g __bgt_start 0
    set -l pending ''
    set -l dashes 0
    set -l tokens (commandline -opc)
    for i in (seq 2 (count $tokens))
        set -l token $tokens[$i]
        if test -n "$pending"
            test $pending = --root; and set -g __bgt_root --root $token
            set pending ''
        else if test $dashes = 0; and string match -q -- '--root=*' $token
            set -g __bgt_root $token
        else if test $dashes = 0; and contains -- $token --root --config (__bgt_valued $__bgt_verb)
            set pending $token
        else if test $dashes = 0; and test "$token" = --
            set dashes 1
        else if test $dashes = 0; and string match -qr -- '^-.' $token
            continue
        else if test -z "$__bgt_verb"
            set -g __bgt_verb $token
        else
            set -g __bgt_words (math $__bgt_words + 1)
            test $__bgt_start = 0; and set -g __bgt_start $i
            contains -- $__bgt_verb run submit scope; and return
        end
    end
end

# __bgt_in VERB [first|rest]: the cursor is at an option or a word of VERB (but not of a command).
function __bgt_in
    __bgt_walk
    test "$__bgt_verb" = $argv[1]; or return 1
    contains -- $argv[1] run submit scope; and test $__bgt_words -gt 0; and return 1
    switch "$argv[2]"
        case first
            test $__bgt_words = 0
        case rest
            test $__bgt_words -gt 0
        case '*'
            true
    end
end

function __bgt_no_verb
    __bgt_walk
    test -z "$__bgt_verb"
end

function __bgt_in_command
    __bgt_walk
    test "$__bgt_verb" = $argv[1]; and test $__bgt_words -gt 0
end

# The completions of the command of `run`, `submit` or `scope` itself.
function __bgt_command
    __bgt_walk
    set -l tokens (commandline -opc)
    complete -C (string join ' ' -- (string escape -- $tokens[$__bgt_start..-1]) (commandline -ct))
end

# Asks the bgt of the PATH, whatever stands first on the line. What it answers is not expanded, and
# fish quotes what it inserts.
function __bgt_known
    __bgt_walk
    command bgt $__bgt_root completion $argv[1] 2>/dev/null
end

complete -c bgt -f
complete -c bgt -n __bgt_no_verb -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks'
complete -c bgt -n __bgt_no_verb -l config -r -F -d 'read FILE in place of the nearest bgt.toml'
complete -c bgt -n __bgt_no_verb -l version -d 'print the version'
complete -c bgt -n __bgt_no_verb -s h -l help -d 'print help'
)sh";

} // namespace

std::string fish_completion()
{
    std::string valued, lines;
    for (const auto& verb : verb_shapes()) {
        if (const auto options = valued_options(verb); !options.empty())
            valued += "        case " + verb.name + "\n            string split ' ' -- '" +
                      options.substr(1) + "'\n";
        lines += "complete -c bgt -n __bgt_no_verb -a " + verb.name + " -d " +
                 fish_quoted(verb.summary) + "\n";
        for (const auto& info : verb.options) lines += option_line(verb.name, info);
        lines += word_lines(verb);
    }
    return "# fish completion for bgt. Made by `bgt completion fish`: do not edit.\n\n"
           "# The options of a verb that take the next word as their value.\n"
           "function __bgt_valued\n    switch \"$argv[1]\"\n" +
           valued + "    end\nend\n" + std::string(functions) + lines;
}

} // namespace bgt::cli
