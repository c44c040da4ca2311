#!/bin/sh
# All the set-up there is: installs the packages that are missing (Debian 12 or 13; with sudo where you are not root),
# builds the static release binary, and takes a real task through its whole life. Running it again costs seconds.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

need_packages build
echo 'cmake --preset release && cmake --build --preset release --target bgt'
mkdir -p build/release
cmake --preset release >build/release/configure.log 2>&1 || { cat build/release/configure.log; exit 1; }
cmake --build --preset release --target bgt

bgt=build/release/bgt
BGT_ROOT=$(mktemp -d)
export BGT_ROOT
trap '"$bgt" kill --all --now >/dev/null 2>&1 || true; rm -rf "$BGT_ROOT"' EXIT
trap 'exit 130' INT TERM HUP

fail()
{
    echo "$*" >&2
    exit 1
}
# show WORD...: prints one verb so that it can be pasted into a shell, and runs it.
show()
{
    line=$bgt
    for word; do
        case $word in
        '' | *[!A-Za-z0-9_:=./-]*) word="'$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'" ;;
        esac
        line="$line $word"
    done
    printf '\n%s\n' "$line"
    "$bgt" "$@"
}

show run --name hello -- sh -c 'echo starting; sleep 0.2; echo ready; sleep 600 & wait'
show wait --timeout 30 --for log:ready hello || fail 'The task did not get ready.'
show ps
show logs hello
show kill hello
code=0
show wait hello || code=$?
test "$code" = 143 || fail "Expected 143 (ended by SIGTERM), got $code."
code=0
show run --wait -- sh -c 'echo "task $BGT_TASK_ID of the new bgt"; exit 3' || code=$?
test "$code" = 3 || fail "Expected the task's own exit code 3, got $code."

echo
echo "bgt works: $PWD/$bgt ($(($(wc -c <"$bgt") / 1024)) KiB, needs no library)."
echo 'To have it everywhere, with man pages and completions:'
echo "sudo cmake --install $PWD/build/release"
