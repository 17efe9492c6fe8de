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

# path_of HOST NAME: where that system lies
path_of() {
    cat "$place/systems/$1/$2.path"
}

# build_systems NAME: those of this host
build_systems() {
    local dir=$place/systems/$1 root=$place/hosts/$1/root module name

    for module in "$dir"/*; do
        [ -e "$module" ] || continue
        name=${module##*/}
        host_flake_into "$root/root/$name" "$1"
        cp "$module" "$root/root/$name/host.nix"
        guest_build "$root" "$1" "$name" || fail "the system '$name' of host '$1' could not be built"
        readlink "$root/root/$name-system" > "$module.path"
    done
}

# host NAME: make a guest and boot it
host() {
    local name=$1 dir=$place/hosts/$1 base kernel number spare

    [[ $name =~ ^[a-z][a-z0-9-]{0,30}$ ]] || fail "'$name' is not a name for a host"
    [ ! -e "$dir" ] || fail "there is a host '$name' already"
    base=$(base_layer "$name") || fail "host '$name' has nothing to boot"
    kernel=$(kernel_layer) || fail "host '$name' has no kernel"

    mkdir -p "$dir/root" "$dir/upper" "$dir/work"
    printf '%s\n' "${install:+$install:}$kernel/root:$base/upper:$cache/debian-$(debian_key)/root" > "$dir/layers"
    number=$(find "$place/hosts" -mindepth 1 -maxdepth 1 -type d | wc -l)
    printf '10.77.0.%s\n' "$((number + 1))" > "$dir/address"
    printf 'wire%s\n' "$number" > "$dir/wire"

    host_root "$name"
    tr -d - < /proc/sys/kernel/random/uuid > "$dir/root/etc/machine-id"
    hold_into "$dir/root"
    guest_door "$dir/root" "$dir"
    guest_trim "$dir/root"
    build_systems "$name"
    guest_image "$dir/root" "$dir/disk"
    guest_initrd "$kernel" "$(address_of "$name")" "$dir/initrd"
    umount "$dir/root"
    cp "$kernel/vmlinuz" "$dir/vmlinuz"
    for ((spare = 1; spare <= spare_disks; spare++)); do
        truncate --size=128M "$dir/spare$spare"
    done
    boot "$name"
}

# boot NAME [STATE]: start a guest that is off, and wait until systemd says STATE (running)
boot() {
    local name=$1 wanted=${2:-running} dir wire qemu spare got disks=()
    dir=$(host_dir "$name")
    wire=$(cat "$dir/wire")

    ip tuntap add mode tap name "$wire"
    ip link set "$wire" master hosts up
    for ((spare = 1; spare <= spare_disks; spare++)); do
        disks+=(-drive "file=$dir/spare$spare,if=virtio,format=raw")
    done
    qemu-system-x86_64 -accel "${ENACT_TEST_ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m 1024 -nodefaults \
        -display none -no-reboot -chardev "file,id=console,path=$dir/console,append=on" -serial chardev:console \
        -kernel "$dir/vmlinuz" -initrd "$dir/initrd" \
        -append "console=ttyS0 net.ifnames=0 panic=-1 mitigations=off no5lvl quiet systemd.show_status=yes" \
        -drive "file=$dir/disk,if=virtio,format=raw" "${disks[@]}" \
        -netdev "tap,id=wire,ifname=$wire,script=no,downscript=no" \
        -device "virtio-net-pci,netdev=wire,mac=$(printf '02:00:00:00:00:%02x' "${wire#wire}"),romfile=" \
        -device virtio-rng-pci < /dev/null > "$dir/qemu.log" 2>&1 &
    qemu=$!
    disown
    printf '%s\n' "$qemu" > "$dir/qemu"
    [ -z "${ENACT_TEST_SCREEN:-}" ] || tail --follow=name --retry --quiet --lines=0 --pid="$qemu" "$dir/console" 2> /dev/null &

    local end=$((SECONDS + boot_limit))
    until (enter "$name" true) > /dev/null 2>&1; do
        if ! kill -0 "$qemu" 2> /dev/null || [ "$SECONDS" -gt "$end" ]; then
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

# host_gone NAME: wait until the machine is off
host_gone() {
    local dir qemu end=$((SECONDS + 60))
    dir=$(host_dir "$1")

    qemu=$(cat "$dir/qemu")
    while kill -0 "$qemu" 2> /dev/null; do
        [ "$SECONDS" -le "$end" ] || fail "host '$1' does not go down"
        sleep 0.05
    done
    rm -f "$dir/qemu" "$(door_of "$1")"
    ip link delete "$(cat "$dir/wire")"
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
        -o LogLevel=ERROR -o ConnectTimeout=5 -o ControlMaster=auto -o ControlPersist=yes \
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
    [ ! -e "$place/failed" ] || exit 1
fi
