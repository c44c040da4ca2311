#!/bin/sh
# A queue of jobs: two slots, priorities, dependencies, a job that is tried again, and one that fails.
# It uses a state root of its own, and leaves nothing behind.
# usage: sh examples/queue.sh        with bgt in PATH
set -eu

BGT_ROOT=$(mktemp -d)
export BGT_ROOT

leave()
{
    bgt kill --all --now >/dev/null
    rm -rf "$BGT_ROOT"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step TEXT: what comes next.
step()
{
    printf '\n== %s\n' "$1"
}

# submit OPTION...: a job of the queue "shop"; it ends with this script, however the script ends.
submit()
{
    bgt submit --queue shop --owner $$ --tag demo=queue "$@" >/dev/null
}

step 'Two jobs may run at once, and at most ten may wait. The queue is paused while it is filled.'
bgt queue set shop slots=2 limit=10
bgt queue pause shop
submit --name fetch -c 'echo "fetched 3 files"'
submit --name build --after fetch -c 'for i in 1 2 3; do echo "[$i/3] compiled"; done'
submit --name upload --after build --retries 2 --backoff 100ms -c '
    echo "attempt $BGT_ATTEMPT"
    test "$BGT_ATTEMPT" = 3'
submit --name tests --after build -c 'echo "1 of 40 tests failed"; exit 1'
submit --name release --after upload,tests -- echo 'released'
submit --name report --after upload:any,tests:any -- echo 'report sent'
submit --name lint --priority 10 -- echo 'lint: no remarks'
bgt queue show shop | grep -E '^(slots|limit|state|waiting)'

step 'Why does "build" not start?'
bgt why build

step 'The queue may start its jobs: "lint" first, because of its priority.'
bgt queue resume shop
code=0
bgt wait --timeout 60 --tag demo=queue || code=$?
echo "bgt wait: code $code, the first one that is not 0"

step 'How they ended. "release" was not started, because the tests had failed; "report" takes any end.'
bgt ps -a --format '{id} {name}: {state}' | sort

step '"upload" needed three attempts.'
bgt logs upload
bgt show upload | grep -E '^    [0-9] ' | sed 's/ after .*//'

step 'The output of what failed:'
for id in $(bgt ps -a --state failed --quiet | sort); do
    bgt why "$id" | sed -n '1s/) .*/)/p; /^because/,/^next/{/^next/!p;}'
    bgt logs "$id"
done

step 'Nothing waits any more, and nothing runs.'
bgt queue
