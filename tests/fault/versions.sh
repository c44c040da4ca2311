#!/bin/sh
# This bgt and that of the commit before, which is built here: the verbs of each drive the tasks of the other.
# usage: sh tests/fault/versions.sh BGT [COMMIT]       (HEAD~1) the last line is "N passed, N failed"
set -eu
bgt=${1:?usage: sh tests/fault/versions.sh BGT [COMMIT]}
commit=${2:-HEAD~1}
here=$(cd "$(dirname "$0")" && pwd)
if ! git -C "$here" rev-parse --quiet --verify "$commit^{commit}" >/dev/null; then
    echo "skipped: there is no commit before this one (a shallow clone, or no clone)"
    echo "0 passed, 0 failed"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/source"
git -C "$here/../.." archive "$commit" | tar -x -C "$folder/source"
echo "== building $(git -C "$here" log -1 --format='%h %s' "$commit")"
if ! { cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O0 \
    -DBGT_TESTS=OFF && cmake --build "$folder/build" --target bgt; } >"$folder/log" 2>&1; then
    tail -n 20 "$folder/log"
    echo "0 passed, 1 failed"
    exit 1
fi
python3 "$here/versions.py" --old "$folder/build/bgt" --new "$bgt"
