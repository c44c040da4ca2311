#!/bin/sh
# Measures bgt beside the tools that are installed; README.md of this folder says what and how.
#
#   bench/run.sh [--quick] [--bgt FILE] [--dir DIR] [--only PART]...
set -eu
here=$(cd "$(dirname "$0")" && pwd)

python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3) || { echo "bench: python3 is missing (apt install python3)" >&2; exit 2; }
command -v cc >/dev/null || { echo "bench: a C compiler is missing (apt install gcc libc6-dev)" >&2; exit 2; }

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
for program in worker least; do
    cc -O2 -Wall -Wextra -static -o "$tools/$program" "$here/$program.c"
done
"$python" -B "$here/bench.py" --tools "$tools" "$@"
