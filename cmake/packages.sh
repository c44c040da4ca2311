# Sourced by cmake/setup.sh and tests/run.sh: which Debian packages are needed, and how the missing ones get there.

# What the build needs, beside Boost. catch2 is among them because the presets configure the tests too.
build_packages='cmake ninja-build g++ libcli11-dev libfmt-dev libtomlplusplus-dev libre2-dev libutf8proc-dev catch2'
# Process v2 came with Boost 1.81. Debian 12 has that beside its default, 1.74, in packages with the version in their names.
boost_parts='libboost libboost-json libboost-filesystem'
min_boost=1.81

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
    if test "$(id -u)" = 0; then "$@"; else sudo "$@"; fi
}

# update_lists: asks the archive for its list of packages, once.
update_lists()
{
    test -z "${lists_are_new:-}" || return 0
    echo "${sudo}apt-get update"
    as_root apt-get -qq update </dev/null || return 1
    lists_are_new=1
}

# version_of PACKAGE: the installed version, or else the one that apt would install; nothing where it knows none.
version_of()
{
    if is_installed "$1"; then
        dpkg-query -W -f '${Version}' "$1"
    else
        LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n '/(none)/d; s/^  Candidate: //p'
    fi
}

# boost_packages: prints Boost's packages; the default version of the distribution where it is new enough, else the newest.
boost_packages()
{
    suffix=
    if ! dpkg --compare-versions "$(version_of libboost-dev)" ge "$min_boost"; then
        suffix=$(apt-cache pkgnames libboost1. | sed -n 's/^libboost\(1\.[0-9]*\)-dev$/\1/p' | sort -V | tail -n 1)
    fi
    for part in $boost_parts; do echo "$part$suffix-dev"; done
}

# missing_boost: prints which packages of Boost have to be installed.
missing_boost()
{
    # What is installed is asked first: apt takes a second to answer.
    for dev in $(dpkg-query -W -f '${Package}\n' 'libboost*-dev' 2>/dev/null | sed -n '/^libboost[0-9.]*-dev$/p'); do
        dpkg --compare-versions "$(version_of "$dev")" ge "$min_boost" || continue
        suffix=${dev#libboost}
        complete=1
        for part in $boost_parts; do is_installed "$part$suffix" || complete=; done
        test -z "$complete" || return 0
    done
    boost_packages
}

# show_progress: reads apt's status lines (phase:package:percent:text), and prints one line for each tenth of the way.
show_progress()
{
    shown=
    while IFS=: read -r phase _ percent _; do
        case $phase in
        dlstatus) phase=downloading ;;
        pmstatus) phase=installing ;;
        *) continue ;;
        esac
        tenths=$((${percent%%.*} / 10))
        test "$phase $tenths" != "$shown" || continue
        shown="$phase $tenths"
        echo "  $phase: $((tenths * 10)) %"
    done
}

# install_packages PACKAGE...: with no service started or enabled that was not there before.
install_packages()
{
    echo "${sudo}apt-get install -y --no-install-recommends $*"
    apt_status=$(mktemp)
    {
        as_root sh -s -- "$services" "$@" <<'AS_ROOT' || echo failed >"$apt_status"
            set -eu
            services=$1
            shift
            export DEBIAN_FRONTEND=noninteractive
            fresh=
            for service in $services; do
                test -e /etc/init.d/"$service" || fresh="$fresh $service"
            done
            log=$(mktemp)
            policy=/usr/sbin/policy-rc.d
            made=
            trap 'rm -f "$log" $made' EXIT
            trap 'exit 130' INT TERM HUP
            # A policy that is there already (a container's) is left as it is; ours denies only what is new.
            if test -n "$fresh" && ! test -e "$policy"; then
                made=$policy
                printf '#!/bin/sh\ncase " %s " in *" ${1%%.service} "*) exit 101 ;; esac\nexit 0\n' "$fresh" >"$policy"
                chmod 755 "$policy"
            fi
            # The progress goes to stdout, and what apt says to the log.
            apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 -o APT::Status-Fd=3 "$@" \
                3>&1 >"$log" 2>&1 </dev/null || {
                cat "$log" >&2
                exit 1
            }
            for service in $fresh; do
                if test -e /etc/init.d/"$service"; then update-rc.d "$service" disable; fi
            done
AS_ROOT
    } | show_progress
    failure=$(cat "$apt_status")
    rm -f "$apt_status"
    test -z "$failure"
}

# need_packages build|tests|style: installs what is missing of it; silent and quick where nothing is.
need_packages()
{
    sudo=
    if test "$(id -u)" != 0; then sudo='sudo '; fi
    missing=
    packages=$build_packages
    if test "$1" = style; then packages="$packages clang-format-14"; fi
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
    boost=$(missing_boost)
    test -n "$missing$boost" || return 0
    if test -n "$sudo" && ! command -v sudo >/dev/null 2>&1; then
        echo "Packages are missing, which only root can install, and there is no sudo. As root, run:" >&2
        # shellcheck disable=SC2086  # lists of words
        echo "apt-get update && apt-get install -y --no-install-recommends" $missing $boost >&2
        return 1
    fi
    update_lists || return 1
    if test -n "$boost"; then boost=$(boost_packages); fi # anew: without its lists apt knew no versions
    # shellcheck disable=SC2086  # lists of words
    install_packages $missing $boost
}
