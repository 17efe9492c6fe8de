#!/bin/bash
# The words that scenarios are written in; README.md lists them. tests/host/run starts this in
# namespaces of its own with a scenario's file, which is read at the end of this file.
set -Eeuo pipefail

checkout=$ENACT_TEST_CHECKOUT
place=$ENACT_TEST_PLACE         # a tmpfs of this scenario: hosts/NAME/ and last/
install=${ENACT_TEST_INSTALL:-} # the tree with enact in it, or empty
boot_limit=${ENACT_TEST_BOOT_LIMIT:-40}

# shellcheck source=machinery/layers.sh
. "$checkout/tests/host/machinery/layers.sh"
# shellcheck source=machinery/cgroups.sh
. "$checkout/tests/host/machinery/cgroups.sh"

began_usec=${EPOCHREALTIME/./}
code=0                          # exit code of the last command that ran in a host

# --- saying what went wrong -----------------------------------------------------------------------

# scenario_line: FILE:LINE of the scenario's line that is being run
scenario_line() {
    local i

    for ((i = ${#BASH_SOURCE[@]} - 1; i > 0; i--)); do
        if [ "${BASH_SOURCE[i]}" = "$scenario" ]; then
            printf '%s:%s' "${scenario##*/}" "${BASH_LINENO[i - 1]}"
            return
        fi
    done
    printf '%s' "${scenario##*/}"
}

# fail TEXT...: end the scenario; each TEXT is a line. What the last command printed follows.
fail() {
    {
        printf 'not ok: %s: %s\n' "$(scenario_line)" "$1"
        [ $# -lt 2 ] || printf '    %s\n' "${@:2}"
        if [ -e "$place/last/command" ]; then
            printf -- '--- last command: %s (exit %s)\n' "$(cat "$place/last/command")" \
                "$(cat "$place/last/code" 2> /dev/null || echo unknown)"
            sed 's/^/out: /' "$place/last/out" 2> /dev/null | tail -n 40
            sed 's/^/err: /' "$place/last/err" 2> /dev/null | tail -n 60
        fi
    } >&2
    : > "$place/failed"
    exit 1
}

# skip WHY: end the scenario without a verdict
skip() {
    printf 'skip: %s\n' "$1"
    exit 77
}

# needs PROGRAM: skip where the machine does not have it; 'needs enact': where no build was given
needs() {
    if [ "$1" = enact ]; then
        [ -n "$install" ] || skip "needs a build of enact"
    else
        command -v -- "$1" > /dev/null || skip "needs $1"
    fi
}

# elapsed: seconds since the scenario began
elapsed() {
    local usec=$((${EPOCHREALTIME/./} - began_usec))
    printf '%d.%02d' $((usec / 1000000)) $((usec / 10000 % 100))
}

# step TEXT: a heading in the log
step() {
    printf '=== %s s: %s\n' "$(elapsed)" "$*"
}

on_unexpected() {
    [ -e "$place/failed" ] || fail "a command failed: $1"
    exit 1
}
trap 'on_unexpected "$BASH_COMMAND"' ERR

# eventually SECONDS WORD...: until the word holds or the command succeeds, at most that long
eventually() {
    local limit=$1 end=$((SECONDS + $1))
    shift

    until ("$@") > /dev/null 2>&1; do
        rm -f "$place/failed"
        [ "$SECONDS" -le "$end" ] || fail "still not so after $limit s: $*"
        sleep 0.2 # to look costs more than to wait
    done
}

# --- hosts ----------------------------------------------------------------------------------------

host_dir() {
    local dir=$place/hosts/${1#*@}

    [ -d "$dir" ] || fail "there is no host '${1#*@}' in this scenario"
    printf '%s' "$dir"
}

host_pid() {
    local dir pid

    dir=$(host_dir "$1")
    pid=$(cat "$dir/pid" 2> /dev/null) || fail "host '$1' is not up"
    printf '%s' "$pid"
}

# cgroups_of NAME: the directories of the host's own cgroup, one line for each hierarchy
cgroups_of() {
    local parent

    while IFS= read -r parent; do
        printf '%s/%s\n' "$parent" "$1"
    done <<< "$ENACT_TEST_CGROUPS"
}

# host NAME [without-units]: make a host and boot it; one that has the programs of enact, but none of
# its units, if so said
host() {
    local name=$1 variant=${2:-} dir=$place/hosts/$1 base debian number

    [[ $name =~ ^[a-z][a-z0-9-]{0,30}$ ]] || fail "'$name' is not a name for a host"
    [ ! -e "$dir" ] || fail "there is a host '$name' already"
    base=$(base_layer "$name") || fail "host '$name' has nothing to boot"
    debian=$cache/debian-$(debian_key)

    mkdir -p "$dir/root" "$dir/upper" "$dir/work"
    printf '%s\n' "${install:+$install:}$base/upper:$debian/root" > "$dir/layers"
    host_root "$name"
    tr -d - < /proc/sys/kernel/random/uuid > "$dir/root/etc/machine-id"
    hold_into "$dir/root"
    case $variant in
    '') ;;
    without-units) rm -f "$dir"/root/usr/lib/systemd/system/enact*.service ;;
    *) fail "there is no host '$variant'" ;;
    esac

    number=$(find "$place/hosts" -mindepth 1 -maxdepth 1 -type d | wc -l)
    printf '10.77.0.%s\n' "$((number + 1))" > "$dir/address"
    printf 'wire%s\n' "$number" > "$dir/wire"
    : > "$dir/netns"
    boot "$name"
    hosts_introduce "$name"
}

# host_root NAME: mount its root, the layers that are shared and on top of them what it writes itself
host_root() {
    local dir=$place/hosts/$1

    mount -t overlay overlay -o "lowerdir=$(cat "$dir/layers"),upperdir=$dir/upper,workdir=$dir/work,redirect_dir=on" \
        "$dir/root"
}

# hosts_introduce NAME: it learns the names of the others, and they its name
hosts_introduce() {
    local dir other

    for dir in "$place"/hosts/*/; do
        other=$(basename "$dir")
        printf '%s %s\n' "$(cat "$dir/address")" "$other" >> "$place/hosts/$1/root/etc/hosts"
        [ "$other" = "$1" ] ||
            printf '%s %s\n' "$(address_of "$1")" "$1" >> "$dir/root/etc/hosts"
    done
}

# host_wire NAME: a new network of its own, with one wire to the bridge that all hosts share
host_wire() {
    local dir=$place/hosts/$1 wire mac
    wire=$(cat "$dir/wire")
    # The same after each boot, as its neighbours remember it.
    mac=$(printf '02:00:00:00:00:%02x' "${wire#wire}")

    unshare "--net=$dir/netns" true
    ip link add "$wire" type veth peer name eth0 address "$mac" netns "$dir/netns"
    ip link set "$wire" master hosts up
    nsenter "--net=$dir/netns" sh -ec "ip link set lo up
        ip address add $(cat "$dir/address")/24 dev eth0
        ip link set eth0 up"
}

# boot NAME [STATE]: start a host that is off, and wait until systemd says STATE (running)
boot() {
    local name=$1 wanted=${2:-running} dir nspawn pid='' got
    dir=$(host_dir "$name")

    host_wire "$name"
    (
        while IFS= read -r cgroup; do
            mkdir -p "$cgroup"
            echo 0 > "$cgroup/cgroup.procs"
        done <<< "$(cgroups_of "$name")"
        exec env --default-signal=INT,QUIT TERM=dumb SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 \
            systemd-nspawn --quiet --settings=no --directory="$dir/root" --machine="$name" \
            --register=no --keep-unit --console=read-only --link-journal=no \
            --resolv-conf=off --timezone=off --network-namespace-path="$dir/netns" \
            --capability=CAP_NET_ADMIN /nix/var/nix/profiles/system/init
    ) < /dev/null >> "$dir/console" 2>&1 &
    nspawn=$!
    disown
    printf '%s\n' "$nspawn" > "$dir/nspawn"

    # Its init is there once systemd answers on its private socket.
    local end=$((SECONDS + boot_limit))
    while :; do
        pid=$(pgrep -P "$nspawn" || true)
        [ -z "$pid" ] || [ ! -S "/proc/$pid/root/run/systemd/private" ] || break
        if ! kill -0 "$nspawn" 2> /dev/null || [ "$SECONDS" -gt "$end" ]; then
            tail -n 30 "$dir/console" >&2
            fail "host '$name' did not come up; its console is above"
        fi
        sleep 0.1
    done
    printf '%s\n' "$pid" > "$dir/pid"

    got=$(timeout -k 1 "$boot_limit" nsenter -t "$pid" -a systemctl is-system-running --wait) || true
    if [ "$got" != "$wanted" ]; then
        nsenter -t "$pid" -a systemctl --failed --no-pager --no-legend >&2 || true
        nsenter -t "$pid" -a systemctl list-jobs --no-pager --no-legend >&2 || true
        fail "host '$name' booted, but not into the state it should be in" \
            "expected: $wanted" "got:      ${got:-no answer in $boot_limit s}"
    fi
}

# host_gone NAME [SECONDS]: wait until nothing of the host is left running
host_gone() {
    local dir nspawn end=$((SECONDS + ${2:-20}))
    dir=$(host_dir "$1")

    nspawn=$(cat "$dir/nspawn")
    while kill -0 "$nspawn" 2> /dev/null; do
        [ "$SECONDS" -le "$end" ] || fail "host '$1' does not go down"
        sleep 0.1
    done
    rm -f "$dir/pid"
    ip link delete "$(cat "$dir/wire")"
    umount "$dir/netns"
    cgroups_of "$1" | cgroups_remove
}

# power_cut NAME: all of the host's processes die at once; what was written stays
power_cut() {
    kill -KILL "$(host_pid "$1")"
    host_gone "$1"
}

# going_down NAME [reboot]: an orderly end begins
going_down() {
    nsenter -t "$(host_pid "$1")" -a systemctl "${2:-poweroff}" --no-block
}

# shut_down NAME: an orderly end; boot NAME starts it again
shut_down() {
    going_down "$1"
    host_gone "$1"
}

# reboot NAME: an orderly end and a new start
reboot() {
    going_down "$1" reboot
    host_gone "$1"
    boot "$1"
}

# host_freezer NAME: the file that stops and continues all of its processes
host_freezer() {
    local cgroup

    while IFS= read -r cgroup; do
        [ ! -e "$cgroup/cgroup.freeze" ] || printf '%s\n' "$cgroup/cgroup.freeze"
    done <<< "$(cgroups_of "$1")"
}

# pause NAME, resume NAME: the host stands still as a whole, and goes on
pause() {
    local freezer
    freezer=$(host_freezer "$1")

    [ -n "$freezer" ] || skip "this machine's kernel freezes no cgroups"
    echo 1 > "$freezer"
    eventually 30 grep -qx "frozen 1" "${freezer%/*}/cgroup.events"
}

resume() {
    echo 0 > "$(host_freezer "$1")"
}

address_of() {
    cat "$(host_dir "$1")/address"
}

# --- running commands in hosts --------------------------------------------------------------------

# enter [USER@]HOST COMMAND...: run it there, with a clean environment, as root or in a login
# session of USER. Replaces the (sub)shell that it is called in.
enter() {
    local where=$1 name=${1#*@} pid cgroup
    shift

    pid=$(host_pid "$name") || exit 1

    # Into the host's cgroup, as a login is: logind moves sessions from there, a freeze or a power
    # cut takes it along.
    while IFS= read -r cgroup; do
        [ ! -d "$cgroup/payload" ] || cgroup=$cgroup/payload
        mkdir -p "$cgroup/scenario"
        echo 0 > "$cgroup/scenario/cgroup.procs"
    done <<< "$(cgroups_of "$name")"

    if [ "$where" != "$name" ]; then
        set -- runuser --login "${where%@*}" --command "$(printf '%q ' "$@")"
    fi
    exec env --default-signal=INT,QUIT nsenter -t "$pid" -a -- env -i --chdir=/root \
        TERM=dumb LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# attempt [USER@]HOST COMMAND...: run it, whatever comes of it; sets code
attempt() {
    local where=$1
    shift

    printf '%s$ %s\n' "$where" "$*" | tee "$place/last/command"
    rm -f "$place/last/code"
    code=0
    (enter "$where" "$@") > "$place/last/out" 2> "$place/last/err" || code=$?
    [ ! -e "$place/failed" ] || exit 1
    printf '%s\n' "$code" > "$place/last/code"
    cat "$place/last/out" "$place/last/err"
    printf '(exit %s, at %s s)\n' "$code" "$(elapsed)"
}

# on [USER@]HOST COMMAND...: run it; it must succeed
on() {
    attempt "$@"
    [ "$code" -eq 0 ] || fail "the command failed" "expected: exit 0" "got:      exit $code"
}

# as_user HOST USER COMMAND...
as_user() {
    on "$2@$1" "${@:3}"
}

# refused [USER@]HOST CODE COMMAND...: run it; it must end with exactly this exit code
refused() {
    local where=$1 wanted=$2

    attempt "$where" "${@:3}"
    [ "$code" -eq "$wanted" ] ||
        fail "the command ended otherwise" "expected: exit $wanted" "got:      exit $code"
}

# begin NAME [USER@]HOST COMMAND...: start it and go on; NAME is for the three words below
begin() {
    local dir=$place/begun/$1 where=$2
    shift 2

    printf '%s$ %s &\n' "$where" "$*"
    mkdir -p "$dir"
    printf '%s$ %s' "$where" "$*" > "$dir/command"
    : > "$dir/out" # what an earlier one of this name said is not heard any more
    : > "$dir/err"
    (enter "$where" "$@") > "$dir/out" 2> "$dir/err" &
    printf '%s\n' "$!" > "$dir/pid"
}

# begun_processes PID: the processes of a begun command, parents first, without those that brought
# it into the host
begun_processes() {
    local child

    for child in $(pgrep -P "$1"); do
        grep -qxE 'nsenter|env|runuser' "/proc/$child/comm" 2> /dev/null || printf '%s\n' "$child"
        begun_processes "$child"
    done
}

# in_session_of PID: of the processes on standard input, those in its session
in_session_of() {
    local session process

    session=$(ps -o sid= -p "$1") || return 0
    while IFS= read -r process; do
        [ "$(ps -o sid= -p "$process")" != "$session" ] || printf '%s\n' "$process"
    done
}

# signal NAME SIGNAL: send it to the command that was begun; INT to all of its processes that share
# its terminal (the builders of Nix do not), as Ctrl-C does
signal() {
    local pid processes end=$((SECONDS + 10))

    pid=$(cat "$place/begun/$1/pid")
    while :; do
        processes=''
        if [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = nsenter ]; then
            processes=$(begun_processes "$pid") || true
        fi
        [ -z "$processes" ] || break
        [ "$SECONDS" -le "$end" ] || fail "'$1' is not running: $(cat "$place/begun/$1/command")"
        sleep 0.1
    done
    if [ "$2" = INT ]; then
        processes=$(in_session_of "${processes%%$'\n'*}" <<< "$processes")
    else
        processes=${processes%%$'\n'*}
    fi
    # shellcheck disable=SC2086  # a list
    kill -s "$2" $processes
}

# ends NAME CODE: wait for the command; says looks at its output from here on
ends() {
    local dir=$place/begun/$1 end=$((SECONDS + 60)) pid

    pid=$(cat "$dir/pid")
    while kill -0 "$pid" 2> /dev/null; do
        [ "$SECONDS" -le "$end" ] || fail "'$1' does not end: $(cat "$dir/command")"
        sleep 0.1
    done
    code=0
    wait "$pid" || code=$?
    cp "$dir/out" "$dir/err" "$dir/command" "$place/last/"
    printf '%s\n' "$code" > "$place/last/code"
    cat "$dir/out" "$dir/err"
    [ "$code" -eq "$2" ] || [ "$code" = "${3:-$2}" ] ||
        fail "'$1' ended otherwise" "expected: exit $2${3:+ or $3}" "got:      exit $code"
}

# said_so_far NAME TEXT: whether a begun command has printed TEXT; for eventually
said_so_far() {
    grep -qF -e "$2" "$place/begun/$1/out" "$place/begun/$1/err"
}

# ask HOST COMMAND...: its output, for $(...); the last command's output stays what it was
ask() {
    (enter "$@") || fail "a question could not be answered: $*"
}

# --- what the last command said -------------------------------------------------------------------

# says TEXT...: each TEXT is somewhere on its standard output or standard error
says() {
    local text

    for text in "$@"; do
        grep -qF -e "$text" "$place/last/out" "$place/last/err" ||
            fail "the command did not say it" "expected: $text"
    done
}

says_not() {
    local text

    for text in "$@"; do
        ! grep -qF -e "$text" "$place/last/out" "$place/last/err" ||
            fail "the command said it" "not expected: $text"
    done
}

says_on_stdout() {
    local text

    for text in "$@"; do
        grep -qF -e "$text" "$place/last/out" ||
            fail "the command did not say it on standard output" "expected: $text"
    done
}

says_on_stderr() {
    local text

    for text in "$@"; do
        grep -qF -e "$text" "$place/last/err" ||
            fail "the command did not say it on standard error" "expected: $text"
    done
}

# says_nothing: not a byte, on either
says_nothing() {
    if [ -s "$place/last/out" ] || [ -s "$place/last/err" ]; then
        fail "the command said something" "expected: no output"
    fi
}

# said: the last command's standard output, for $(...)
said() {
    cat "$place/last/out"
}

# jobs_of: of a switch with --json, "user:job unit" of its events; targets aside, that are started
# again each time
jobs_of() {
    said | jq -r 'select(.event == "job") | "\(.user // ""):\(.job) \(.unit)"' | grep -v 'target$' | sort
}

# forecast_of: the same of a plan or a dry run with --json
forecast_of() {
    said | jq -r 'select(.event == null or .event == "plan") | (.plan // .) | (., (.users[] | .)) as $p | $p | ["stop", "reload", "restart", "start"][] as $job
        | $p[$job][] | "\($p.name // ""):\($job) \(.unit)"' | grep -v 'target$' | sort
}

# is GOT WANTED [WHAT]
is() {
    [ "$1" = "$2" ] || fail "${3:-a value} is not what it should be" "expected: $2" "got:      $1"
}

is_not() {
    [ "$1" != "$2" ] || fail "${3:-a value} is what it should not be" "got: $1"
}

# --- files ----------------------------------------------------------------------------------------

# write HOST PATH: the file's content comes on standard input
write() {
    (enter "$1" sh -ec 'mkdir -p "$(dirname "$1")"; cat > "$1"' - "$2") ||
        fail "could not write $2 on $1"
}

# configuration HOST NAME: /root/NAME becomes a flake of that host: what it boots first, and the
# module on standard input. Written again, it is changed in place.
configuration() {
    local name=$1 dir=/root/$2 root
    root=$(host_dir "$1")/root

    host_flake_into "$root$dir" "$name"
    cat > "$root$dir/host.nix"
}

# lock_offline HOST DIR: write the flake.lock of a flake that wants github's nixpkgs and home-manager,
# pinning them to the library in the host, and enact to the one there, so that it can be used as it is
lock_offline() {
    (enter "$1" sh -ec '
        cd "$1"
        wanted=$(nix eval --impure --json --expr "(import \"$PWD/flake.nix\").inputs")
        rm -f flake.lock
        set --
        for input in $(echo "$wanted" | jq -r "keys[]"); do
            [ "$input" = enact ] && pin=enact || pin=nixos
            set -- "$@" --override-input "$input" "path:/usr/share/enact-tests/$pin"
        done
        nix flake lock "path:$PWD" "$@" 2> /dev/null
        jq --argjson wanted "$wanted" "
            def ref: if startswith(\"path:\") then {type: \"path\", path: .[5:]}
                else capture(\"^github:(?<owner>[^/]+)/(?<repo>[^/]+)(/(?<ref>.+))?\$\")
                | with_entries(select(.value != null)) + {type: \"github\"} end;
            reduce (\$wanted | to_entries[]) as \$i (.;
                .nodes[.nodes.root.inputs[\$i.key]].original = (\$i.value.url | ref))" \
            flake.lock > flake.lock.new
        mv flake.lock.new flake.lock' - "$2") ||
        fail "$2 on $1 could not be locked"
}

# contents HOST PATH: for $(...)
contents() {
    ask "$1" cat -- "$2"
}

exists() {
    (enter "$1" test -e "$2") || fail "$2 is not there on $1"
}

missing() {
    ! (enter "$1" test -e "$2") || fail "$2 is there on $1, and should not be"
}

# --- units ----------------------------------------------------------------------------------------

# unit_property HOST UNIT PROPERTY
unit_property() {
    ask "$1" systemctl show --property="$3" --value -- "$2"
}

pid_of() {
    unit_property "$1" "$2" MainPID
}

invocation_of() {
    unit_property "$1" "$2" InvocationID
}

restarts_of() {
    unit_property "$1" "$2" NRestarts
}

state_is() {
    local got

    got=$(unit_property "$1" "$2" ActiveState)
    [ "$got" = "$3" ] || fail "$2 on $1 is not $3" "expected: $3" "got:      $got"
}

active() {
    state_is "$1" "$2" active
}

inactive() {
    state_is "$1" "$2" inactive
}

failed() {
    state_is "$1" "$2" failed
}

# same_pid HOST UNIT PID: it is still that very process, and no other unit run
same_pid() {
    local got

    got=$(pid_of "$1" "$2")
    [ "$got" = "$3" ] || fail "$2 on $1 was restarted or stopped" "expected: main PID $3" "got:      $got"
}

other_pid() {
    local got

    got=$(pid_of "$1" "$2")
    if [ "$got" = "$3" ] || [ "$got" = 0 ]; then
        fail "$2 on $1 was not restarted" "expected: a main PID other than $3" "got:      $got"
    fi
}

# journal HOST [JOURNALCTL OPTIONS]: for $(...) and pipes
journal() {
    ask "$1" journalctl --no-pager --quiet --output=cat "${@:2}"
}

# journal_says HOST TEXT [JOURNALCTL OPTIONS]
journal_says() {
    local lines

    lines=$(journal "$1" "${@:3}")
    [[ $lines == *"$2"* ]] || fail "the journal of $1 does not say it" "expected: $2"
}

# --- systems --------------------------------------------------------------------------------------

profile_of() {
    ask "$1" readlink -e /nix/var/nix/profiles/system
}

running_of() {
    ask "$1" readlink -e /run/current-system
}

booted_of() {
    ask "$1" readlink -e /run/booted-system
}

# generations_of HOST: the numbers, one a line
generations_of() {
    ask "$1" sh -c 'cd /nix/var/nix/profiles && ls -d system-*-link' |
        sed -n 's/^system-\([0-9]*\)-link$/\1/p' | sort -n
}

# built HOST NAME: the store path of a configuration, built with plain Nix
built() {
    ask "$1" nix build --no-link --json \
        "path:/root/$2#nixosConfigurations.\"$1\".config.system.build.toplevel" |
        jq -r '.[0].outputs.out'
}

# engine_of, dead_man_of HOST: the units of the switch that is under way, for $(...)
engine_of() {
    ask "$1" systemctl list-units --plain --no-legend --all 'enact-2*.service' | cut -d' ' -f1
}

dead_man_of() {
    ask "$1" systemctl list-units --plain --no-legend --all 'enact-dead-man-*.service' | cut -d' ' -f1
}

# roots_of HOST: enact's own, in one line: "booted failed/HASH-NAME good"
roots_of() {
    ask "$1" sh -c 'cd /nix/var/nix/gcroots/enact && find . ! -type d | sed "s|^./||" | sort' | xargs
}

# at_its_end HOST: no switch is under way or left open, and none has left anything half-made
at_its_end() {
    local left

    left=$(engine_of "$1")$(dead_man_of "$1")$(ask "$1" sh -c '
        find /run/enact -maxdepth 1 -name ground.json 2> /dev/null || true
        find /nix/var/nix/profiles /nix/var/nix/gcroots/enact /var/lib/enact \( -name ".*" -o -name "*.lock" \
            -o -name candidate -o -name back -o -name engine -o -name "transaction.*" \) 2> /dev/null || true')
    is "$left" "" "what a switch has left"
}

# host_facts HOST: what a refused or undone switch must leave as it was
host_facts() {
    ask "$1" sh -c '
        echo "running system: $(readlink /run/current-system)"
        echo "booted system: $(readlink /run/booted-system)"
        echo "/etc/static: $(readlink /etc/static)"
        cd /nix/var/nix/profiles
        for link in system* .[!.]*; do
            [ ! -L "$link" ] && [ ! -e "$link" ] || echo "profile $link -> $(readlink "$link")"
        done
        find /nix/var/nix/gcroots/enact /var/lib/enact -name ".*" -o -name candidate -o -name transaction.json \
            2> /dev/null | sed "s/^/left: /"
        systemctl show --property=Id,ActiveState,SubState,MainPID,InvocationID \
            "*.service" "*.socket" "*.path" "*.timer" "*.mount" "*.target" |
            awk -F= '\''
                function out() {
                    if (f["Id"] != "") print "unit " f["Id"] ": " f["ActiveState"] " (" f["SubState"] \
                        ") pid " f["MainPID"] " invocation " f["InvocationID"]
                    split("", f)
                }
                /^$/ { out(); next }
                { f[$1] = $2 }
                END { out() }'\'' | sort' |
        # Those come and go by themselves, or with the command that was run.
        grep -vE '^unit (enact|run-|user|session|modprobe@|systemd-(tmpfiles-clean|hostnamed|timedated|localed)|nix-daemon|nix-var|nix-store|-\.)' ||
        fail "could not look at host '$1'"
}

# snapshot HOST: remember what it is like
snapshot() {
    host_facts "$1" > "$(host_dir "$1")/facts"
}

# unchanged HOST: it is as it was at the snapshot: systems, links, units, their processes
unchanged() {
    local dir
    dir=$(host_dir "$1")

    host_facts "$1" > "$dir/facts-now"
    diff -u --label snapshot --label now "$dir/facts" "$dir/facts-now" > "$dir/facts-diff" ||
        fail "host '$1' has changed" "$(cat "$dir/facts-diff")"
}

# --- holding something up -------------------------------------------------------------------------

# hold HOST: from now on whatever runs /usr/local/bin/hold-here in it waits there
hold() {
    (enter "$1" sh -ec 'rm -f /run/held; : > /run/hold') || fail "nothing can be held on $1"
}

# hold_into ROOT: the program for it; nothing waits where hold was not said
hold_into() {
    mkdir -p "$1/usr/local/bin"
    printf '%s\n' '#!/bin/sh' '[ -e /run/hold ] || exit 0' ': > /run/held' \
        'while [ -e /run/hold ]; do sleep 0.1; done' > "$1/usr/local/bin/hold-here"
    chmod 755 "$1/usr/local/bin/hold-here"
}

# held HOST: something waits there; for eventually
held() {
    exists "$1" /run/held
}

# let_go HOST: it goes on
let_go() {
    (enter "$1" rm -f /run/hold /run/held) || fail "nothing can be let go on $1"
}

# --- the engine under strace ----------------------------------------------------------------------

engine=/usr/libexec/enact/enact-activate
traced=/usr/libexec/enact/traced/enact-activate
traces=/var/tmp/engine-traces

# trace HOST STRACE OPTIONS...: from now on the engine runs under strace with them; what it writes
# is kept for trace_of. Faults: trace web -e inject=rename:signal=KILL:when=2
trace() {
    local name=$1
    shift

    untrace "$name"
    (enter "$name" sh -ec 'mkdir -p "$(dirname "$2")" "$3"; mv "$1" "$2"; cat > "$1"; chmod +x "$1"' \
        - "$engine" "$traced" "$traces" <<END
#!/bin/sh
exec strace -D -f -o $traces/\$\$ $(printf '%q ' "$@") $traced "\$@"
END
    ) || fail "the engine on $name could not be wrapped"
}

untrace() {
    (enter "$1" sh -ec 'rm -rf "$3"; [ ! -e "$2" ] || mv -f "$2" "$1"' - "$engine" "$traced" "$traces") ||
        fail "the engine on $1 could not be unwrapped"
}

# trace_of HOST: all that was traced, oldest run first
trace_of() {
    ask "$1" sh -c 'cd "$1" && ls -tr | xargs -r cat' - "$traces"
}

# --- the scenario ---------------------------------------------------------------------------------

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    scenario=$1
    # shellcheck source=/dev/null
    . "$scenario"
    [ ! -e "$place/failed" ] || exit 1
fi
