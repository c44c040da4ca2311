#!/bin/sh
# What must hold while things break: a sample of faults at every system call, processes started and ended at random
# moments, disks, descriptors, pids, clocks and users that turn hostile, and the state that older versions left.
# usage: sh tests/fault/run.sh BGT [SHOTS [ROUNDS]]       the last line is "N passed, N failed"
set -u
bgt=${1:?usage: sh tests/fault/run.sh BGT [SHOTS [ROUNDS]]}
shots=${2:-500}
rounds=${3:-200}
here=$(dirname "$0")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# play SCRIPT [OPTION...]: shows what it prints, and adds up its last line.
play()
{
    echo "== $*"
    script=$1
    shift
    python3 "$here/$script" --bgt "$bgt" "$@" 2>&1 | tee "$log"
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if test -z "$last"; then
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + ${last%% *}))
    last=${last#*passed, }
    failed=$((failed + ${last%% *}))
}

play syscalls.py --sample "$shots" --seed 77 # the same shots each time: by hand, without it, others
play rounds.py --rounds "$rounds" --jobs 4
play waiting.py --tasks 300 --every 20
play waiting.py --tasks 300 --every 20 --removal
play schedules.py --schedules 5 --seconds 15 --every 50
play events.py --events 2000 --tasks 10 --every 50
for script in users.py clone.py records.py seccomp.py surroundings.py surroundings_container.py surroundings_files.py \
    surroundings_limits.py surroundings_pids.py surroundings_time.py old_state.py; do
    play "$script"
done
echo "$passed passed, $failed failed"
test "$failed" = 0 && test "$passed" -gt 0
