#!/bin/sh
# Holds --help, the man pages and the completions to the same verbs and the same flags, and the files of completions/ to
# what `bgt completion` prints; and checks that the man pages are sound.
# usage: flags_test.sh BGT SOURCE_FOLDER      the last line is "N passed, N failed"
set -u
LC_ALL=C
export LC_ALL
bgt=${1:?usage: flags_test.sh BGT SOURCE_FOLDER}
cd "${2:?usage: flags_test.sh BGT SOURCE_FOLDER}" || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
BGT_ROOT=$scratch/root
XDG_CONFIG_HOME=$scratch
export BGT_ROOT XDG_CONFIG_HOME
passed=0
failed=0
for program in bash mandoc; do
    command -v "$program" >/dev/null || echo "skipped: what needs $program: it is not installed"
done

# has PROGRAM: whether what needs it can be checked.
has()
{
    command -v "$1" >/dev/null
}

# check WHAT EXPECTED ACTUAL: two lists of words, in any order; an empty one is a failure too.
check()
{
    printf '%s\n' $2 | sort -u >"$scratch/expected"
    printf '%s\n' $3 | sort -u >"$scratch/actual"
    if test -n "$2" && cmp -s "$scratch/expected" "$scratch/actual"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1:"
        diff "$scratch/expected" "$scratch/actual" | sed -n 's/^</  missing:/p; s/^>/  too much:/p'
    fi
}

# verdict WHAT PROBLEM: passes where there is no problem.
verdict()
{
    if test -z "$2"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s:\n%s\n' "$1" "$2"
    fi
}

# flags_of_help: the names at the beginning of each row below "Options:", or below the title of a group of options.
flags_of_help()
{
    awk '/^[A-Z][A-Za-z ]+:$/ { on = $0 != "Verbs:" && $0 != "Examples:" }
        on && /^  (    )?-/ { for (i = 1; i <= NF && $i ~ /^-/; i++) { sub(/,$/, "", $i); print $i } }'
}

# flags_of_man FILE: the Fl of each item of OPTIONS; ".It Fl f , Fl -follow" is -f and --follow.
flags_of_man()
{
    awk '/^\.Sh / { on = $2 == "OPTIONS" }
        on && /^\.It / { for (i = 2; i < NF; i++) if ($i == "Fl") print "-" $(i + 1) }' "$1"
}

# flags_of_bash VERB: what the completion offers after "bgt VERB -".
flags_of_bash()
{
    bash --norc --noprofile -c '. completions/bgt.bash
        COMP_WORDS=(bgt "$1" -) COMP_CWORD=2 COMP_LINE="bgt $1 -" COMP_POINT=${#COMP_LINE}
        _bgt bgt - "$1"; printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}

# flags_of_zsh VERB: the names in specs such as '(-n --lines)'{-n+,--lines=}'[help]' of the verb's branch.
flags_of_zsh()
{
    awk -v verb="    ($1)" '
        /^    \([a-z]+\)$/ { on = $0 == verb }
        on && match($0, /^ +\047(\*|\([^)]*\))\047[^\047]*\047\[/) {
            spec = substr($0, RSTART, RLENGTH)
            sub(/^ +\047(\*|\([^)]*\))\047/, "", spec)
            gsub(/[{}\047\[=+]/, "", spec)
            gsub(/,/, "\n", spec)
            print spec
        }' completions/_bgt
}

# flags_of_fish VERB: -s and -l of its lines, up to the description.
flags_of_fish()
{
    sed -n "s/^complete -c bgt -n '__bgt_in $1'\(.*\)/\1/p" completions/bgt.fish | sed "s/ -d '.*//" |
        awk '{ for (i = 1; i < NF; i++) { if ($i == "-l") print "--" $(i + 1); if ($i == "-s") print "-" $(i + 1) } }'
}

# verbs: name by name, from `bgt --help`.
verbs()
{
    "$bgt" --help | awk '/^[A-Z][a-z]+:$/ { on = $0 == "Verbs:" } on && /^  [a-z]/ { print $1 }'
}

check 'man pages for the verbs' "$(verbs)" "$(ls man | sed -n 's/^bgt-\(.*\)\.1$/\1/p')"
check 'verbs listed in bgt.1' "$(verbs)" "$(sed -n 's/^\.It Xr bgt-\([a-z]*\) 1$/\1/p' man/bgt.1)"
check 'options of bgt itself' "$("$bgt" --help | flags_of_help | grep -e '^--')" \
    "$(flags_of_man man/bgt.1 | grep -e '^--')"
for verb in $(verbs); do
    help=$("$bgt" "$verb" --help | flags_of_help)
    check "bgt-$verb.1" "$help" "$(flags_of_man "man/bgt-$verb.1")"
    if has bash; then check "bash, $verb" "$help" "$(flags_of_bash "$verb")"; fi
    check "zsh, $verb" "$help" "$(flags_of_zsh "$verb")"
    check "fish, $verb" "$help" "$(flags_of_fish "$verb")"
done

keys=$("$bgt" config --json | tr ',' '\n' | sed -n 's/.*"key":"\([a-z_]*\)".*/\1/p')
check 'settings in bgt-config.1' "$keys" "$(sed -n 's/^\.It Va \([a-z_]*\)$/\1/p' man/bgt-config.1)"
variables="$(printf '%s\n' "$keys" | tr a-z A-Z | sed 's/^/BGT_/') BGT_CONFIG"
check 'variables in bgt.1' "$variables" "$(sed -n 's/^\.It Ev \(BGT_.*\)/\1/p' man/bgt.1 | tr -d ,)"

for pair in bash=bgt.bash zsh=_bgt fish=bgt.fish; do
    verdict "completions/${pair#*=} is what bgt completion ${pair%=*} prints" \
        "$("$bgt" completion "${pair%=*}" | diff - "completions/${pair#*=}" | head -5)"
done

if has mandoc; then
    # "referenced manual not found" depends on the manuals of this machine.
    verdict 'mandoc -T lint' "$(mandoc -T lint man/*.1 2>/dev/null | grep -v 'referenced manual not found')"
    for page in man/*.1; do
        verdict "$page in 80 columns" "$(mandoc -T ascii -O width=80 "$page" 2>&1 | sed 's/.\x08//g' | expand | grep -E '.{81}')"
        for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
            grep -qx "\.Sh $section" "$page" || verdict "$page" "  has no section $section"
        done
    done
fi

echo "$passed passed, $failed failed"
test "$failed" = 0
