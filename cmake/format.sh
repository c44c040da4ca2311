#!/bin/sh
# Writes the C++ sources anew in the style of .clang-format, or says which are not in it.
# usage: sh cmake/format.sh [check]      with check the last line is "N passed, N failed": files
# Only clang-format 14, the version of Debian 12, counts: others break some lines differently.
set -eu
cd "$(dirname "$0")/.."
if test "${1:-}" = check && test -n "${CI:-}"; then
    . cmake/packages.sh
    if test -n "$(version_of clang-format-14)"; then need_packages style || true; fi
fi
formatter=
for program in clang-format-14 clang-format; do
    if "$program" --version 2>/dev/null | grep -q 'version 14\.'; then formatter=$program; break; fi
done
if test -z "$formatter"; then
    echo 'skipped: format: needs clang-format 14 (on Debian 12: apt-get install clang-format-14)'
    echo '0 passed, 0 failed, 1 skipped'
    test "${1:-}" = check
    exit
fi
sources=$(git ls-files '*.cpp' '*.hpp' '*.c')
if test "${1:-}" != check; then
    # shellcheck disable=SC2086  # a list of names without spaces
    "$formatter" -i $sources
    exit
fi
passed=0
failed=0
for file in $sources; do
    if "$formatter" "$file" | cmp -s - "$file"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not formatted: $file"
    fi
done
if test "$failed" != 0; then echo 'This formats them: sh cmake/format.sh'; fi
echo "$passed passed, $failed failed"
test "$failed" = 0
