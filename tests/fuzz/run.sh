#!/bin/sh
# Runs the fuzzers, each for so many seconds of CPU, with the corpus of this folder and what earlier runs found.
# usage: sh tests/fuzz/run.sh [-s SECONDS] [-j JOBS] [-b BUILD] [TARGET...]     (60, 2, build/fuzz, all)
#        sh tests/fuzz/run.sh -m [-b BUILD] [TARGET...]      puts a small corpus that covers much in place of the old
# Build first: cmake --preset fuzz && cmake --build --preset fuzz (clang). What fails is left in BUILD/found/TARGET.
# The last line is "N passed, N failed"; a target passes when its time was over without a finding.
set -u
folder=$(cd "$(dirname "$0")" && pwd)
seconds=60 jobs=2 build=$folder/../../build/fuzz merge=
while getopts s:j:b:m option; do
    case $option in
    s) seconds=$OPTARG ;;
    j) jobs=$OPTARG ;;
    b) build=$OPTARG ;;
    m) merge=1 ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
build=$(cd "$build" && pwd) || exit 2
bounds="-timeout=60 -rss_limit_mb=2048 -max_len=4096"

# fuzz_one TARGET: until the time is over (SIGXCPU) or something is found.
fuzz_one()
{
    corpus=$build/corpus/$1 found=$build/found/$1 log=$build/found/$1.log
    mkdir -p "$corpus" "$found"
    scratch=$(mktemp -d)
    # shellcheck disable=SC2086
    TMPDIR=$scratch sh -c 'ulimit -c 0 && ulimit -S -t "$0" && exec "$@"' "$seconds" "$build/tests/fuzz_$1" $bounds \
        -artifact_prefix="$found/" "$corpus" "$folder/corpus/$1" >"$log" 2>&1
    status=$?
    rm -rf "$scratch"
    runs=$(grep -a '^#[0-9]' "$log" | tail -n 1 | sed 's/^#\([0-9]*\).*cov: \([0-9]*\).*/\1 runs, \2 edges/')
    if test "$status" = 152; then
        echo "passed: $1, $runs"
    else
        echo "failed: $1, $runs: $(grep -am1 -E 'does not hold|runtime error|ERROR:' "$log")"
        tail -n 2 "$log"
    fi
}

# merge_one TARGET: inputs named seed-* (by hand) and found-* (regressions) stay. To them come the shortest that cover what
# no other does, up to forty in all: the test is to be quick, and the rest is found again in a minute.
merge_one()
{
    kept=$folder/corpus/$1
    fresh=$(mktemp -d)
    mkdir -p "$build/corpus/$1"
    find "$kept" -type f ! -name 'seed-*' ! -name 'found-*' -exec mv '{}' "$build/corpus/$1" ';'
    cp "$kept"/* "$fresh"
    # shellcheck disable=SC2086
    "$build/tests/fuzz_$1" $bounds -set_cover_merge=1 -use_counters=0 "$fresh" "$build/corpus/$1" >"$build/found/$1.log" 2>&1 ||
        { echo "failed: $1, see $build/found/$1.log"; rm -rf "$fresh"; return; }
    room=$((40 - $(find "$kept" -type f | wc -l)))
    # shellcheck disable=SC2012
    (cd "$fresh" && ls -Sr) | grep -v '^seed-\|^found-' | head -n "$((room > 0 ? room : 0))" | while read -r input; do
        mv "$fresh/$input" "$kept/${input%"${input#????????}"}"
    done
    rm -rf "$fresh"
    echo "passed: $1, $(find "$kept" -type f | wc -l) inputs"
}

case ${FUZZ_STEP-} in
fuzz) fuzz_one "$1" 2>/dev/null; exit ;; # where the shell tells of the signal
merge) merge_one "$1"; exit ;;
esac
test $# != 0 || set -- $(cd "$folder" && ls ./*.cpp | sed -e 's|^\./||; s|\.cpp$||' -e '/^fuzz$/d; /^replay$/d')
mkdir -p "$build/found"
export FUZZ_STEP=${merge:+merge}
FUZZ_STEP=${FUZZ_STEP:-fuzz}
results=$(mktemp)
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh "$0" -s "$seconds" -b "$build" '{}' | tee "$results"
passed=$(grep -c '^passed:' "$results")
failed=$(($# - passed))
rm -f "$results"
echo "$passed passed, $failed failed"
test "$failed" = 0
