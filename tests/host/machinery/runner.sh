# shellcheck shell=bash
# What tests/host/run, tests/host/shell and tools/demo share: checks of the machine, the work
# directory, the tree with enact in it, keepers, and the clearing away at the end.
#
# Sets: checkout, work (the runner's own directory), logs. Reads: build, limit, keep.

checkout=$(dirname "$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")")
build=${ENACT_BUILD:-}
limit=${limit:-120}
keep=${keep:-}

# shellcheck source=layers.sh
. "$checkout/tests/host/machinery/layers.sh"
# shellcheck source=cgroups.sh
. "$checkout/tests/host/machinery/cgroups.sh"

runner_usage() {
    printf '%s: %s (--help tells more)\n' "${0##*/}" "$1" >&2
    exit 2
}

runner_give_up() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# runner_name PID: a name that no other process gets, also after this one has ended
runner_name() {
    printf 'enact-tests-%s-%s' "$1" "$(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d' ' -f20)"
}

# runner_start PROGRAM ARGUMENT...: get ready to run keepers
runner_start() {
    local program missing=()

    [ "$(id -u)" -eq 0 ] || runner_give_up "throwaway hosts need root: run it as root, or with sudo"

    # Where systemd is in charge of the cgroups, it has to lend us some.
    if [ -d /run/systemd/system ] && [ -z "${ENACT_TEST_SCOPE:-}" ]; then
        exec systemd-run --scope --quiet --property=Delegate=yes \
            --setenv=ENACT_TEST_SCOPE=1 -- "$@"
    fi

    for program in mmdebstrap systemd-nspawn unshare nsenter setpriv ip flock pgrep jq; do
        command -v "$program" > /dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] ||
        runner_give_up "not installed: ${missing[*]}; tools/setup installs what the tests need"

    work=/var/tmp/$(runner_name "$$")
    logs=$work/logs
    trap runner_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    runner_sweep
    mkdir -p "$logs"
    chmod 700 "$work"
    cgroups_parents | sed "s|\$|/${work##*/}|" > "$work/cgroups"

    runner_install
    debian_layer > /dev/null || exit 1
}

# runner_sweep: clear away what runners left that were killed
runner_sweep() {
    local dir pid

    {
        printf '%s\n' /var/tmp
        cgroups_parents
    } | while IFS= read -r dir; do
        find "$dir" -mindepth 1 -maxdepth 1 -type d -name 'enact-tests-*'
    done | while IFS= read -r dir; do
        pid=${dir##*/enact-tests-}
        pid=${pid%%-*}
        [ "${dir##*/}" != "$(runner_name "$pid")" ] || continue
        case $dir in
        /var/tmp/*) rm -rf --one-file-system -- "$dir" ;;
        *) printf '%s\n' "$dir" | cgroups_remove ;;
        esac
    done
}

# runner_install: the tree that each host gets laid over its system, from the build
runner_install() {
    local candidate dir

    [ "$build" != none ] || return 0
    if [ -z "$build" ]; then
        for candidate in "$checkout/build" "$checkout/build/gcc"; do
            if [ -e "$candidate/build.ninja" ]; then
                build=$candidate
                break
            fi
        done
    fi
    [ -e "$build/build.ninja" ] ||
        runner_give_up "no build at ${build:-$checkout/build}: make one (meson setup build && ninja -C build), name one with --build, or use --no-enact"

    if ! meson install -C "$build" --destdir "$work/install" > "$logs/install.log" 2>&1; then
        tail -n 30 "$logs/install.log" >&2
        runner_give_up "the build at $build could not be installed; the log's end is above"
    fi
    # Debian's /lib and such are links to those in /usr, which a directory would hide.
    for dir in bin sbin lib lib64; do
        [ -d "$work/install/$dir" ] || continue
        mkdir -p "$work/install/usr/$dir"
        cp -a "$work/install/$dir/." "$work/install/usr/$dir/"
        rm -rf "${work:?}/install/$dir"
    done
    [ -e "$work/install/usr/bin/enact" ] ||
        runner_give_up "the build at $build installs no /usr/bin/enact: is its prefix /usr?"
}

# runner_keeper NAME SCENARIO: become the keeper of a scenario. In the background only, as a child of
# the runner itself: when the runner dies, however it dies, so does the keeper.
runner_keeper() {
    local parent cgroups=''

    while IFS= read -r parent; do
        mkdir -p "$parent/$1"
        cgroups+=${cgroups:+$'\n'}$parent/$1
    done < "$work/cgroups"
    mkdir -p "$work/$1"
    export ENACT_TEST_CHECKOUT=$checkout ENACT_TEST_PLACE=$work/$1 ENACT_TEST_LIMIT=$limit \
        ENACT_TEST_CGROUPS=$cgroups ENACT_TEST_KEEP=$keep ENACT_TEST_KEPT=$work/$1.kept \
        ENACT_TEST_INSTALL='' ENACT_BUILD=$build
    [ ! -d "$work/install" ] || ENACT_TEST_INSTALL=$work/install
    exec setpriv --pdeathsig KILL \
        unshare --mount --pid --net --fork --kill-child=KILL --mount-proc -- \
        bash "$checkout/tests/host/machinery/keeper" "$2"
}

# runner_run NAME SCENARIO: a keeper in the foreground, with the terminal
runner_run() {
    local code=0

    runner_keeper "$1" "$2" <&0 &
    wait "$!" || code=$?
    runner_forget "$1"
    return "$code"
}

# runner_forget NAME: the scenario's keeper has ended; remove what that leaves
runner_forget() {
    sed "s|\$|/$1|" "$work/cgroups" | cgroups_remove
    rmdir "$work/$1" 2> /dev/null || true
}

# runner_keep_logs: for a person or a CI system to look at after the end; those of the last failure
runner_keep_logs() {
    rm -rf "$cache/logs"
    cp -rT "$logs" "$cache/logs"
    printf 'logs: %s\n' "$cache/logs"
}

runner_end() {
    local keepers

    trap '' INT TERM HUP
    mapfile -t keepers < <(jobs -p)
    if [ ${#keepers[@]} -gt 0 ]; then
        kill -KILL "${keepers[@]}" 2> /dev/null || true
        wait "${keepers[@]}" 2> /dev/null || true
    fi
    [ ! -e "$work/cgroups" ] || cgroups_remove < "$work/cgroups"
    rm -rf --one-file-system -- "$work"
}
