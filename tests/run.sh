#!/bin/sh
# Runs all tests: installs what is missing, builds, and ends with the line "N passed, N failed".
# usage: sh tests/run.sh [PRESET...]     (release where none is named; see CMakePresets.json)
# A program that fails is run once more, as the machine may have been too busy for its deadlines; ctest shows both runs.
# Test cases are counted, not programs. BGT_JOBS=N builds with N compilers at once; BGT_TESTS=REGEX runs only the test
# programs whose names match; BGT_TARGET=NAME builds only what these need.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

# count_cases JUNIT: prints "PASSED FAILED", and names what failed or was skipped on stderr.
count_cases()
{
    awk -f tests/count.awk "$1"
}

# run_preset PRESET: adds to $passed and $failed.
run_preset()
{
    build=build/$1
    junit=$PWD/$build/junit.xml
    echo "== $1: configure and build"
    mkdir -p "$build"
    cmake --preset "$1" >"$build/configure.log" 2>&1 || { cat "$build/configure.log"; return 1; }
    cmake --build --preset "$1" ${BGT_JOBS:+-j "$BGT_JOBS"} ${BGT_TARGET:+--target "$BGT_TARGET"} || return 1
    echo "== $1: test"
    rm -f "$junit"
    status=0
    ctest --test-dir "$build" -j 2 ${BGT_TESTS:+-R "$BGT_TESTS"} --output-junit "$junit" --output-on-failure --timeout 600 --no-tests=error --repeat until-pass:2 \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 || status=$?
    test -s "$junit" || return 1
    counts=$(count_cases "$junit")
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    # ctest may know of a failure that no case shows: a program that could not be started, or none at all.
    if test "$status" != 0 && test "${counts#* }" = 0; then return 1; fi
}

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
passed=0
failed=0
if need_packages tests; then
    for preset in "${@:-release}"; do
        run_preset "$preset" || failed=$((failed + 1))
    done
else
    failed=1
fi
echo "$passed passed, $failed failed"
test "$failed" = 0 && test "$passed" -gt 0
