#!/bin/sh
# Installs to /usr/local below a scratch folder, and looks whether the program, the man pages and the completions are where
# man and the shells look for them.
# usage: install_test.sh BUILD_FOLDER      the last line is "N passed, N failed"
set -u
build=${1:?usage: install_test.sh BUILD_FOLDER}
DESTDIR=$(mktemp -d)
export DESTDIR
trap 'rm -rf "$DESTDIR"' EXIT
passed=0
failed=0

# check WHAT COMMAND...
check()
{
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $what"
    fi
}

# fish_finds: whether a folder in which fish looks, without XDG_DATA_DIRS, has the completions.
fish_finds()
{
    for folder in $(env -u XDG_DATA_DIRS HOME="$DESTDIR" fish --command 'printf "%s\n" $fish_complete_path' 2>/dev/null); do
        if test -s "$DESTDIR$folder/bgt.fish"; then return 0; fi
    done
    return 1
}

check 'cmake --install' cmake --install "$build" --prefix /usr/local >"$DESTDIR/log" || cat "$DESTDIR/log"
for file in bin/bgt share/man/man1/bgt.1 share/man/man1/bgt-run.1 share/bash-completion/completions/bgt \
    share/zsh/site-functions/_bgt share/fish/vendor_completions.d/bgt.fish; do
    check "$file" test -s "$DESTDIR/usr/local/$file"
done
if command -v fish >/dev/null; then
    check 'fish finds its completions' fish_finds
else
    echo 'skipped: fish finds its completions: no fish'
fi
DESTDIR="$DESTDIR/packages" cmake --install "$build" --prefix /usr >/dev/null
check 'nothing outside of another prefix' test ! -e "$DESTDIR/packages/etc"
echo "$passed passed, $failed failed"
test "$failed" = 0
