#!/bin/sh
# Runs the commands of the README on a bare Debian of its own: set-up, tests, installation and package, once as root and
# once as a user with sudo, each in a fresh clone on a fresh system. What is tested is what is committed.
# usage: sh tests/bare.sh bookworm|trixie [root|user] [--no-tests]
# Needs root, debootstrap, git, the network (BGT_MIRROR, http://deb.debian.org/debian where it is not set) and 5 GB below
# TMPDIR. Takes half an hour per user on two cores. The processes, mounts and files that it makes are gone at its end.
# After each command come its time and how much disk the system then uses more than a bare one. The last line is
# "N passed, N failed"; a compiler's warning is a failure.
set -eu
suite=${1:-}
test "$#" = 0 || shift
users=
tests=1
for word; do
    case $word in
    --no-tests) tests= ;;
    *) users="$users $word" ;;
    esac
done
users=${users:-root user}
case $suite in
bookworm | trixie) ;;
*)
    sed -n '/^# usage/,/^# Needs/s/^# //p' "$0" >&2
    exit 2
    ;;
esac
if test "$(id -u)" != 0; then echo "$0: needs root" >&2; exit 2; fi
for program in debootstrap git unshare tar; do
    command -v "$program" >/dev/null || { echo "$0: needs $program" >&2; exit 2; }
done
source=$(cd "$(dirname "$0")/.." && pwd)

# In namespaces of its own: mounts and processes end with this script, however it ends.
if test -z "${BGT_BARE_FOLDER:-}"; then
    BGT_BARE_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/bare-$suite.XXXXXX")
    export BGT_BARE_FOLDER
    trap 'rm -rf --one-file-system "$BGT_BARE_FOLDER"' EXIT
    trap 'exit 130' INT TERM HUP
    status=0
    unshare --mount --propagation private --pid --fork --kill-child sh "$0" "$suite" "$@" || status=$?
    exit "$status"
fi
folder=$BGT_BARE_FOLDER
passed=0
failed=0

# make_pristine: the system as it is after its installation, with the settings of this machine's apt (a proxy, say).
make_pristine()
{
    debootstrap --variant=minbase --include=ca-certificates,git,sudo "$suite" "$folder/pristine" \
        "${BGT_MIRROR:-http://deb.debian.org/debian}" >"$folder/debootstrap.log" 2>&1 || {
        tail -n 20 "$folder/debootstrap.log"
        return 1
    }
    apt-config dump | grep -E '^Acquire::(https?|Retries|Check-)' >"$folder/pristine/etc/apt/apt.conf.d/90machine" || true
    cp /etc/resolv.conf "$folder/pristine/etc/resolv.conf"
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(uname -n)" >"$folder/pristine/etc/hosts" # sudo asks for it
    chroot "$folder/pristine" useradd --create-home --shell /bin/bash dev
    echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$folder/pristine/etc/sudoers.d/dev"
}

# make_system: a copy of it that runs.
make_system()
{
    system=$folder/system
    mkdir "$system"
    mount --bind "$system" "$system" # the tests ask for a root folder that is a mount point
    cp -a "$folder/pristine/." "$system"
    mount -t proc proc "$system/proc"
    mount -t sysfs -o ro sysfs "$system/sys"
    mount -t tmpfs -o mode=755 tmpfs "$system/dev"
    for device in null:3 zero:5 full:7 random:8 urandom:9; do
        mknod -m 666 "$system/dev/${device%:*}" c 1 "${device#*:}"
    done
    mknod -m 666 "$system/dev/tty" c 5 0
    mkdir "$system/dev/pts" "$system/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$system/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
    ln -s pts/ptmx "$system/dev/ptmx"
    ln -s /proc/self/fd "$system/dev/fd"
    for stream in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${stream%:*}" "$system/dev/${stream#*:}"; done
}

remove_system()
{
    umount --recursive "$system" || umount --recursive --lazy "$system"
    rm -rf --one-file-system "$system"
}

# megabytes FOLDER: what its file system has given to it.
megabytes()
{
    du --one-file-system --summarize --block-size=MB "$1" | sed 's/MB.*//'
}

# play WHO COMMAND: in a login of that user, in the clone.
play()
{
    echo "== $suite, $1: $2"
    status="$folder/status"
    echo 1 >"$status"
    began=$(date +%s)
    {
        code=0
        chroot "$system" su --login "$1" --command "cd bgt && $2" </dev/null 2>&1 || code=$?
        echo "$code" >"$status"
    } | tee "$folder/log"
    echo "-- $(($(date +%s) - began)) s, $(($(megabytes "$system") - bare)) MB of disk"
    if test "$(cat "$status")" != 0; then
        echo "failed: $suite, $1: $2"
        failed=$((failed + 1))
    elif grep -E ': warning: |CMake .*Warning' "$folder/log" >"$folder/warnings"; then
        echo "warnings: $suite, $1: $2"
        cat "$folder/warnings"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

# run_as WHO SUDO: all commands of the README, on a system of their own.
run_as()
{
    make_system
    bare=$(megabytes "$system")
    home=$(chroot "$system" su --login "$1" --command pwd)
    git clone --quiet --no-hardlinks "$source" "$system$home/bgt"
    chroot "$system" chown -R "$1:" "$home/bgt"
    play "$1" 'sh cmake/setup.sh'
    if test -n "$tests"; then play "$1" 'sh tests/run.sh'; fi
    play "$1" "$2 cmake --install build/release && man=/usr/local/share/man/man1/bgt.1 && test -s \$man && bgt version &&
        { command -v fish >/dev/null || $2 apt-get install --yes fish; } &&
        fish --command 'complete --do-complete=\"bgt ver\"' | grep version"
    play "$1" "cmake --build --preset release --target package && $2 dpkg --install build/release/bgt_*.deb && /usr/bin/bgt version"
    remove_system
}

make_pristine
for user in $users; do
    case $user in
    root) run_as root '' ;;
    user) run_as dev sudo ;;
    *) echo "$0: root or user, not $user" >&2; exit 2 ;;
    esac
done
echo "$passed passed, $failed failed"
test "$failed" = 0
