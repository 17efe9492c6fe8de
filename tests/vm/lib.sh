#!/bin/bash
# The words of tests/host/lib.sh for hosts that are virtual machines: with a kernel, disks and an end
# of their own. Started as that file is.
set -Eeuo pipefail

checkout=$ENACT_TEST_CHECKOUT
place=$ENACT_TEST_PLACE

# shellcheck source=../host/lib.sh
. "$ENACT_TEST_CHECKOUT/tests/host/lib.sh"
# shellcheck source=machinery/guest.sh
. "$checkout/tests/vm/machinery/guest.sh"
# shellcheck source=machinery/firmware.sh
. "$checkout/tests/vm/machinery/firmware.sh"
# shellcheck source=machinery/machine.sh
. "$checkout/tests/vm/machinery/machine.sh"

boot_limit=${ENACT_TEST_BOOT_LIMIT:-120}
spare_disks=2 # /dev/vdb and so on, of 128 MiB, with nothing on them

for program in qemu-system-x86_64 mkfs.ext4 busybox ssh ssh-keygen; do
    needs "$program"
done
[ "$(uname -m)" = x86_64 ] || skip "needs a machine of type x86_64"
[ -e /dev/net/tun ] || skip "needs /dev/net/tun"

# system HOST NAME: before the host is made: the module on standard input becomes a system of it
system() {
    mkdir -p "$place/systems/$1"
    cat > "$place/systems/$1/$2"
}

# path_of HOST NAME[/SPECIALISATION]: where that system lies
path_of() {
    cat "$place/systems/$1/${2/\//.}.path"
}

# build_systems NAME: those of this host
build_systems() {
    local dir=$place/systems/$1 root=$place/hosts/$1/root module name link

    for module in "$dir"/*; do
        [ -e "$module" ] || continue
        name=${module##*/}
        host_flake_into "$root/root/$name" "$1"
        cp "$module" "$root/root/$name/host.nix"
        if [ -e "$place/hosts/$1/module" ]; then
            cp "$module" "$root/root/$name/own.nix"
            cp "$place/hosts/$1/module" "$root/root/$name/machine.nix"
            printf '{ imports = [ ./machine.nix ./own.nix ]; }\n' > "$root/root/$name/host.nix"
        fi
        guest_build "$root" "$1" "$name" || fail "the system '$name' of host '$1' could not be built"
        readlink "$root/root/$name-system" > "$module.path"
        for link in "$root$(cat "$module.path")"/specialisation/*; do
            [ ! -L "$link" ] || readlink "$link" > "$module.${link##*/}.path"
        done
    done
}

# host NAME: make a guest and boot it
host() {
    guest_new "$1"
    guest_make "$1"
    boot "$1"
}

# firmware_host NAME SYSTEM [xbootldr]: make a guest that starts as machines do, by its firmware and systemd-boot. SYSTEM
# is its generation 1, and was installed by NixOS. It runs; one that has booted with the same systems is taken up.
firmware_host() {
    local program file key

    for program in mkfs.vfat fsck.fat mcopy sfdisk python3; do
        needs "$program"
    done
    for file in "$firmware_code" "$firmware_variables" "$firmware_loader"; do
        [ -e "$file" ] || skip "needs $file"
    done
    guest_new "$1"
    key=$(machine_key "$1" "$2" "${3:-}")
    if machine_take "$1" "$key"; then
        restore "$1"
    else
        guest_make "$@"
        boot "$1"
        machine_keep "$1" "$key"
    fi
}

