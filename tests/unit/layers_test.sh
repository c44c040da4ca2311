#!/bin/sh
# Holds the layers to cmake/layers.txt: a layer includes only itself and those before it in that list, less what its line
# forbids; and nobody starts a thread or includes <iostream>.
# usage: layers_test.sh SOURCE_FOLDER      the last line is "N passed, N failed"
set -u
cd "${1:?usage: layers_test.sh SOURCE_FOLDER}" || exit 1
list=$(sed -n '/^[a-z]/p' cmake/layers.txt)
layers=$(printf '%s\n' "$list" | awk '{ print $1 }')
system='sys/|linux/|netinet/|arpa/|net/|asm/|unistd\.h|fcntl\.h|signal\.h|poll\.h|dirent\.h|pthread\.h|sched\.h'
system="$system|termios\.h|pwd\.h|grp\.h|spawn\.h|dlfcn\.h|netdb\.h|syslog\.h|utmp\.h|boost/asio|boost/process|boost/beast"
passed=0
failed=0

# verdict LAYER RULE OFFENDERS
verdict()
{
    if test -z "$3"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s: %s\n%s\n' "$1" "$2" "$3"
    fi
}

# has_word LAYER WORD: whether the layer's line of the list holds that word.
has_word()
{
    printf '%s\n' "$list" | awk -v layer="$1" -v word="$2" '
        $1 == layer { for (i = 2; i <= NF; i++) if ($i == word) found = 1 }
        END { exit !found }'
}

# includes LAYER REGEX: the include lines of the layer's files that fit.
includes()
{
    find "include/bgt/$1" "src/$1" -name '*.?pp' 2>/dev/null | sort |
        xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)"
}

allowed=
for layer in $layers; do
    allowed="$allowed $layer"
    if test -z "$(find "include/bgt/$layer" "src/$layer" -name '*.?pp' 2>/dev/null)"; then
        verdict "$layer" 'has no files' "include/bgt/$layer and src/$layer are empty"
        continue
    fi
    forbidden=
    for other in $layers; do
        case " $allowed " in
        *" $other "*) if has_word "$layer" "-$other"; then forbidden="$forbidden|$other"; fi ;;
        *) forbidden="$forbidden|$other" ;;
        esac
    done
    if test -n "$forbidden"; then
        verdict "$layer" "may not include ${forbidden#|}" "$(includes "$layer" "(bgt/)?(${forbidden#|})/")"
    fi
    # An include that climbs out of its folder would dodge the rule above.
    verdict "$layer" 'may not include by a path with ..' "$(includes "$layer" '[^>"]*\.\./')"
    if has_word "$layer" pure; then
        verdict "$layer" 'knows no operating system' "$(includes "$layer" "$system")"
    fi
done
for word in $(printf '%s\n' "$list" | awk '{ for (i = 2; i <= NF; i++) print $i }'); do
    case " $allowed pure " in
    *" ${word#-} "*) ;;
    *) verdict cmake/layers.txt 'has a word that means nothing' "$word" ;;
    esac
done
for folder in include/bgt/*/ src/*/; do
    name=$(basename "$folder")
    case " $allowed " in
    *" $name "*) ;;
    *) verdict "$name" 'is not in cmake/layers.txt' "$folder" ;;
    esac
done

# A verb parses, calls an operation and renders; of the system only the terminal is its own.
below_ops()
{
    includes cli '(bgt/)?(supervise|os)/' | grep -vE '[<"](bgt/)?os/terminal\.hpp[>"]'
}
verdict cli 'includes nothing of supervise, and of os the terminal alone' "$(below_ops)"

# It would make the standard streams and a locale at each start (src/cli/cli11.hpp).
verdict all 'includes no <iostream>' "$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<iostream>' include/bgt src)"

# A program that forks has one thread only: what another held at the fork would be held in the child for ever.
threads='std::(jthread|thread|async)[^_[:alnum:]]|pthread_create|thread_pool|thrd_create'
verdict all 'starts no thread' "$(grep -rnE "$threads" include/bgt src)"

# The rules themselves: a planted offender must be found.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/src/core" "$scratch/src/cli"
printf '#include <bgt/os/terminal.hpp>\n#include <bgt/os/proc.hpp>\n' >"$scratch/src/cli/bad.cpp"
printf '#include <bgt/os/proc.hpp>\n # include  <sys/wait.h>\n' >"$scratch/src/core/bad.cpp"
planted=$(cd "$scratch" && includes core '(bgt/)?(store|os)/' && includes core "$system" && below_ops)
printf 'std::thread helper([] {});\n' >"$scratch/src/core/worse.cpp"
planted="$planted
$(grep -rnE "$threads" "$scratch")"
if test "$(printf '%s\n' "$planted" | wc -l)" = 4; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "a planted offender was not found: $planted"
fi

echo "$passed passed, $failed failed"
test "$failed" = 0
