# shellcheck shell=bash
# A guest's machine: qemu with its disks, its console and a monitor to drive it by.
#
# Callers set place, and have sourced guest.sh and firmware.sh.

# machine_start NAME [asked] [OPTION...]: switch it on. 'asked': its initial RAM disk only says what it would run.
machine_start() {
    local name=$1 serial=root dir wire qemu spare options=()
    dir=$(host_dir "$name")
    wire=$(cat "$dir/wire")
    shift
    if [ "${1:-}" = asked ]; then
        serial=$guest_asks
        shift
    fi

    ip tuntap add mode tap name "$wire"
    ip link set "$wire" master hosts up
    # In this order they are /dev/vda and so on.
    options+=(-drive "file=$dir/disk,if=none,id=disk,format=raw" -device "virtio-blk-pci,drive=disk,serial=$serial")
    for ((spare = 1; spare <= spare_disks; spare++)); do
        options+=(-drive "file=$dir/spare$spare,if=none,id=spare$spare,format=raw" -device "virtio-blk-pci,drive=spare$spare")
    done
    if [ -e "$dir/variables" ]; then
        options+=(-drive "file=$firmware_code,if=pflash,unit=0,format=raw,readonly=on"
            -drive "file=$dir/variables,if=pflash,unit=1,format=raw"
            -drive "file=$dir/esp,if=none,id=esp,format=raw" -device "virtio-blk-pci,drive=esp,bootindex=1")
    else
        options+=(-kernel "$dir/vmlinuz" -initrd "$dir/initrd" -append "$guest_parameters")
    fi

    touch "$dir/console"
    stat --format=%s "$dir/console" > "$dir/console-start"
    rm -f "$dir/monitor.in" "$dir/monitor.out"
    mkfifo "$dir/monitor.in" "$dir/monitor.out"
    # -no-reboot: however it ends, it is off then, and how it starts again is for the scenario to say.
    qemu-system-x86_64 -accel "${ENACT_TEST_ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m 1024 -nodefaults \
        -display none -no-reboot -chardev "file,id=console,path=$dir/console,append=on" -serial chardev:console \
        -chardev "pipe,id=monitor,path=$dir/monitor" -mon chardev=monitor,mode=control \
        "${options[@]}" \
        -netdev "tap,id=wire,ifname=$wire,script=no,downscript=no" \
        -device "virtio-net-pci,netdev=wire,mac=$(printf '02:00:00:00:00:%02x' "${wire#wire}"),romfile=" \
        -device virtio-rng-pci "$@" < /dev/null > "$dir/qemu.log" 2>&1 &
    qemu=$!
    disown
    printf '%s\n' "$qemu" > "$dir/qemu"
    cat "$dir/monitor.out" > "$dir/monitor" 2> /dev/null &
    disown
    monitor "$name" '"execute": "qmp_capabilities"' > /dev/null
    [ -z "${ENACT_TEST_SCREEN:-}" ] || tail --follow=name --retry --quiet --lines=0 --pid="$qemu" "$dir/console" 2> /dev/null &
}

machine_runs() {
    kill -0 "$(cat "$(host_dir "$1")/qemu")" 2> /dev/null
}

# machine_forget NAME: it is off
machine_forget() {
    local dir
    dir=$(host_dir "$1")

    rm -f "$dir/qemu" "$dir/monitor.in" "$dir/monitor.out" "$(door_of "$1")"
    ip link delete "$(cat "$dir/wire")"
}

# monitor NAME MEMBERS: have its monitor (QMP) do that, and print the answer
monitor() {
    local dir id=$EPOCHREALTIME answer end=$((SECONDS + 20))
    dir=$(host_dir "$1")

    timeout 5 sh -c 'printf "%s\n" "$1" > "$2"' - "{ $2, \"id\": \"$id\" }" "$dir/monitor.in" ||
        fail "the monitor of '$1' takes no command"
    until answer=$(grep -F "\"id\": \"$id\"" "$dir/monitor"); do
        # It may have ended by what it was told.
        machine_runs "$1" || return 0
        [ "$SECONDS" -le "$end" ] || fail "the monitor of '$1' does not answer to: $2"
        sleep 0.02
    done
    [[ $answer != *'"error"'* ]] || fail "the monitor of '$1' refuses: $2" "$answer"
    printf '%s\n' "$answer"
}