# guest_new NAME: its place, and its place among the others
guest_new() {
    local dir=$place/hosts/$1 number

    [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || fail "'$1' is not a name for a host"
    [ ! -e "$dir" ] || fail "there is a host '$1' already"
    mkdir -p "$dir/root" "$dir/upper" "$dir/work"
    number=$(find "$place/hosts" -mindepth 1 -maxdepth 1 -type d | wc -l)
    printf '10.77.0.%s\n' "$((number + 1))" > "$dir/address"
    printf 'wire%s\n' "$number" > "$dir/wire"
    printf '0\n' > "$dir/resets"
    printf '0\n' > "$dir/boots"
}

# guest_make NAME [SYSTEM [LAYOUT]]: all that it is made of. With a SYSTEM it starts by its firmware.
guest_make() {
    local name=$1 first=${2:-} layout=${3:-esp} dir=$place/hosts/$1 base kernel spare

    base=$(base_layer "$name") || fail "host '$name' has nothing to boot"
    kernel=$(kernel_layer) || fail "host '$name' has no kernel"

    printf '%s\n' "${install:+$install:}$kernel/root:$base/upper:$cache/debian-$(debian_key)/root" > "$dir/layers"

    host_root "$name"
    tr -d - < /proc/sys/kernel/random/uuid > "$dir/root/etc/machine-id"
    hold_into "$dir/root"
    guest_door "$dir/root" "$dir"
    guest_trim "$dir/root"
    guest_initrd "$kernel" "$(address_of "$name")" "$dir/initrd"
    if [ -n "$first" ]; then
        firmware_into "$dir/root" "$kernel" "$dir/initrd"
        firmware_module "$layout" > "$dir/module"
    fi
    build_systems "$name"
    if [ -n "$first" ]; then
        ln -sfn "$(path_of "$name" "$first")" "$dir/root/nix/var/nix/profiles/system-1-link"
        firmware_disk "$dir/root" "$(path_of "$name" "$first")" "$layout" "$dir/esp" ||
            fail "host '$name' has no disk for its firmware to start from"
        cp "$firmware_variables" "$dir/variables"
    fi
    guest_image "$dir/root" "$dir/disk"
    umount "$dir/root"
    cp "$kernel/vmlinuz" "$dir/vmlinuz"
    for ((spare = 1; spare <= spare_disks; spare++)); do
        truncate --size=128M "$dir/spare$spare"
    done
}

# switch_on NAME: start a guest that is off, and go on
switch_on() {
    local dir
    dir=$(host_dir "$1")

    printf '%s\n' $(($(cat "$dir/boots") + 1)) > "$dir/boots"
    machine_start "$1"
}

# boot NAME [STATE]: start a guest that is off, and wait until systemd says STATE (running)
boot() {
    switch_on "$1"
    up "$1" "${2:-running}"
}

# up NAME [STATE]: of one that was started: wait until systemd says STATE (running)
up() {
    local name=$1 wanted=${2:-running} dir got end=$((SECONDS + boot_limit))
    dir=$(host_dir "$name")

    until (enter "$name" true) > /dev/null 2>&1; do
        if ! machine_runs "$name" || [ "$SECONDS" -gt "$end" ]; then
            tail -n 40 "$dir/console" "$dir/qemu.log" >&2
            fail "host '$name' did not come up; its console is above"
        fi
        sleep 0.2
    done
    got=$( (enter "$name" timeout "$boot_limit" systemctl is-system-running --wait)) || true
    if [ "$got" != "$wanted" ]; then
        (enter "$name" systemctl --failed --no-pager --no-legend) >&2 || true
        (enter "$name" systemctl list-jobs --no-pager --no-legend) >&2 || true
        fail "host '$name' booted, but not into the state it should be in" \
            "expected: $wanted" "got:      ${got:-no answer in $boot_limit s}"
    fi
}

# --- a guest with firmware ------------------------------------------------------------------------

# start HOST: one that is off; what its boot loader starts says which system it is and powers off
start() {
    machine_start "$1" asked
}

# ran HOST SYSTEM [OTHER]: it was that one, or the other, and the machine is off again
ran() {
    local host=$1 got name wanted=() end=$((SECONDS + boot_limit))
    shift

    while machine_runs "$host" && [ "$SECONDS" -le "$end" ]; do
        sleep 0.1
    done
    got=$(said_init "$host")
    for name in "$@"; do
        wanted+=("$(path_of "$host" "$name")/init")
        if ! machine_runs "$host" && [ "$got" = "${wanted[-1]}" ]; then
            printf '%s: %s\n' "$host" "$name is what it boots"
            host_gone "$host"
            return
        fi
    done
    screen "$host" >&2
    fail "host '$host' has started something else; its screen is above" "expected: ${wanted[*]}" "got:      ${got:-nothing}"
}

# said_init HOST: what the initial RAM disk said that it would run or runs, since the start
said_init() {
    since_start "$1" | tr -d '\r' | LC_ALL=C sed -n 's/.*test: it \(would be\|is\) //p' | tail -n 1
}

# boots_into HOST SYSTEM: one that is off: this is what it would boot
boots_into() {
    start "$1"
    ran "$1" "$2"
}

# reset HOST: somebody, or a watchdog, presses the button, and the next start has to be said. Counted.
reset() {
    local dir
    dir=$(host_dir "$1")

    monitor "$1" '"execute": "system_reset"' > /dev/null
    host_gone "$1"
    printf '%s\n' $(($(cat "$dir/resets") + 1)) > "$dir/resets"
}

resets_of() {
    cat "$(host_dir "$1")/resets"
}

# shows HOST TEXT: on its console, since the start; for eventually
shows() {
    since_start "$1" | grep -qaF -e "$2" || fail "the console of '$1' does not show it" "expected: $2"
}

# screen HOST: what one sees, '> ' before what is highlighted
screen() {
    since_start "$1" | "$checkout/tests/vm/machinery/screen"
}

# press HOST KEY...: as QEMU names them: down, ret, home, e
press() {
    local key
    for key in "${@:2}"; do
        monitor "$1" '"execute": "send-key", "arguments": { "keys": [ { "type": "qcode", "data": "'"$key"'" } ] }' > /dev/null
    done
}

# highlighted HOST TEXT: that is what the menu is at; for eventually
highlighted() {
    screen "$1" | grep '^> ' | grep -qF -e "$2" || fail "the menu of '$1' is not at it" "expected: $2"
}

# choose HOST TEXT: with the keyboard, in its boot menu, the first entry with TEXT in its title
choose() {
    local down=0 n

    eventually "$boot_limit" shows "$1" "Boot in"
    # It stops the clock, too.
    press "$1" home
    n=$(screen "$1" | sed 's/^> /  /' | sed -n '/[^ ]/,$p' | grep -nF -e "$2" | head -n 1 | cut -d: -f1)
    [ -n "$n" ] || fail "the menu has no such entry" "expected: $2" "$(screen "$1")"
    for ((down = 1; down < n; down++)); do
        press "$1" down
    done
    eventually 10 highlighted "$1" "$2"
    screen "$1"
    press "$1" ret
}

# on_partition HOST esp|xbootldr MTOOL ARGUMENT...: while it is off; paths begin with ::
on_partition() {
    local part
    part=$(firmware_partition "$(host_dir "$1")/esp" "$2")

    printf '%s: %s\n' "$2" "${*:3}"
    "$3" -i "$part" "${@:4}" || fail "'${*:3}' on the partition '$2' of '$1' failed"
}

# save HOST: it runs, and is remembered as it is, with its disks
save() {
    machine_save "$1"
}

# restore HOST: one that is off goes on from where it was saved
restore() {
    machine_restore "$1"
    up "$1"
}

# host_gone NAME [SECONDS]: wait until the machine is off
host_gone() {
    local end=$((SECONDS + ${2:-60}))

    while machine_runs "$1"; do
        [ "$SECONDS" -le "$end" ] || fail "host '$1' does not go down"
        sleep 0.05
    done
    machine_forget "$1"
}

# power_cut NAME: the machine stops at once; what has reached its disks stays
power_cut() {
    kill -KILL "$(cat "$(host_dir "$1")/qemu")"
    host_gone "$1"
}

going_down() {
    (enter "$1" systemctl "${2:-poweroff}" --no-block) || true
}

# door_of NAME: the socket of the one connection that all commands share. A path as long as the
# scenario's own is too long for a socket, and this place is the scenario's, too.
door_of() {
    printf '/run/systemd/door-%s' "$1"
}

# enter [USER@]HOST COMMAND...: as in a container. Replaces the (sub)shell that it is called in.
enter() {
    local where=$1 name=${1#*@} dir
    shift

    dir=$(host_dir "$name") || exit 1
    if [ "$where" != "$name" ]; then
        set -- runuser --login "${where%@*}" --command "$(printf '%q ' "$@")"
    fi
    exec ssh -F none -i "$dir/key" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o LogLevel=ERROR -o ConnectTimeout=30 -o ControlMaster=auto -o ControlPersist=yes \
        -o "ControlPath=$(door_of "$name")" "root@$(address_of "$name")" \
        "$(printf '%q ' env -i --chdir=/root TERM=dumb LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@")"
}

# configuration HOST NAME: the module on standard input becomes the flake /root/NAME
configuration() {
    local name=$1 dir=$place/flake-$1-$2

    host_flake_into "$dir" "$name"
    cat > "$dir/host.nix"
    tar --create --directory="$dir" . | (enter "$name" sh -ec 'mkdir -p "$1"; tar --extract --directory="$1"' - "/root/$2") ||
        fail "could not write /root/$2 on $name"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    scenario=$1
    # shellcheck source=/dev/null
    . "$scenario"
    for boots in "$place"/hosts/*/boots; do
        printf 'boots of a whole system: %s; resets: %s\n' "$(cat "$boots")" "$(cat "${boots%/*}/resets")"
    done
    [ ! -e "$place/failed" ] || exit 1
fi
