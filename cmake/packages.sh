# Sourced by cmake/setup.sh and tests/run.sh: which Debian packages are needed, and how the missing ones get there.

# What the build needs. catch2 is among them because the presets configure the tests too.
build_packages='cmake ninja-build g++ libboost1.81-dev libboost-json1.81-dev libboost-filesystem1.81-dev
libcli11-dev libfmt-dev libtomlplusplus-dev libre2-dev catch2'

# What the tests start, as program=package: a program from elsewhere (a newer node, say) is as good as Debian's.
test_programs='node=nodejs npm=npm redis-server=redis-server redis-cli=redis-tools nginx=nginx make=make
ps=procps strace=strace python3=python3 pytest=python3-pytest mandoc=mandoc bash=bash zsh=zsh fish=fish'
# The same for modules of Python.
test_modules='jsonschema=python3-jsonschema'

# Packages that would start a service when they are installed: the tests want only their programs.
services='redis-server nginx'

is_installed()
{
    test "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed
}

# has_program NAME: also in sbin, which a user's PATH does not hold.
has_program()
{
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1
}

# as_root COMMAND...: directly, or through sudo.
as_root()
{
    if test "$(id -u)" = 0; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "This needs root and there is no sudo. As root, run: $*" >&2
        return 1
    fi
}

# install_packages PACKAGE...: with no service started or enabled that was not there before.
install_packages()
{
    echo "Installing: $*"
    as_root sh -s -- "$services" "$@" <<'AS_ROOT' || return 1
        set -eu
        services=$1
        shift
        export DEBIAN_FRONTEND=noninteractive
        fresh=
        for service in $services; do
            test -e /etc/init.d/"$service" || fresh="$fresh $service"
        done
        policy=/usr/sbin/policy-rc.d
        # A policy that is there already (a container's) is left as it is; ours denies only what is new.
        if test -n "$fresh" && ! test -e "$policy"; then
            trap 'rm -f "$policy"' EXIT
            trap 'exit 130' INT TERM HUP
            printf '#!/bin/sh\ncase " %s " in *" ${1%%.service} "*) exit 101 ;; esac\nexit 0\n' "$fresh" >"$policy"
            chmod 755 "$policy"
        fi
        apt-get -qq update </dev/null
        log=$(mktemp)
        apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1 || {
            cat "$log"
            rm -f "$log"
            exit 1
        }
        rm -f "$log"
        for service in $fresh; do
            if test -e /etc/init.d/"$service"; then update-rc.d "$service" disable; fi
        done
AS_ROOT
}

# need_packages build|tests: installs what is missing of it; silent and quick where nothing is.
need_packages()
{
    missing=
    packages=$build_packages
    if test "$1" = tests; then
        for pair in $test_programs; do
            has_program "${pair%%=*}" || missing="$missing ${pair#*=}"
        done
        for pair in $test_modules; do
            python3 -c "import ${pair%%=*}" 2>/dev/null || packages="$packages ${pair#*=}"
        done
    fi
    for package in $packages; do
        is_installed "$package" || missing="$missing $package"
    done
    # shellcheck disable=SC2086  # a list of words
    test -z "$missing" || install_packages $missing
}