# since_start NAME: what its console has got
since_start() {
    local dir
    dir=$(host_dir "$1")
    tail --bytes=+$(($(cat "$dir/console-start") + 1)) "$dir/console"
}

machine_files=(disk spare1 spare2 esp variables)

# machine_save NAME: its memory and its disks, of one moment; it goes on
machine_save() {
    local dir file end=$((SECONDS + 60))
    dir=$(host_dir "$1")

    rm -rf "$dir/saved"
    mkdir "$dir/saved"
    monitor "$1" '"execute": "stop"' > /dev/null
    monitor "$1" '"execute": "migrate-set-parameters", "arguments": { "max-bandwidth": 10000000000 }' > /dev/null
    monitor "$1" '"execute": "migrate", "arguments": { "uri": "exec:cat > '"$dir"'/saved/memory" }' > /dev/null
    until [[ $(monitor "$1" '"execute": "query-migrate"') == *'"status": "completed"'* ]]; do
        [ "$SECONDS" -le "$end" ] || fail "host '$1' cannot be saved"
        sleep 0.1
    done
    for file in "${machine_files[@]}"; do
        [ ! -e "$dir/$file" ] || cp --sparse=always "$dir/$file" "$dir/saved/$file"
    done
    monitor "$1" '"execute": "cont"' > /dev/null
}

# machine_restore NAME: off now, it goes on from there
machine_restore() {
    local dir file end=$((SECONDS + 60))
    dir=$(host_dir "$1")

    for file in "${machine_files[@]}"; do
        [ ! -e "$dir/saved/$file" ] || cp --sparse=always "$dir/saved/$file" "$dir/$file"
    done
    machine_start "$1" -incoming "exec:cat $dir/saved/memory"
    until [[ $(monitor "$1" '"execute": "query-status"') == *'"status": "paused"'* ]]; do
        [ "$SECONDS" -le "$end" ] || fail "host '$1' cannot be restored"
        sleep 0.1
    done
    monitor "$1" '"execute": "cont"' > /dev/null
}

# --- kept from one scenario for the next ----------------------------------------------------------

# machine_key NAME FIRST LAYOUT: what a machine that has booted depends on
machine_key() {
    local guest_parts=(guest_initrd guest_door guest_trim guest_build guest_image)
    local firmware_parts=(firmware_module firmware_into firmware_disk)

    {
        printf '%s\n' "$@" "$(base_layer "$1")" "$(kernel_layer)" "${ENACT_TEST_ACCEL:-}"
        [ -z "$install" ] || hash_of_tree "$install"
        declare -f guest_make build_systems machine_start "${guest_parts[@]}" "${firmware_parts[@]}"
        printf '%s\n' "$guest_parameters" "${guest_modules[@]}"
        qemu-system-x86_64 --version
        sha256sum "$firmware_code" "$firmware_variables" "$firmware_loader"
        hash_of_tree "$place/systems/$1"
    } | sha256sum | cut -c1-16
}

# machine_keep NAME KEY: it runs, and the next one with that key goes on from here
machine_keep() {
    local dir file new=$cache/machine-$2.new
    dir=$(host_dir "$1")

    machine_save "$1"
    rm -rf "$new"
    mkdir "$new"
    cp -r --sparse=always "$place/systems/$1" "$new/systems"
    for file in saved key key.pub host-key host-key.pub; do
        cp -r --sparse=always "$dir/$file" "$new/"
    done
    (
        flock 9
        rm -rf "$cache/machine-$2"
        mv -T "$new" "$cache/machine-$2"
        # They are large.
        find "$cache" -mindepth 1 -maxdepth 1 -name 'machine-*' -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- |
            xargs -r rm -rf --one-file-system --
    ) 9> "$cache/lock"
}

# machine_take NAME KEY: whether there is one, which is then this host, and off
machine_take() {
    local dir=$place/hosts/$1

    (
        flock 9
        [ -d "$cache/machine-$2" ] || exit 1
        touch "$cache/machine-$2"
        cp -r --sparse=always "$cache/machine-$2/." "$dir/"
    ) 9> "$cache/lock" || return 1
    cp -rT "$dir/systems" "$place/systems/$1"
    cp "$dir/saved/variables" "$dir/"
}
